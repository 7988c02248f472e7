"""predict_torch.py MODEL FACES FOUND BATCH THREADS

Predicts the faces of a safetensors file and writes .npy.  Prints the seconds of
reading and predicting, then those of predicting alone; starting, the model and
a first batch are done before.
"""
import sys

import numpy as np
import torch

import nets
import predicting

model, faces, found = sys.argv[1:4]
batch, threads = map(int, sys.argv[4:])
net = nets.load(model, threads).eval()


def predict(x):
    return torch.cat([net(b) for b in x.split(batch)])


def read():
    return torch.from_numpy(predicting.images(faces))


with torch.inference_mode():
    p = predicting.measure(read, predict, batch)
np.save(found, p.numpy())
