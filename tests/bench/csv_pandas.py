"""Seconds that the tutorial's own code takes to load a CSV of faces."""
import sys
import time

import numpy as np
import pandas

start = time.perf_counter()
faces = pandas.read_csv(sys.argv[1])
faces["Image"] = faces["Image"].apply(lambda im: np.fromstring(im, sep=" "))
x = (np.vstack(faces["Image"].values) / 255.0).astype(np.float32)
y = faces[faces.columns[:-1]].values.astype(np.float32)
print(time.perf_counter() - start)
assert x.shape[1] == 9216 and len(y) == len(x)
