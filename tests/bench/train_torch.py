"""train_torch.py MODEL FACES EPOCHS BATCH THREADS [bf16]

Trains from the weights of a model of kfkd on the rows, batches and rule of
kfkd-train, and prints for each epoch its seconds, train loss and validation
loss.  With bf16, PyTorch chooses what is computed in that.

The settings are the fastest of those tried on two cores with AVX-512.  An epoch
of net2 took 11.5 s with the fused update and denormals flushed, 8.6 s with
channels_last, 4.4 s with memory that malloc keeps (`python` beside this sets
that), 4.3 s with relu in place and large pages; 7.8 s with torch.compile on
channels_last and such memory.
"""
import sys
import time

import numpy as np
import torch
from safetensors.torch import load_file

import nets

model, faces = sys.argv[1:3]
epochs, batch, threads = map(int, sys.argv[3:6])
mixed = torch.autocast("cpu", torch.bfloat16, enabled="bf16" in sys.argv[6:])
net = nets.load(model, threads)
faces = load_file(faces)
order = np.arange(len(faces["X"]))
np.random.RandomState(42).shuffle(order)
x, y = (faces[name][order] for name in "Xy")
del faces
valid = -(-len(x) // 5)
rule = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True,
                       fused=True)
loss = torch.nn.MSELoss()


def batches(start, end):
    for i in range(start, end, batch):
        yield x[i:min(i + batch, end)], y[i:min(i + batch, end)]


def off_by(images, targets):
    with mixed:
        p = net(images)
    return loss(p.float(), targets)


def update(images, targets):
    rule.zero_grad()
    off = off_by(images, targets)
    off.backward()
    rule.step()
    return off.detach()


for _ in range(epochs):
    start = time.perf_counter()
    net.train()
    train = torch.stack([update(*b) for b in batches(valid, len(x))]).mean().item()
    net.eval()
    with torch.inference_mode():
        test = torch.stack([off_by(*b) for b in batches(0, valid)]).mean().item()
    print(time.perf_counter() - start, train, test, flush=True)
