"""train_sklearn.py FACES EPOCHS BATCH

The seconds of each epoch of net1 in scikit-learn: the same batches and rule,
and a prediction of the rows that validate.
"""
import sys
import time

import numpy as np
from safetensors.numpy import load_file
from sklearn.neural_network import MLPRegressor

faces = load_file(sys.argv[1])
epochs, batch = map(int, sys.argv[2:])
x, y = faces["X"].reshape(len(faces["X"]), -1), faces["y"]
valid = -(-len(x) // 5)
net = MLPRegressor(hidden_layer_sizes=(100,), solver="sgd", alpha=0, batch_size=batch,
                   learning_rate_init=0.01, momentum=0.9, nesterovs_momentum=True,
                   shuffle=False, early_stopping=False)
for _ in range(epochs):
    start = time.perf_counter()
    net.partial_fit(x[valid:], y[valid:])
    np.mean((net.predict(x[:valid]) - y[:valid]) ** 2)
    print(time.perf_counter() - start, flush=True)
