"""A model of kfkd, taken apart for other libraries."""
from safetensors import safe_open


def read(path):
    """Yields (kind, weight, bias), or (kind, number, None) where nothing is learnt."""
    count = {"conv": 0, "dense": 0}
    with safe_open(path, "numpy") as f:
        for word in f.metadata()["net"].split():
            kind = word.rstrip("0123456789x.")
            if kind in count:
                count[kind] += 1
                name = f"{kind}{count[kind]}"
                yield kind, f.get_tensor(name + ".weight"), f.get_tensor(name + ".bias")
            else:
                yield kind, float(word[len(kind):] or 0), None
