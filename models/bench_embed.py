"""The rival of `cargo xtask bench embed`: stock ONNX Runtime with the same weights in float32.

    python models/bench_embed.py SENTENCES

SENTENCES has one text a line; they are taken over and over until there are 2000. One thread, all
optimisations; 32 texts a batch, sorted by length, padded and masked, as embedding libraries do
it. Tokenizing is part of the time, as it is for the worker, and padding does not count as
tokens. Prints one JSON document: `{"tokens_per_second", "tokens", "texts", "version"}`.
"""

import argparse
import itertools
import json
import time
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from encoder import build
from export import MAX_TOKENS, load_weights, source

SECONDS = 3.0
TEXTS = 2000
BATCH = 32


def one_pass(session, tokenizer, texts):
    """Embeds all texts and gives the number of their tokens."""
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    lengths = np.array([len(tokens) for tokens in ids])
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        input_ids = np.zeros((len(batch), lengths[batch].max()), np.int64)
        mask = np.zeros_like(input_ids)
        for row, text in enumerate(batch):
            input_ids[row, : lengths[text]] = ids[text]
            mask[row, : lengths[text]] = 1
        session.run(None, {"input_ids": input_ids, "attention_mask": mask})
    return int(lengths.sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path)
    given = parser.parse_args()
    lines = [line for line in given.sentences.read_text(encoding="utf-8").splitlines() if line.strip()]
    texts = list(itertools.islice(itertools.cycle(lines), TEXTS))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    model = build(load_weights(), lora=False, masked=True)
    session = onnxruntime.InferenceSession(model, options)
    tokenizer = Tokenizer.from_file(str(source() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    tokens = one_pass(session, tokenizer, texts)
    passes, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        one_pass(session, tokenizer, texts)
        passes += 1
    speed = passes * tokens / (time.perf_counter() - started)
    print(
        json.dumps(
            {"tokens_per_second": speed, "tokens": tokens, "texts": TEXTS, "version": onnxruntime.__version__}
        )
    )


if __name__ == "__main__":
    main()
