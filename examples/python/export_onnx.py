"""export_onnx.py MODEL OUT

Writes a model of kfkd as ONNX: from images X (n, channels, height, width), scaled as
kfkd-scale does, to outputs p (n, columns), for any n.  The model's metadata comes along.
"""
import sys

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import kfkd
import kfkd_layers

OPERATIONS = {nn.ReLU: "Relu", nn.LeakyReLU: "LeakyRelu", nn.Tanh: "Tanh",
              nn.Sigmoid: "Sigmoid", nn.Flatten: "Flatten"}


class Graph:
    """The nodes so far; `at` is the name of the last one's result."""

    def __init__(self):
        self.nodes, self.constants, self.saved, self.at = [], [], [], "X"

    def constant(self, array):
        self.constants.append(numpy_helper.from_array(
            np.ascontiguousarray(array), f"constant{len(self.constants)}"))
        return self.constants[-1].name

    def node(self, operation, *inputs, **options):
        """What works on the last result, and on these."""
        self.nodes.append(helper.make_node(operation, [self.at, *inputs],
                                           [f"value{len(self.nodes)}"], **options))
        self.at = self.nodes[-1].output[0]

    def parameters(self, layer, *names):
        return [self.constant(getattr(layer, name).detach().numpy())
                for name in names if getattr(layer, name) is not None]

    def reshape(self, *shape):
        self.node("Reshape", self.constant(np.array(shape)))

    def layer(self, layer, x, y):
        """A layer that makes y of x, of which only the shapes matter."""
        if isinstance(layer, kfkd_layers.Step):
            return getattr(self, layer.function.__name__)(x, y, *layer.arguments)
        if type(layer) in OPERATIONS:
            return self.node(OPERATIONS[type(layer)])
        if isinstance(layer, nn.Conv2d):
            return self.node("Conv", *self.parameters(layer, "weight", "bias"),
                             pads=layer.padding * 2, strides=layer.stride)
        if isinstance(layer, nn.Linear):
            return self.node("Gemm", *self.parameters(layer, "weight", "bias"), transB=1)
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            return self.node("BatchNormalization", epsilon=layer.eps, *self.parameters(
                layer, "weight", "bias", "running_mean", "running_var"))
        if isinstance(layer, (nn.MaxPool2d, nn.AvgPool2d)):
            k = [layer.kernel_size] * 2
            kind = "MaxPool" if isinstance(layer, nn.MaxPool2d) else "AveragePool"
            return self.node(kind, kernel_shape=k, strides=k)
        if isinstance(layer, nn.AdaptiveAvgPool2d):
            return self.node("GlobalAveragePool")
        if isinstance(layer, nn.Unflatten):
            return self.reshape(0, -1, 1, 1)
        if not isinstance(layer, nn.Dropout):
            raise TypeError(f"there is no ONNX for {layer}")

    # the steps of kfkd_layers.py

    def save(self, x, y):
        self.saved.append(self.at)

    def swap(self, x, y):
        self.at, self.saved[-1] = self.saved[-1], self.at
        self.reshape(0, -1, *y.shape[2:])

    def add(self, x, y):
        here, self.at = self.at, self.saved.pop()
        self.reshape(0, *y.shape[1:])
        self.node("Add", here)

    def upscale(self, x, y, k):
        self.node("Resize", "", self.constant(np.array([1, 1, k, k], "f4")),
                  mode="nearest", coordinate_transformation_mode="asymmetric",
                  nearest_mode="floor")
        more = [is_ - k * was for was, is_ in zip(x.shape[2:], y.shape[2:])]
        if any(more):
            self.node("Pad", self.constant(np.array([0] * 6 + more)), mode="edge")

    def softargmax(self, x, y, *size):
        rows, columns = (kfkd_layers.positions(cells, pixels).numpy()
                         for cells, pixels in zip(x.shape[2:], size))
        grid = np.stack([np.tile(columns, len(rows)), np.repeat(rows, len(columns))], 1)
        self.reshape(0, 0, -1)
        self.node("Softmax", axis=-1)
        self.node("MatMul", self.constant(grid.astype("f4")))
        self.node("Flatten")


def export(net):
    graph = Graph()
    shape = [int(n) for n in net.meta["input"].split()]
    x, saved = torch.zeros(1, *shape), []
    with torch.no_grad():
        for layer in net:
            y = layer(x, saved) if isinstance(layer, kfkd_layers.Step) else layer(x)
            graph.layer(layer, x, y)
            x = y
    graph.node("Identity")
    graph.nodes[-1].output[0] = "p"
    model = helper.make_model(helper.make_graph(
        graph.nodes, "kfkd",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["n", *shape])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", x.shape[1]])],
        graph.constants), opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8  # what goes with that set of operations
    helper.set_model_props(model, net.meta)
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    onnx.save(export(kfkd.model(sys.argv[1])), sys.argv[2])
