"""Reference losses of a net with branches in double precision, ten epochs of Nesterov.

Writes hourglass.tsv: rule, epoch, train loss, valid loss.  Data and initial weights are
those of net1.py; the net is PyTorch's, with its batch norm and its gradients, and the
layers are those of hourglass.txt.

    python3 hourglass.py < hourglass.txt > hourglass.tsv
"""
import pathlib
import sys

import numpy as np
import torch

from net1 import SIDE, TARGETS, data, glorot

sys.path.append(str(pathlib.Path(__file__).parent.parent / "bench"))
from nets import Net  # noqa: E402

ROWS, BATCH, EPOCHS, RATE = 160, 48, 10, 0.003


def start(line):
    net = Net(line, SIDE, TARGETS).double()
    with torch.no_grad():
        for name, layer in net.layers.items():
            if hasattr(layer, "weight") and layer.weight.dim() > 1:
                layer.weight[:] = torch.tensor(glorot(net.index[name],
                                                      *layer.weight.shape))
            if getattr(layer, "bias", None) is not None:
                layer.bias[:] = 0
    return net


def masked(p, t):
    there = ~t.isnan()
    return torch.where(there, p - t.nan_to_num(), 0).square().sum() / there.sum()


def main():
    x, t, n_valid = data(ROWS)
    x, t = torch.tensor(x).reshape(-1, 1, SIDE, SIDE), torch.tensor(t)
    net = start(sys.stdin.read())
    rule = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9, nesterov=True)
    for epoch in range(1, EPOCHS + 1):
        train, valid = [], []
        net.train()
        for at in range(n_valid, ROWS, BATCH):
            rule.zero_grad()
            loss = masked(net(x[at:at + BATCH]), t[at:at + BATCH])
            loss.backward()
            rule.step()
            train.append(loss.item())
        net.eval()
        with torch.no_grad():
            for at in range(0, n_valid, BATCH):
                end = min(at + BATCH, n_valid)
                valid.append(masked(net(x[at:end]), t[at:end]).item())
        print("nesterov\t%d\t%.9g\t%.9g" % (epoch, np.mean(train), np.mean(valid)),
              flush=True)


if __name__ == "__main__":
    main()
