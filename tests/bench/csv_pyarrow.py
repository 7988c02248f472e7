"""Seconds that pyarrow takes to load a CSV of faces."""
import sys
import time

import numpy as np
import pyarrow
from pyarrow import compute, csv

start = time.perf_counter()
faces = csv.read_csv(sys.argv[1])
words = compute.list_flatten(compute.split_pattern(faces["Image"], " "))
x = compute.cast(words, pyarrow.uint8()).to_numpy().reshape(len(faces), -1)
x = x.astype(np.float32) / 255
y = np.stack([c.to_numpy() for c in faces.columns[:-1]], 1).astype(np.float32)
print(time.perf_counter() - start)
assert x.shape[1] == 9216 and len(y) == len(x)
