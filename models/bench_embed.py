"""The rival of `cargo xtask bench embed`: stock ONNX Runtime with the same weights in float32.

    python models/bench_embed.py SENTENCES

SENTENCES has one text a line. One thread, all optimisations, sorted by length, padded and
masked, as embedding libraries do it: 32 texts a batch, and then batches of 256 tokens as our
worker makes them; the faster of the two counts. Prints one JSON document:
`{"tokens_per_second", "tokens", "texts", "version", "batching"}`. Tokens are real ones: padding
is not counted. Tokenizing is part of the time, as it is for the worker.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from encoder import build
from export import MAX_TOKENS, load_weights, source

SECONDS = 3.0


def by_texts(lengths, size=32):
    order = np.argsort(lengths, kind="stable")
    return [order[start : start + size] for start in range(0, len(order), size)]


def by_tokens(lengths, size=256):
    batches = []
    for text in np.argsort(lengths, kind="stable"):
        if batches and (len(batches[-1]) + 1) * lengths[text] <= size:
            batches[-1].append(text)
        else:
            batches.append([text])
    return batches


def measure(session, tokenizer, texts, batching):
    def run():
        ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
        lengths = np.array([len(tokens) for tokens in ids])
        for batch in batching(lengths):
            width = lengths[batch].max()
            input_ids = np.zeros((len(batch), width), np.int64)
            mask = np.zeros((len(batch), width), np.int64)
            for row, text in enumerate(batch):
                input_ids[row, : lengths[text]] = ids[text]
                mask[row, : lengths[text]] = 1
            session.run(None, {"input_ids": input_ids, "attention_mask": mask})
        return int(lengths.sum())

    tokens = run()
    passes, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        run()
        passes += 1
    return tokens, passes * tokens / (time.perf_counter() - started)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path)
    given = parser.parse_args()
    texts = [line for line in given.sentences.read_text(encoding="utf-8").splitlines() if line.strip()]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    model = build(load_weights(), quantised=False, lora=False, masked=True)
    session = onnxruntime.InferenceSession(model, options)
    tokenizer = Tokenizer.from_file(str(source() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    best = {}
    for name, batching in (("32 texts", by_texts), ("256 tokens", by_tokens)):
        tokens, speed = measure(session, tokenizer, texts, batching)
        if speed > best.get("tokens_per_second", 0):
            best = {"tokens_per_second": speed, "tokens": tokens, "batching": name}
    print(json.dumps({**best, "texts": len(texts), "version": onnxruntime.__version__}))


if __name__ == "__main__":
    main()
