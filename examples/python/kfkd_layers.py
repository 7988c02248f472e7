"""A line of layers of kfkd as an nn.Sequential; kfkd-train(1) says what each does."""
import re
from collections import Counter, OrderedDict

import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Sequential):
    """A Sequential in which steps see what was saved before."""

    def forward(self, x):
        saved = []
        for layer in self:
            x = layer(x, saved) if isinstance(layer, Step) else layer(x)
        return x


class Step(nn.Module):
    """What PyTorch has no layer for: one of the functions below."""

    def __init__(self, function, *arguments):
        super().__init__()
        self.function, self.arguments = function, arguments

    def forward(self, x, saved):
        return self.function(x, saved, *self.arguments)


def image(x):
    """Units as channels of 1 x 1."""
    return x.reshape((*x.shape, 1, 1)[:4])


def save(x, saved):
    saved.append(x)
    return x


def swap(x, saved):
    """What was saved, on which the next convolution works."""
    x, saved[-1] = saved[-1], x
    return image(x)


def add(x, saved):
    return x + saved.pop().reshape(x.shape)


def upscale(x, saved, k):
    """Each value k x k times, and the last ones up to the size of what was saved."""
    x = x.repeat_interleave(k, 2).repeat_interleave(k, 3)
    more = [have - is_ if is_ < have < is_ + k else 0 for is_, have in
            zip(x.shape[2:], image(saved[-1]).shape[2:] if saved else (0, 0))]
    return F.pad(x, (0, more[1], 0, more[0]), "replicate") if any(more) else x


def positions(cells, pixels):
    """Where cells are in an image of so many pixels, which goes from -1 to 1."""
    return (2 * torch.arange(cells) + 1) / cells - 1 / pixels - 1


def softargmax(x, saved, h, w):
    """The mean x and y of each map."""
    share = x.flatten(2).softmax(2).reshape(x.shape)
    rows, columns = positions(x.shape[2], h).to(x), positions(x.shape[3], w).to(x)
    return torch.stack([share.sum(2) @ columns, share.sum(3) @ rows], 2).flatten(1)


PLAIN = {"relu": nn.ReLU, "leakyrelu": nn.LeakyReLU, "tanh": nn.Tanh,
         "sigmoid": nn.Sigmoid, "pool": lambda k: nn.MaxPool2d(int(k)),
         "avgpool": lambda k=None: nn.AvgPool2d(int(k)) if k else nn.AdaptiveAvgPool2d(1),
         "drop": lambda p: nn.Dropout(float(p))}
STEPS = {f.__name__: f for f in (save, swap, add, upscale, softargmax)}


def layers(tensors, meta):
    """The layers by their names; what the tensors tell, the line need not."""
    c, *size = map(int, meta["input"].split())
    words, found, count, flat = meta["net"].split(), OrderedDict(), Counter(), False

    def put(kind, layer):
        count[kind] += 1
        found[f"{kind}{count[kind]}"] = layer

    def parameters(kind):
        name = f"{kind}{count[kind] + 1}"
        return tensors[name + ".weight"].shape, name + ".bias" in tensors

    while words:
        kind, args = re.match("([a-z]+)(.*)", words.pop(0)).groups()
        pad, stride = (re.search(letter + r"(\d+)", args) for letter in "ps")
        if flat and kind in ("conv", "maps", "pool", "avgpool", "upscale", "softargmax"):
            put("unflatten", nn.Unflatten(1, (c, 1, 1)))
        if kind == "res":
            n = int(args or c)
            half = [f"conv{n}x3p1", "batchnorm", "relu"]
            words[:0] = ["save", *half, *half[:2], f"add{n}x1" if n != c else "add", "relu"]
        elif kind == "add" and args:
            words[:0] = ["swap", "conv" + args, "add"]
        elif kind in ("conv", "maps"):
            (c, before, k, _), bias = parameters("conv")
            put("conv", nn.Conv2d(before, c, k, int(stride[1]) if stride else 1,
                                  int(pad[1]) if pad else 0, bias=bias))
        elif kind == "dense":
            (c, before), bias = parameters("dense")
            put("flatten", nn.Flatten())
            put("dense", nn.Linear(before, c, bias=bias))
        elif kind == "batchnorm":
            put(kind, (nn.BatchNorm1d if flat else nn.BatchNorm2d)(c))
        elif kind in STEPS:
            more = size if kind == "softargmax" else [int(args)] if args else []
            put(kind, Step(STEPS[kind], *more))
        else:
            put(kind, PLAIN[kind](*[args] if args else []))
        if kind in ("conv", "maps", "pool", "avgpool", "upscale", "swap"):
            flat = False
        flat = flat or kind in ("dense", "softargmax")
    if not flat:
        put("flatten", nn.Flatten())
    return found


def net(tensors, meta):
    made = Net(layers(tensors, meta))
    counts = {name: v for name, v in made.state_dict().items()
              if name.endswith(".num_batches_tracked")}  # which kfkd has no use for
    made.load_state_dict(counts | {name: torch.tensor(t) for name, t in tensors.items()
                                   if not name.startswith(("history.", "run."))})
    made.meta = meta
    return made.eval()
