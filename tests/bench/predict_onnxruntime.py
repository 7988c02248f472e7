"""predict_onnxruntime.py MODEL.onnx FACES FOUND BATCH THREADS: as predict_torch.py."""
import sys

import numpy as np
import onnxruntime

import predicting

model, faces, found = sys.argv[1:4]
batch, threads = map(int, sys.argv[4:])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
net = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])


def predict(x):
    return np.concatenate([net.run(None, {"X": x[i:i + batch]})[0]
                           for i in range(0, len(x), batch)])


def read():
    return predicting.images(faces)


p = predicting.measure(read, predict, batch)
np.save(found, p)
