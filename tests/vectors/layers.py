"""Outputs and losses of PyTorch's layers, for small nets that have all kinds of them.

Writes layers.tsv: net, what, values.  `p` are the outputs of the first rows; `losses` are
those of an epoch of Nesterov without dropout, in training and in validation.  The nets are
those of layers.txt; images, targets and weights come from whole numbers.  Files are made
and read by kfkd's programs and examples/python; the numbers are PyTorch's.

    python3 layers.py < layers.txt > layers.tsv

`layers.py faces` prints the faces as CSV; `layers.py state MODEL OUT` writes the state of a
module with the names and shapes of a model.  These need numpy and safetensors alone.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from safetensors.numpy import save_file

sys.path.append(str(pathlib.Path(__file__).parents[2] / "examples/python"))
import kfkd  # noqa: E402

ROWS, SIDE, BATCH, SHOWN = 30, 26, 8, 3
COLUMNS = "a_x,a_y,b_x,b_y,c_x,c_y"


def faces():
    print(COLUMNS + ",Image")
    for row in range(ROWS):
        x, y = 5 + row * 7 % 17, 4 + row * 11 % 19
        points = [x, y, x + 3, y - 2, (x + y) / 2, ""] if row % 4 else [x, y, "", y, x, x]
        pixels = [max(0, 255 - 9 * ((i % SIDE - x) ** 2 + (i // SIDE - y) ** 2),
                      i * (row + 3) % 97) for i in range(SIDE * SIDE)]
        print(*points, " ".join(map(str, pixels)), sep=",")


def tensor(name, shape, number):
    """Values around 0, small enough for many inputs; around 1 where they multiply one."""
    n = int(np.prod(shape))
    v = ((np.arange(n) * 7919 + 101 * number) % 1009 - 504) / 504
    if len(shape) > 1:
        v *= np.sqrt(8 / (shape[0] + shape[1]) / np.prod(shape[2:]))
    else:
        v = v / 4 + name.endswith(("batchnorm1.weight", "running_var"))
    return v.astype("f4").reshape(shape)


def state(model, out):
    (tensors, _), = kfkd.blobs(model)
    made = {name: tensor(name, t.shape, i) for i, (name, t) in enumerate(tensors.items())
            if not name.startswith("history.")}
    counts = {name.replace("running_var", "num_batches_tracked"): np.array(5)
              for name in made if name.endswith("running_var")}
    save_file({**made, **counts}, out)


def run(command):
    subprocess.run(command, shell=True, check=True)


def numbers(number, what, values):
    print(number, what, *("%.8g" % v for v in values), sep="\t", flush=True)


def vectors(line, number):
    import torch
    import kfkd_layers
    import train_on

    run(f"kfkd-train -q -e 0 -n '{line}' -o model faces.kfkd")
    state("model", "state")
    (tensors, _), (_, meta) = *kfkd.blobs("state"), *kfkd.blobs("model")
    net, (rows, _) = kfkd_layers.net(tensors, meta), kfkd.stream("faces.kfkd")
    with torch.no_grad():
        p = net(torch.from_numpy(rows["X"][:SHOWN]))
    numbers(number, "p", p.flatten().tolist())
    for layer in net:
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0
    train_on.BATCH = BATCH
    numbers(number, "losses", *train_on.further(net, rows))


def main():
    lines = sys.stdin.read().splitlines()
    path = pathlib.Path(__file__).resolve()
    with tempfile.TemporaryDirectory() as where:
        os.chdir(where)
        run(f"'{sys.executable}' '{path}' faces | kfkd-load --size {SIDE}x{SIDE} |"
            " kfkd-scale -o faces.kfkd")
        for number, line in enumerate(lines, 1):
            vectors(line, number)


if __name__ == "__main__":
    {"faces": faces, "state": state}[sys.argv[1]](*sys.argv[2:]) if sys.argv[1:] else main()
