"""to_npy.py FACES OUT: the images of a safetensors file as .npy."""
import sys

import numpy as np
from safetensors.numpy import load_file

np.save(sys.argv[2], load_file(sys.argv[1])["X"])
