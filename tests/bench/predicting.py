"""What predicting the faces of a safetensors file takes."""
import json
import time

import numpy as np


def images(path):
    """The images of the file where they lie in it, mapped and unchecked."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        x = json.loads(file.read(size))["X"]
    return np.memmap(path, "<f4", "c", 8 + size + x["data_offsets"][0],
                     tuple(x["shape"]))


def measure(read, predict, batch):
    """Prints the seconds of reading and predicting, then those of predicting alone,
    after a first batch; returns what is predicted."""
    predict(read()[:2 * batch])
    start = time.perf_counter()
    x = read()
    p = predict(x)
    both = time.perf_counter() - start
    start = time.perf_counter()
    predict(x)
    print(both, time.perf_counter() - start)
    return p
