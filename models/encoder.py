"""The graph of all-MiniLM-L6-v2, in float32 or quantised, from its safetensors weights.

Input: `input_ids` [b, s], token ids with the special tokens, WITHOUT padding: the texts of one
run have the same number of tokens. So there is no mask, the attention runs its fast path, and
an answer cannot depend on what it was batched with: no sum runs over another text's tokens.

Inputs besides: for each layer and for query and value, LoRA matrices
`layer.N.{query,value}.lora_a` [384, r] and `.lora_b` [r, 384]; their product is added to the
projection (a scale, where there is one, is multiplied into `lora_b` by the caller). r = 0 is
the base model.

Output: `embedding` [b, 384], the mean over the tokens, of length 1.

Quantised (`quantised=True`) means
- the embedding table in int8 with one scale a row;
- the weights of every dense layer in int8 with one scale an output channel;
- the activations that go into a dense layer in uint8 with one scale a token row, found at run
  time. The zero point is 128 where values have both signs, less after GELU, which never goes
  below -0.17, and each row's own for query, key and value, whose rows lean to one side.
Everything else stays float32.
"""

import numpy as np

from onnx import helper

from graph import CONTRIB, FLOAT, INT32, INT64, UINT8, Graph

HIDDEN, HEADS, LAYERS = 384, 12, 6
EPSILON = 1e-12
LORA_TARGETS = ("query", "value")

# How a row of activations becomes uint8.
SYMMETRIC, SHIFTED, GELU = "symmetric", "shifted", "gelu"
ZERO_POINTS = {SYMMETRIC: 128, SHIFTED: 128, GELU: 24}
GELU_MINIMUM = 0.17
TINY = np.float32(1e-9)


def lora_inputs():
    """Names of the LoRA inputs with their shapes; None stands for the rank."""
    for layer in range(LAYERS):
        for target in LORA_TARGETS:
            yield f"layer.{layer}.{target}.lora_a", (HIDDEN, None)
            yield f"layer.{layer}.{target}.lora_b", (None, HIDDEN)


def build(weights, quantised, lora=True, masked=False):
    """The model as ONNX bytes. `weights` maps the names of the safetensors file to arrays.

    `masked` adds an input `attention_mask` [b, s] and takes padded texts: what everybody else's
    exports do, made for comparison only.
    """
    return _Encoder(weights, quantised, lora, masked).build()


class _Encoder:
    def __init__(self, weights, quantised, lora, masked=False):
        self.masked = masked
        self.weights = weights
        self.quantised = quantised
        self.lora = lora
        self.graph = Graph("minilm-l6-v2")
        self.rows = {}

    def build(self):
        graph = self.graph
        graph.input("input_ids", INT64, ["b", "s"])
        if self.masked:
            graph.input("attention_mask", INT64, ["b", "s"])
            graph.node("Cast", ["attention_mask"], "mask", to=INT32)
        if self.lora:
            for name, shape in lora_inputs():
                graph.input(name, FLOAT, ["r" if side is None else side for side in shape])
        graph.constant("shape.rows", np.array([-1, HIDDEN], np.int64))

        hidden = self.embeddings()
        for layer in range(LAYERS):
            hidden = self.layer(hidden, layer)
        self.pool(hidden)
        graph.output("embedding", FLOAT, ["b", HIDDEN])
        return graph.finish()

    def weight(self, name):
        return self.weights[name].astype(np.float32)

    def embeddings(self):
        """[b, s] ids -> [b * s, 384] rows."""
        graph = self.graph
        table = self.weight("embeddings.word_embeddings.weight")
        if self.quantised:
            values, scales = quantise_rows(table)
            graph.constant("words.values", values)
            graph.constant("words.scales", scales)
            graph.node("Gather", ["words.values", "input_ids"], "words.int8")
            graph.node("Cast", ["words.int8"], "words.float", to=FLOAT)
            graph.node("Gather", ["words.scales", "input_ids"], "words.scale")
            graph.node("Mul", ["words.float", "words.scale"], "words")
        else:
            graph.constant("words.values", table)
            graph.node("Gather", ["words.values", "input_ids"], "words")

        # Every token is of the first segment: its type embedding is part of the position's.
        positions = self.weight("embeddings.position_embeddings.weight")
        kinds = self.weight("embeddings.token_type_embeddings.weight")
        graph.constant("positions", positions + kinds[0])
        graph.constant("zero", np.array([0], np.int64))
        graph.constant("width", np.array([HIDDEN], np.int64))
        graph.node("Shape", ["input_ids"], "shape")
        graph.node("Shape", ["input_ids"], "length", start=1, end=2)
        graph.node("Concat", ["shape", "width"], "shape.texts", axis=0)
        graph.node("Slice", ["positions", "zero", "length", "zero"], "positions.used")
        graph.node("Add", ["words", "positions.used"], "embeddings")
        rows = graph.node("Reshape", ["embeddings", "shape.rows"], "embeddings.rows")
        return self.norm(rows, "embeddings.LayerNorm", "embeddings.norm")

    def layer(self, hidden, layer):
        graph = self.graph
        source, name = f"encoder.layer.{layer}", f"layer.{layer}"
        heads = []
        for part in ("query", "key", "value"):
            lora = self.lora and part in LORA_TARGETS
            rows = self.dense(hidden, f"{source}.attention.self.{part}", f"{name}.{part}", lora=lora, kind=SHIFTED)
            heads.append(graph.node("Reshape", [rows, "shape.texts"], f"{name}.{part}.texts"))
        if self.masked:
            heads += ["", "mask"]
        graph.node("MultiHeadAttention", heads, f"{name}.mixed.texts", domain=CONTRIB, num_heads=HEADS)
        mixed = graph.node("Reshape", [f"{name}.mixed.texts", "shape.rows"], f"{name}.mixed")

        rows = self.dense(mixed, f"{source}.attention.output.dense", f"{name}.attention")
        rows = graph.node("Add", [rows, hidden], f"{name}.attention.sum")
        attended = self.norm(rows, f"{source}.attention.output.LayerNorm", f"{name}.attention.norm")

        rows = self.dense(attended, f"{source}.intermediate.dense", f"{name}.wide", bias=False)
        bias = graph.constant(f"{name}.wide.bias", self.weight(f"{source}.intermediate.dense.bias"))
        wide = graph.node("BiasGelu", [rows, bias], f"{name}.gelu", domain=CONTRIB)
        rows = self.dense(wide, f"{source}.output.dense", f"{name}.narrow", kind=GELU)
        rows = graph.node("Add", [rows, attended], f"{name}.sum")
        return self.norm(rows, f"{source}.output.LayerNorm", f"{name}.norm")

    def pool(self, hidden):
        """[b * s, 384] rows -> [b, 384], the sum over the tokens brought to length 1."""
        graph = self.graph
        graph.node("Reshape", [hidden, "shape.texts"], "hidden")
        if self.masked:
            graph.node("Cast", ["attention_mask"], "weights", to=FLOAT)
            graph.constant("axis.middle", np.array([1], np.int64))
            graph.node("Unsqueeze", ["weights", "axis.middle"], "ones")
        else:
            # A product with ones sums every text by itself; the reductions of ONNX Runtime add
            # in another order when there is one text than when there are several.
            single = graph.constant("single", np.array([1], np.int64))
            graph.node("Concat", [single, "length"], "shape.ones", axis=0)
            ones = helper.make_tensor("value", FLOAT, [1], [1.0])
            graph.node("ConstantOfShape", ["shape.ones"], "ones", value=ones)
        graph.node("MatMul", ["ones", "hidden"], "sums")
        graph.node("Squeeze", ["sums", graph.constant("axis.tokens", np.array([1], np.int64))], "sum")
        graph.node("LpNormalization", ["sum"], "embedding", axis=-1, p=2)

    def norm(self, rows, source, output):
        gain = self.graph.constant(f"{output}.gain", self.weight(f"{source}.weight"))
        bias = self.graph.constant(f"{output}.bias", self.weight(f"{source}.bias"))
        return self.graph.node("LayerNormalization", [rows, gain, bias], output, axis=-1, epsilon=EPSILON)

    def dense(self, rows, source, name, bias=True, lora=False, kind=SYMMETRIC):
        """rows x weights (+ rows x lora_a x lora_b) (+ bias)."""
        graph = self.graph
        matrix = np.ascontiguousarray(self.weight(f"{source}.weight").T)
        added = graph.constant(f"{name}.bias", self.weight(f"{source}.bias")) if bias else None
        if not self.quantised:
            product = graph.node("MatMul", [rows, graph.constant(f"{name}.weights", matrix)], f"{name}.product")
        else:
            uint8, scales, shift = self.quantised_rows(rows, kind)
            values, channel_scales = quantise_columns(matrix)
            product = self.quantised_product(uint8, scales, values, channel_scales, kind, name)
            if shift:
                # What the integer product lacks where a row's zero point is not the constant.
                sums = values.sum(axis=0, dtype=np.int32).astype(np.float32) * channel_scales
                graph.constant(f"{name}.sums", sums[np.newaxis])
                added = graph.node("Gemm", [shift, f"{name}.sums", added], f"{name}.shifted")
        if lora:
            graph.node("MatMul", [rows, f"{name}.lora_a"], f"{name}.lora.inner")
            added = graph.node("Gemm", [f"{name}.lora.inner", f"{name}.lora_b", added], f"{name}.lora")
        return graph.node("Add", [product, added], name) if added else product

    def quantised_product(self, uint8, scales, values, channel_scales, kind, name):
        graph = self.graph
        zero_point = ZERO_POINTS[kind]
        puts = [
            uint8,
            graph.constant(f"{name}.values", values),
            graph.constant("one", np.float32(1)),
            graph.constant(f"{name}.scales", channel_scales),
            graph.constant(f"zero_point.{zero_point}", np.uint8(zero_point)),
        ]
        graph.node("MatMulIntegerToFloat", puts, f"{name}.scaled", domain=CONTRIB)
        return graph.node("Mul", [f"{name}.scaled", scales], f"{name}.product")

    def quantised_rows(self, rows, kind):
        """uint8 rows, their scales [rows, 1] and, for shifted ones, what zero stands for [rows, 1].

        Made once for all that read the same rows.
        """
        if rows not in self.rows:
            make = {SYMMETRIC: self.symmetric_rows, GELU: self.gelu_rows, SHIFTED: self.shifted_rows}[kind]
            scale, zero_points, shift = make(rows)
            graph = self.graph
            uint8 = graph.node("QuantizeLinear", [rows, scale, zero_points], f"{rows}.uint8", axis=0)
            scales = graph.node("Unsqueeze", [scale, self.last_axis()], f"{rows}.scales")
            self.rows[rows] = (uint8, scales, shift)
        return self.rows[rows]

    def symmetric_rows(self, rows):
        graph = self.graph
        graph.node("Abs", [rows], f"{rows}.abs")
        largest = graph.node("ReduceMax", [f"{rows}.abs", self.last_axis()], f"{rows}.max", keepdims=0)
        graph.node("Max", [largest, graph.constant("tiny", TINY)], f"{rows}.range")
        scale = graph.node("Div", [f"{rows}.range", graph.constant("steps.127", np.float32(127))], f"{rows}.scale")
        return scale, self.zero_points(scale, ZERO_POINTS[SYMMETRIC]), None

    def gelu_rows(self, rows):
        graph = self.graph
        zero_point = ZERO_POINTS[GELU]
        steps = graph.constant(f"steps.{255 - zero_point}", np.float32(255 - zero_point))
        smallest = graph.constant("gelu.scale", np.float32(GELU_MINIMUM / zero_point))
        largest = graph.node("ReduceMax", [rows, self.last_axis()], f"{rows}.max", keepdims=0)
        graph.node("Div", [largest, steps], f"{rows}.step")
        scale = graph.node("Max", [f"{rows}.step", smallest], f"{rows}.scale")
        return scale, self.zero_points(scale, zero_point), None

    def shifted_rows(self, rows):
        graph = self.graph
        largest = graph.node("ReduceMax", [rows, self.last_axis()], f"{rows}.max", keepdims=0)
        smallest = graph.node("ReduceMin", [rows, self.last_axis()], f"{rows}.min", keepdims=0)
        graph.node("Sub", [largest, smallest], f"{rows}.span")
        graph.node("Max", [f"{rows}.span", graph.constant("tiny", TINY)], f"{rows}.range")
        scale = graph.node("Div", [f"{rows}.range", graph.constant("steps.255", np.float32(255))], f"{rows}.scale")
        graph.node("Div", [smallest, scale], f"{rows}.low")
        graph.node("Round", [f"{rows}.low"], f"{rows}.low.whole")
        graph.node("Neg", [f"{rows}.low.whole"], f"{rows}.zero")
        byte = [graph.constant("byte.min", np.float32(0)), graph.constant("byte.max", np.float32(255))]
        graph.node("Clip", [f"{rows}.zero", *byte], f"{rows}.zero.byte")
        zero_points = graph.node("Cast", [f"{rows}.zero.byte"], f"{rows}.zero_points", to=UINT8)
        middle = graph.constant("middle", np.float32(ZERO_POINTS[SHIFTED]))
        graph.node("Sub", [middle, f"{rows}.zero.byte"], f"{rows}.off")
        graph.node("Mul", [f"{rows}.off", scale], f"{rows}.offset")
        shift = graph.node("Unsqueeze", [f"{rows}.offset", self.last_axis()], f"{rows}.shift")
        return scale, zero_points, shift

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


def quantise_rows(table):
    """int8 values and one float32 scale a row [rows, 1]."""
    scales = np.abs(table).max(axis=1, keepdims=True) / np.float32(127)
    return np.rint(table / scales).astype(np.int8), scales.astype(np.float32)


def quantise_columns(matrix):
    """int8 values and one float32 scale a column, which is an output channel."""
    scales = np.abs(matrix).max(axis=0) / np.float32(127)
    return np.rint(matrix / scales).astype(np.int8), scales.astype(np.float32)
