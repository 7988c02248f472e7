"""train_on.py MODEL FACES EPOCHS OUT

Trains a model of kfkd further in PyTorch, on the stream FACES: with the rows, the batches
and the rule of kfkd-train --init MODEL, and so to the same losses, which it prints as
kfkd-stat --history does.  Augmentation and dropout would draw other random numbers.

OUT gets the weights.  With the same layers, kfkd-train makes a model of them:

    kfkd-train --net 'dense100 relu dense' --init OUT --epochs 0 FACES > NEW
"""
import sys

import numpy as np
import torch
from safetensors.torch import save_file

import kfkd

BATCH = 128


def batches(tensors, rows):
    for at in range(0, len(rows), BATCH):
        yield [torch.from_numpy(tensors[name][rows[at:at + BATCH]]) for name in "Xy"]


def loss(outputs, targets):
    """The mean squared error of the targets that are there."""
    there = ~targets.isnan()
    return (outputs[there] - targets[there]).square().mean()


def epoch(net, tensors, rows, rule=None):
    """The mean of the batches' losses, before the rule changes the weights."""
    net.train(rule is not None)
    losses = []
    with torch.set_grad_enabled(rule is not None):
        for images, targets in batches(tensors, rows):
            losses.append(loss(net(images), targets))
            if rule:
                rule.zero_grad()
                losses[-1].backward()
                rule.step()
    return torch.stack(losses).mean().item()


def further(net, tensors, epochs=1):
    """The losses of each epoch, in training and in validation."""
    order = np.arange(len(tensors["id"]))
    np.random.RandomState(42).shuffle(order)
    valid, train = np.split(order, [-(-len(order) // 5)])
    rule = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    for _ in range(epochs):
        yield epoch(net, tensors, train, rule), epoch(net, tensors, valid)


def main(model, faces, epochs, out):
    net, (tensors, _) = kfkd.model(model), kfkd.stream(faces)
    print("epoch", "train_loss", "valid_loss", sep="\t")
    for i, losses in enumerate(further(net, tensors, int(epochs)), 1):
        print(i, *losses, sep="\t", flush=True)
    save_file(net.state_dict(), out)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
