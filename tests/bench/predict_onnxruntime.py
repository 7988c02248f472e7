"""predict_onnxruntime.py MODEL.onnx FACES FOUND BATCH THREADS: as predict_torch.py."""
import sys
import time

import numpy as np
import onnxruntime

model, faces, found = sys.argv[1:4]
batch, threads = map(int, sys.argv[4:])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
net = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])


def predict(x):
    return np.concatenate([net.run(None, {"X": x[i:i + batch]})[0]
                           for i in range(0, len(x), batch)])


def read():
    return np.load(faces, mmap_mode="c")


predict(read()[:2 * batch])
start = time.perf_counter()
x = read()
p = predict(x)
both = time.perf_counter() - start
start = time.perf_counter()
predict(x)
print(both, time.perf_counter() - start)
np.save(found, p)
