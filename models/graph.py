"""A small ONNX graph writer whose output depends on nothing but what it was told.

The names, the order of the nodes, the opset and the producer are fixed, the constants are
sorted by name, and the protobuf is written deterministically: the same weights give the same
bytes on every machine.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 21
CONTRIB = "com.microsoft"
IR_VERSION = 10
PRODUCER = "p2p-agent"


class Graph:
    """Collects nodes, constants and inputs; `finish` makes the model of them."""

    def __init__(self, name):
        self.name = name
        self.nodes = []
        self.constants = {}
        self.inputs = []
        self.outputs = []

    def input(self, name, kind, shape):
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name, kind, shape):
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def constant(self, name, value):
        """A tensor of the model. Saying the same name twice is fine with the same value."""
        array = np.ascontiguousarray(value) if np.ndim(value) else np.asarray(value)
        known = self.constants.setdefault(name, array)
        if known is not array and not (known.dtype == array.dtype and np.array_equal(known, array)):
            raise ValueError(f"two values for the constant {name}")
        return name

    def node(self, op, inputs, output, domain="", **attributes):
        """Adds one operation with one output and returns the output's name."""
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def finish(self):
        """The model as protobuf bytes."""
        constants = [numpy_helper.from_array(array, name) for name, array in sorted(self.constants.items())]
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, constants)
        model = helper.make_model(
            graph,
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)],
            producer_name=PRODUCER,
            producer_version="1",
        )
        onnx.checker.check_model(model)
        return model.SerializeToString(deterministic=True)


FLOAT, INT32, INT64, UINT8 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64, TensorProto.UINT8
