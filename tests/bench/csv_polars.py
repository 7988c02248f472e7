"""Seconds that polars takes to load a CSV of faces.

Of six ways to take the images apart this was the fastest: lists of bytes,
evaluated in streaming.
"""
import sys
import time

import numpy as np
import polars

start = time.perf_counter()
pixels = polars.col("Image").str.split(" ").list.eval(
    polars.element().cast(polars.UInt8))
faces = polars.scan_csv(sys.argv[1]).with_columns(pixels).collect(engine="streaming")
x = faces["Image"].list.explode().to_numpy().reshape(len(faces), -1)
x = x.astype(np.float32) / 255
y = faces.drop("Image").to_numpy().astype(np.float32)
print(time.perf_counter() - start)
assert x.shape[1] == 9216 and len(y) == len(x)
