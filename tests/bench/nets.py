"""A model of kfkd in PyTorch: the same layers and the same weights."""
import torch
from torch import nn

import layers


def module(kind, value, bias):
    if kind == "conv":
        made = nn.Conv2d(value.shape[1], value.shape[0], value.shape[2:])
    elif kind == "dense":
        made = nn.Linear(value.shape[1], value.shape[0])
    elif kind == "pool":
        return nn.MaxPool2d(int(value))
    elif kind == "drop":
        return nn.Dropout(value)
    else:
        return nn.ReLU(inplace=True)
    made.load_state_dict({"weight": torch.tensor(value), "bias": torch.tensor(bias)})
    return made


def load(path, threads):
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    made = [module(*layer) for layer in layers.read(path)]
    dense = next(i for i, m in enumerate(made) if isinstance(m, nn.Linear))
    made.insert(dense, nn.Flatten())
    return nn.Sequential(*made).to(memory_format=torch.channels_last)
