"""A line of layers of kfkd in PyTorch: parameters have the same names."""
import re

import torch
from torch import nn
from torch.nn import functional as F

ACTIVATIONS = {"relu": lambda x: F.relu(x, inplace=True), "tanh": torch.tanh,
               "sigmoid": torch.sigmoid, "leakyrelu": F.leaky_relu}
CONV = re.compile(r"(\d*)x(\d+)(?:p(\d+))?(?:s(\d+))?$")


class Upscale(nn.Module):
    """Each value k x k times, and the last ones as far as the size goes."""

    def __init__(self, k, size):
        super().__init__()
        self.k, self.size = k, size

    def forward(self, x):
        x = F.interpolate(x, scale_factor=self.k)
        more = [v - have for v, have in zip(self.size, x.shape[2:])]
        return F.pad(x, (0, more[1], 0, more[0]), "replicate") if any(more) else x


class SoftArgmax(nn.Module):
    """Expected positions of maps, as kfkd-train(1) scales them: x and y in turn."""

    def __init__(self, side):
        super().__init__()
        self.side = side

    def forward(self, maps):
        maps = maps.float()
        n, points, h, w = maps.shape
        share = maps.reshape(n, points, -1).softmax(-1).reshape(maps.shape)
        at = [(2 * torch.arange(cells, dtype=maps.dtype) + 1) / cells
              - 1 / self.side - 1 for cells in (w, h)]
        x, y = (share.sum(2) * at[0]).sum(-1), (share.sum(3) * at[1]).sum(-1)
        return torch.stack([x, y], -1).reshape(n, -1)


class Net(nn.Module):
    """index[name] is a layer's number in the net, as kfkd counts."""

    def __init__(self, line, side=96, outputs=30, channels=1):
        super().__init__()
        self.layers, self.counts, self.index = nn.ModuleDict(), {}, {}
        self.steps, self.shapes = [], []  # and the shape before each
        self.side, self.outputs = side, outputs
        self.saved, self.shape = [], (channels, side, side)
        words = line.split()
        for word, after in zip(words, words[1:] + [""]):
            self.add(word, after == "batchnorm")

    def step(self, kind, what):
        self.steps.append((kind, what))
        self.shapes.append(self.shape)

    def layer(self, kind, module):
        self.counts[kind] = self.counts.get(kind, 0) + 1
        name = f"{kind}{self.counts[kind]}"
        self.index[name] = len(self.index)
        self.layers[name], self.flat = module, isinstance(module, nn.Linear)
        return name

    def conv(self, shape, n, k, p=0, s=1, bias=True):
        name = self.layer("conv", nn.Conv2d(shape[0], n, k, s, p, bias=bias))
        size = [(v + 2 * p - k) // s + 1 for v in shape[1:]]
        return name, (n, *size)

    def apply_layer(self, name, shape):
        self.step("layer", name)
        self.shape = shape

    def normalize(self):
        made = (nn.BatchNorm1d if self.flat else nn.BatchNorm2d)(self.shape[0])
        self.apply_layer(self.layer("batchnorm", made), self.shape)

    def add_saved(self, args):
        shape, across = self.saved.pop(), None
        if args:
            n, k, p, s = (int(v or 0) for v in CONV.match(args).groups())
            across, shape = self.conv(shape, n, k, p, s or 1)
        self.layer("add", nn.Identity())
        self.step("add", across)

    def residual(self, n):
        before = self.shape[0]
        self.save()
        for i in range(2):
            self.apply_layer(*self.conv(self.shape, n, 3, 1, bias=False))
            self.normalize()
            if i == 0:
                self.step("activation", "relu")
        self.add_saved(f"{n}x1" if n != before else "")
        self.step("activation", "relu")

    def save(self):
        self.saved.append(self.shape)
        self.step("save", None)

    def add(self, word, normalized):
        kind, args = re.match(r"([a-z]+)(.*)$", word).groups()
        c, h, w = self.shape
        if kind in ACTIVATIONS:
            self.step("activation", kind)
        elif kind == "conv":
            n, k, p, s = (int(v or 0) for v in CONV.match(args).groups())
            self.apply_layer(*self.conv(self.shape, n, k, p, s or 1, not normalized))
        elif kind == "maps":
            self.apply_layer(*self.conv(self.shape, self.outputs // 2, 1))
        elif kind == "dense":
            n = int(args or self.outputs)
            self.step("flatten", None)
            dense = nn.Linear(c * h * w, n, bias=not normalized)
            self.apply_layer(self.layer("dense", dense), (n, 1, 1))
        elif kind in ("pool", "avgpool"):
            k = int(args or h)
            made = (nn.MaxPool2d if kind == "pool" else nn.AvgPool2d)(k)
            self.apply_layer(self.layer(kind, made), (c, h // k, w // k))
        elif kind == "upscale":
            k = int(args)
            size = [saved if v * k < saved < v * k + k else v * k for v, saved in
                    zip((h, w), self.saved[-1][1:] if self.saved else (0, 0))]
            self.apply_layer(self.layer(kind, Upscale(k, size)), (c, *size))
        elif kind == "drop":
            self.apply_layer(self.layer(kind, nn.Dropout(float(args))), self.shape)
        elif kind == "batchnorm":
            self.normalize()
        elif kind == "softargmax":
            self.apply_layer(self.layer(kind, SoftArgmax(self.side)), (2 * c, 1, 1))
        elif kind == "save":
            self.save()
        elif kind == "add":
            self.add_saved(args)
        elif kind == "res":
            self.residual(int(args or c))
        else:
            raise ValueError(word)

    def forward(self, x):
        saved = []
        for step, what in self.steps:
            if step == "layer":
                x = self.layers[what](x)
            elif step == "activation":
                x = ACTIVATIONS[what](x)
            elif step == "flatten":
                x = x.flatten(1)
            elif step == "save":
                saved.append(x)
            else:
                other = saved.pop()
                x = x + (self.layers[what](other) if what else other)
        return x


def load(path, threads):
    """A model of kfkd, with the layout that is fastest."""
    from safetensors import safe_open

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    with safe_open(path, "pt") as f:
        meta = f.metadata()
        channels, side, _ = map(int, meta["input"].split())
        net = Net(meta["net"], side, len(meta["columns"].split(",")), channels)
        state = {f"layers.{name}": f.get_tensor(name) for name in f.keys()
                 if not name.startswith("history.")}
    missing, more = net.load_state_dict(state, strict=False)
    assert not more and all(m.endswith("num_batches_tracked") for m in missing), missing
    return net.to(memory_format=torch.channels_last)
