"""face_onnxruntime.py MODEL.onnx FACE: one face, from a cold start to the answer."""
import sys

import numpy as np
import onnxruntime

net = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
print(*net.run(None, {"X": np.load(sys.argv[2])})[0][0])
