"""Runs the base model through ONNX Runtime the way a worker does, for training and tests."""

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from encoder import HIDDEN, lora_inputs
from export import MAX_TOKENS

# Tokens of one run; more gain nothing and leave the cache.
RUN_TOKENS = 256


class Embedder:
    def __init__(self, folder, model=None):
        """`folder` holds the finished model; `model` is another graph to run in its place."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model or folder / "model.onnx", options)
        wanted = {put.name for put in self.session.get_inputs()}
        self.base = {
            name: np.zeros([0 if side is None else side for side in shape], np.float32)
            for name, shape in lora_inputs()
            if name in wanted
        }
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)

    def tokens(self, texts):
        return [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]

    def embed(self, texts, lora=None):
        return self.run(self.tokens(texts), lora)

    def run(self, ids, lora=None):
        """[texts, 384] of token ids. Only texts of one length go together: there is no mask."""
        vectors = np.zeros((len(ids), HIDDEN), np.float32)
        for batch in batches(ids):
            puts = {"input_ids": np.array([ids[text] for text in batch], np.int64), **self.base, **(lora or {})}
            vectors[batch] = self.session.run(None, puts)[0]
        return vectors


def batches(ids):
    by_length = {}
    for text, tokens in enumerate(ids):
        by_length.setdefault(len(tokens), []).append(text)
    for length, texts in sorted(by_length.items()):
        step = max(1, RUN_TOKENS // length)
        for start in range(0, len(texts), step):
            yield texts[start : start + step]
