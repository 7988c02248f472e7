"""What predicting a .npy file of faces takes."""
import time

import numpy as np


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
