"""The quantised graph of all-MiniLM-L6-v2: int8 weights, activations in uint8 by token row.

- the embedding table in int8 with one scale a row;
- the weights of every dense layer in int8 with one scale an output channel;
- the activations that go into a dense layer in uint8 with one scale a token row, found at run
  time; the zero point is 128, or less after GELU, which never goes below -0.17.
Everything else stays float32.

A few channels of the normalised rows are always large, and would take the steps away from the
rest. Two things put that right, with the constants of `generated/balance.json`
(`calibrate.py` measures them):
- **centred**: a norm gives its rows less each channel's usual value, which moves into the biases
  of what reads them, and costs nothing at run time;
- **balanced**: before rows become uint8, each channel is divided by a constant, which is
  multiplied into the weights (SmoothQuant, arXiv 2211.10438).

Biases that do nothing where they stand are moved as well: one added to every key changes no
softmax, and one added to every value comes out of the attention as it went in, since its weights
sum to 1.
"""

import json
from pathlib import Path

import numpy as np

from onnx import helper

import encoder
from encoder import EPSILON, LAYERS, LORA_TARGETS
from graph import CONTRIB, FLOAT, UINT8

BALANCE = Path(__file__).with_name("generated") / "balance.json"

# What zero is in a uint8 row.
SIGNED, GELU = 128, 24
GELU_MINIMUM = 0.17
TINY = np.float32(1e-9)


def build(weights):
    """The model as ONNX bytes, with LoRA inputs."""
    return Quantised(weights).build()


def read_balance():
    """For each norm whose rows are quantised: what to take off each channel, and to divide it by."""
    document = json.loads(BALANCE.read_text(encoding="utf-8"))
    return {
        name: {what: np.array(values, np.float32) / np.float32(document["unit"]) for what, values in entry.items()}
        for name, entry in document["norms"].items()
    }


class Quantised(encoder.Encoder):
    def __init__(self, weights):
        super().__init__(weights)
        self.balance = read_balance()
        self.rows = {}

    def words(self, table):
        graph = self.graph
        values, scales = quantise_rows(table)
        graph.constant("words.values", values)
        graph.constant("words.scales", scales)
        graph.node("Gather", ["words.values", "input_ids"], "words.int8")
        graph.node("Cast", ["words.int8"], "words.float", to=FLOAT)
        graph.node("Gather", ["words.scales", "input_ids"], "words.scale")
        return graph.node("Mul", ["words.float", "words.scale"], "words")

    def norm(self, rows, source, output):
        gain = self.graph.constant(f"{output}.gain", self.weight(f"{source}.weight"))
        bias = self.graph.constant(f"{output}.bias", self.weight(f"{source}.bias") - self.centre(output))
        return self.graph.node("LayerNormalization", [rows, gain, bias], output, axis=-1, epsilon=EPSILON)

    def projection(self, hidden, source, name, part):
        graph = self.graph
        product = self.product(hidden, source, name)
        if part not in LORA_TARGETS:
            return product
        # An adapter reads the rows as they were before they were centred.
        centre = graph.constant(f"{hidden}.centre", self.centre(hidden)[np.newaxis])
        graph.node("MatMul", [centre, f"{name}.lora_a"], f"{name}.lora.centre")
        inner = graph.node("Gemm", [hidden, f"{name}.lora_a", f"{name}.lora.centre"], f"{name}.lora.inner")
        if part == "value":
            return graph.node("Gemm", [inner, f"{name}.lora_b", product], name)
        bias = graph.constant(f"{name}.bias", self.bias(source, hidden))
        added = graph.node("Gemm", [inner, f"{name}.lora_b", bias], f"{name}.lora")
        return graph.node("Add", [product, added], name)

    def attention_output(self, mixed, hidden, source, name):
        output = f"{source}.attention.output.dense"
        values = self.bias(f"{source}.attention.self.value", hidden)
        bias = self.bias(output, mixed) + times(values, self.matrix(output)) + self.centre(hidden)
        return self.biased(self.product(mixed, output, name), bias, name)

    def output(self, wide, attended, source, name):
        bias = self.bias(source, wide) + self.centre(attended)
        return self.biased(self.product(wide, source, name, GELU), bias, name)

    def gelu(self, rows, output):
        # Off by less than 0.0005, a small part of a step of uint8, and a quarter faster.
        return self.graph.node("Gelu", [rows], output, approximate="tanh")

    def dense(self, rows, source, name):
        return self.biased(self.product(rows, source, name), self.bias(source, rows), name)

    def biased(self, product, bias, name):
        return self.graph.node("Add", [product, self.graph.constant(f"{name}.bias", bias)], name)

    def bias(self, source, rows):
        """A layer's bias and what it lacks because its rows are centred."""
        if rows not in self.balance:
            return self.weight(f"{source}.bias")
        return self.weight(f"{source}.bias") + times(self.centre(rows), self.matrix(source))

    def centre(self, rows):
        found = self.balance.get(rows)
        return found["centre"] if found else np.zeros(encoder.HIDDEN, np.float32)

    def product(self, rows, source, name, zero_point=SIGNED):
        """rows x weights."""
        graph = self.graph
        matrix = self.matrix(source)
        if rows in self.balance:
            matrix = matrix * self.balance[rows]["divisor"][:, np.newaxis]
        values, channel_scales = quantise_columns(matrix)
        uint8, scales = self.quantised_rows(rows, zero_point)
        puts = [
            uint8,
            graph.constant(f"{name}.values", values),
            graph.constant("one", np.float32(1)),
            graph.constant(f"{name}.scales", channel_scales),
            graph.constant(f"zero_point.{zero_point}", np.uint8(zero_point)),
        ]
        graph.node("MatMulIntegerToFloat", puts, f"{name}.scaled", domain=CONTRIB)
        return graph.node("Mul", [f"{name}.scaled", scales], f"{name}.product")

    def quantised_rows(self, rows, zero_point):
        """uint8 rows and their scales [rows, 1], made once for all that read the same rows."""
        if rows not in self.rows:
            graph = self.graph
            even = self.balanced(rows)
            scale = self.gelu_scale(even) if zero_point == GELU else self.signed_scale(even)
            puts = [even, scale, self.zero_points(scale, zero_point)]
            uint8 = graph.node("QuantizeLinear", puts, f"{rows}.uint8", axis=0)
            self.rows[rows] = uint8, graph.node("Unsqueeze", [scale, self.last_axis()], f"{rows}.scales")
        return self.rows[rows]

    def balanced(self, rows):
        if rows not in self.balance:
            return rows
        factor = self.graph.constant(f"{rows}.factor", 1 / self.balance[rows]["divisor"])
        return self.graph.node("Mul", [rows, factor], f"{rows}.balanced")

    def signed_scale(self, rows):
        graph = self.graph
        graph.node("Abs", [rows], f"{rows}.abs")
        largest = graph.node("ReduceMax", [f"{rows}.abs", self.last_axis()], f"{rows}.max", keepdims=0)
        graph.node("Max", [largest, graph.constant("tiny", TINY)], f"{rows}.range")
        return graph.node("Div", [f"{rows}.range", graph.constant("steps.127", np.float32(127))], f"{rows}.scale")

    def gelu_scale(self, rows):
        graph = self.graph
        steps = graph.constant(f"steps.{255 - GELU}", np.float32(255 - GELU))
        smallest = graph.constant("gelu.scale", np.float32(GELU_MINIMUM / GELU))
        largest = graph.node("ReduceMax", [rows, self.last_axis()], f"{rows}.max", keepdims=0)
        graph.node("Div", [largest, steps], f"{rows}.step")
        return graph.node("Max", [f"{rows}.step", smallest], f"{rows}.scale")

    def last_axis(self):
        return self.graph.constant("axis.last", np.array([-1], np.int64))

    def zero_points(self, scale, zero_point):
        """The same zero point for each row, because QuantizeLinear wants as many as scales."""
        name = f"zero_points.{zero_point}"
        if name not in self.rows:
            value = helper.make_tensor("value", UINT8, [1], [zero_point])
            self.graph.node("Shape", [scale], f"{name}.shape")
            self.graph.node("ConstantOfShape", [f"{name}.shape"], name, value=value)
            self.rows[name] = name
        return name


def times(row, matrix):
    """row x matrix, added up in one order on every machine, which a library's product is not."""
    return (row.astype(np.float64)[:, np.newaxis] * matrix).sum(axis=0).astype(np.float32)


def quantise_rows(table):
    """int8 values and one float32 scale a row [rows, 1]."""
    scales = np.abs(table).max(axis=1, keepdims=True) / np.float32(127)
    return np.rint(table / scales).astype(np.int8), scales.astype(np.float32)


def quantise_columns(matrix):
    """int8 values and one float32 scale a column, which is an output channel."""
    scales = np.abs(matrix).max(axis=0) / np.float32(127)
    return np.rint(matrix / scales).astype(np.int8), scales.astype(np.float32)
