"""The graph of all-MiniLM-L6-v2 in float32, from its safetensors weights; `quantised.py` has the other.

Input: `input_ids` [b, s], token ids with the special tokens, WITHOUT padding: the texts of one
run have the same number of tokens. So there is no mask, the attention runs its fast path, and
an answer cannot depend on what it was batched with: no sum runs over another text's tokens.

Inputs besides: for each layer and for query and value, LoRA matrices
`layer.N.{query,value}.lora_a` [384, r] and `.lora_b` [r, 384]; their product is added to the
projection (a scale, where there is one, is multiplied into `lora_b` by the caller). r = 0 is
the base model.

Output: `embedding` [b, 384], the mean over the tokens, of length 1.
"""

import numpy as np

from onnx import helper

from graph import CONTRIB, FLOAT, INT32, INT64, Graph

HIDDEN, HEADS, LAYERS = 384, 12, 6
EPSILON = 1e-12
LORA_TARGETS = ("query", "value")


def lora_inputs():
    """Names of the LoRA inputs with their shapes; None stands for the rank."""
    for layer in range(LAYERS):
        for target in LORA_TARGETS:
            yield f"layer.{layer}.{target}.lora_a", (HIDDEN, None)
            yield f"layer.{layer}.{target}.lora_b", (None, HIDDEN)


def build(weights, lora=True, masked=False):
    """The model in float32 as ONNX bytes. `weights` maps the names of the safetensors file to arrays.

    `masked` adds an input `attention_mask` [b, s] and takes padded texts: what everybody else's
    exports do, made for comparison only.
    """
    return Encoder(weights, lora, masked).build()


class Encoder:
    def __init__(self, weights, lora=True, masked=False):
        self.weights = weights
        self.lora = lora
        self.masked = masked
        self.graph = Graph("minilm-l6-v2")

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

    def matrix(self, source):
        """The weights of a dense layer, [inputs, outputs]."""
        return np.ascontiguousarray(self.weight(f"{source}.weight").T)

    def embeddings(self):
        """[b, s] ids -> [b * s, 384] rows."""
        graph = self.graph
        self.words(self.weight("embeddings.word_embeddings.weight"))

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
            rows = self.projection(hidden, f"{source}.attention.self.{part}", f"{name}.{part}", part)
            heads.append(graph.node("Reshape", [rows, "shape.texts"], f"{name}.{part}.texts"))
        if self.masked:
            heads += ["", "mask"]
        graph.node("MultiHeadAttention", heads, f"{name}.mixed.texts", domain=CONTRIB, num_heads=HEADS)
        mixed = graph.node("Reshape", [f"{name}.mixed.texts", "shape.rows"], f"{name}.mixed")

        rows = self.attention_output(mixed, hidden, source, f"{name}.attention")
        rows = graph.node("Add", [rows, hidden], f"{name}.attention.sum")
        attended = self.norm(rows, f"{source}.attention.output.LayerNorm", f"{name}.attention.norm")

        rows = self.dense(attended, f"{source}.intermediate.dense", f"{name}.wide")
        wide = self.gelu(rows, f"{name}.gelu")
        rows = self.output(wide, attended, f"{source}.output.dense", f"{name}.narrow")
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

    # What a quantised graph does in its own way.

    def words(self, table):
        self.graph.constant("words.values", table)
        return self.graph.node("Gather", ["words.values", "input_ids"], "words")

    def norm(self, rows, source, output):
        gain = self.graph.constant(f"{output}.gain", self.weight(f"{source}.weight"))
        bias = self.graph.constant(f"{output}.bias", self.weight(f"{source}.bias"))
        return self.graph.node("LayerNormalization", [rows, gain, bias], output, axis=-1, epsilon=EPSILON)

    def projection(self, hidden, source, name, part):
        """Query, key or value of each row."""
        graph = self.graph
        if not (self.lora and part in LORA_TARGETS):
            return self.dense(hidden, source, name)
        product = self.product(hidden, source, name)
        bias = graph.constant(f"{name}.bias", self.weight(f"{source}.bias"))
        graph.node("MatMul", [hidden, f"{name}.lora_a"], f"{name}.lora.inner")
        added = graph.node("Gemm", [f"{name}.lora.inner", f"{name}.lora_b", bias], f"{name}.lora")
        return graph.node("Add", [product, added], name)

    def attention_output(self, mixed, _hidden, source, name):
        return self.dense(mixed, f"{source}.attention.output.dense", name)

    def output(self, wide, _attended, source, name):
        return self.dense(wide, source, name)

    def gelu(self, rows, output):
        return self.graph.node("Gelu", [rows], output)

    def product(self, rows, source, name):
        weights = self.graph.constant(f"{name}.weights", self.matrix(source))
        return self.graph.node("MatMul", [rows, weights], f"{name}.product")

    def dense(self, rows, source, name):
        bias = self.graph.constant(f"{name}.bias", self.weight(f"{source}.bias"))
        return self.graph.node("Add", [self.product(rows, source, name), bias], name)
