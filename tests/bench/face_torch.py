"""face_torch.py MODEL FACE: one face, from a cold start to the answer."""
import sys

import numpy as np
import torch

import nets

net = nets.load(sys.argv[1], torch.get_num_threads()).eval()
with torch.inference_mode():
    print(*net(torch.from_numpy(np.load(sys.argv[2])))[0].tolist())
