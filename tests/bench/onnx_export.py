"""onnx_export.py MODEL OUT: a model of kfkd as ONNX, for any number of rows."""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import nets

ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid",
               "leakyrelu": "LeakyRelu"}
nodes, weights = [], []


def node(op, *inputs, **options):
    nodes.append(helper.make_node(op, list(inputs), [f"v{len(nodes)}"], **options))
    return nodes[-1].output[0]


def constant(array):
    array = np.ascontiguousarray(array)
    weights.append(numpy_helper.from_array(array, f"w{len(weights)}"))
    return weights[-1].name


def parameters(layer, *names):
    return [constant(getattr(layer, name).detach().numpy())
            for name in names if getattr(layer, name) is not None]


def soft_argmax(layer, x, cells):
    """Of square maps, as nets.SoftArgmax."""
    at = ((2 * np.arange(cells) + 1) / cells - 1 / layer.side - 1).astype(np.float32)
    grid = np.stack([np.tile(at, cells), np.repeat(at, cells)], 1)
    share = node("Softmax", node("Reshape", x, constant(np.array([0, 0, -1]))), axis=-1)
    return node("Flatten", node("MatMul", share, constant(grid)))


def apply(name, layer, x, shape):
    if isinstance(layer, nn.Conv2d):
        return node("Conv", x, *parameters(layer, "weight", "bias"),
                    pads=layer.padding * 2, strides=layer.stride)
    if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
        return node("BatchNormalization", x, epsilon=layer.eps, *parameters(
            layer, "weight", "bias", "running_mean", "running_var"))
    if isinstance(layer, nn.MaxPool2d):
        return node("MaxPool", x, kernel_shape=[layer.kernel_size] * 2,
                    strides=[layer.kernel_size] * 2)
    if isinstance(layer, nn.AvgPool2d):
        return node("AveragePool", x, kernel_shape=[layer.kernel_size] * 2,
                    strides=[layer.kernel_size] * 2)
    if isinstance(layer, nets.Upscale) and layer.size == [v * layer.k for v in shape[1:]]:
        scale = constant(np.array([1, 1, layer.k, layer.k], np.float32))
        return node("Resize", x, "", scale, mode="nearest",
                    coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    if isinstance(layer, nn.Linear):
        return node("Gemm", x, *parameters(layer, "weight", "bias"), transB=1)
    if isinstance(layer, nets.SoftArgmax):
        return soft_argmax(layer, x, shape[1])
    if isinstance(layer, nn.Dropout):
        return x
    raise TypeError(f"{name}: no ONNX for {layer}")


def export(net):
    x, saved = "X", []
    for (step, what), shape in zip(net.steps, net.shapes):
        if step == "layer":
            x = apply(what, net.layers[what], x, shape)
        elif step == "activation":
            x = node(ACTIVATIONS[what], x)
        elif step == "flatten":
            x = node("Flatten", x)
        elif step == "save":
            saved.append(x)
        else:
            other = saved.pop()
            x = node("Add", x, apply(what, net.layers[what], other, shape)
                     if what else other)
    return x


net = nets.load(sys.argv[1], 1)
last = export(net)
graph = helper.make_graph(
    nodes, "net",
    [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["n", 1, 96, 96])],
    [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["n", net.outputs])],
    weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
model.ir_version = 8
onnx.checker.check_model(model)
onnx.save(model, sys.argv[2])
