"""onnx_export.py MODEL OUT: a model of kfkd as ONNX, for any number of rows."""
import sys

import onnx
from onnx import TensorProto, helper, numpy_helper

import layers

nodes, weights = [], []


def add(op, inputs=(), **options):
    """A node behind the last one."""
    before = nodes[-1].output[0] if nodes else "X"
    nodes.append(helper.make_node(op, [before, *inputs], [f"v{len(nodes)}"], **options))


def constants(*arrays):
    for array in arrays:
        weights.append(numpy_helper.from_array(array, f"w{len(weights)}"))
        yield weights[-1].name


flat = False
for kind, value, bias in layers.read(sys.argv[1]):
    if kind == "conv":
        add("Conv", constants(value, bias))
    elif kind == "pool":
        add("MaxPool", kernel_shape=[int(value)] * 2, strides=[int(value)] * 2)
    elif kind == "relu":
        add("Relu")
    elif kind == "dense":
        if not flat:
            add("Flatten")
            flat = True
        add("Gemm", constants(value, bias), transB=1)
graph = helper.make_graph(
    nodes, "net",
    [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["n", 1, 96, 96])],
    [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, ["n", 30])],
    weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
model.ir_version = 8
onnx.checker.check_model(model)
onnx.save(model, sys.argv[2])
