"""Streams of kfkd as numpy arrays, and its models as modules of PyTorch.

    tensors, meta = kfkd.stream("faces.kfkd")  # or a file that is open, as a pipe
    net = kfkd.model("net1.kfkd")              # net.meta is its metadata
    p = net(torch.from_numpy(tensors["X"]))    # scaled as kfkd-predict's

kfkd-stream(5) and kfkd-model(5) say what is in them.
"""
import contextlib
import json
import sys

import numpy as np

TYPES = {"U8": "<u1", "I64": "<i8", "F32": "<f4"}


def take(file, n):
    data = file.read(n)
    if len(data) < n:
        raise ValueError("the input is truncated")
    return data


def blobs(source):
    """The tensors and the metadata of each chunk of a stream, or of a model."""
    with contextlib.ExitStack() as stack:
        file = sys.stdin.buffer if source == "-" else source
        if not hasattr(file, "read"):
            file = stack.enter_context(open(source, "rb"))
        while start := file.read(8):
            size = int.from_bytes(start + take(file, 8 - len(start)), "little")
            header = json.loads(take(file, size)) if size <= 1 << 20 else {}
            if not header:
                raise ValueError("the input is no stream or model of kfkd")
            meta = header.pop("__metadata__", {})
            data = take(file, max(t["data_offsets"][1] for t in header.values()))
            yield {name: np.ndarray(t["shape"], TYPES[t["dtype"]], data,
                                    t["data_offsets"][0])
                   for name, t in header.items()}, meta


def chunks(source="-"):
    """The same of a stream as it comes, of which nothing may be missing: pixels scaled
    as bytes become floats; names and files become str."""
    rows, first, whole = 0, None, False
    for tensors, meta in blobs(source):
        like = {key: meta[key] for key in meta if key not in ("rows", "xxh3")}
        first = first or (like, set(tensors))
        if first != (like, set(tensors)) or "id" not in tensors:
            raise ValueError("this is no chunk of a stream, or not like the first")
        rows += len(tensors["id"])
        if whole := "rows" in meta:
            if rows != int(meta["rows"]):
                raise ValueError(f"{rows} rows, where {meta['rows']} should be")
            rows = 0  # another stream may follow
        if "X.scale" in meta and "X" in tensors and tensors["X"].dtype == "u1":
            tensors["X"] = (tensors["X"] / 255).astype("f4")
        for name in {"name", "file"} & set(tensors):
            tensors[name] = np.array([row.tobytes().rstrip(b"\0").decode()
                                      for row in tensors[name]], str)
        yield tensors, like
    if not whole:
        raise ValueError("the stream is truncated: its last chunk is missing")


def stream(source="-"):
    """All of a stream: its tensors by name, and its metadata."""
    parts, metas = zip(*chunks(source))
    return {name: np.concatenate([part[name] for part in parts])
            for name in parts[0]}, metas[0]


def model(source="-"):
    """A model as an nn.Sequential whose parameters have the names of the file's."""
    import kfkd_layers  # which alone needs PyTorch
    (tensors, meta), = blobs(source)
    return kfkd_layers.net(tensors, meta)
