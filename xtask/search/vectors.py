"""The vectors of `cargo xtask bench search`: embeddings of many different texts.

    python xtask/search/vectors.py TEXTS COUNT --assets DIR --to FILE

TEXTS is a folder of tasks (`*/*.tsv`, a line of heads, then label, tab, text) or a file with a text
a line. Texts that are there twice count once; where COUNT is more, the halves of long ones follow.
Of a file so small that even this is not enough, vectors are made up near those that are there.
FILE gets float32, little-endian, 384 a vector, in an order that mixes the sources and is the same
each time. Needs models/ among the places for modules.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
from embedder import Embedder

MODEL = "models/minilm-l6-v2"
SEED = 384
# Words from which a text is worth halving.
LONG = 8
# Length of what is added to a vector of length 1 to make another up.
NOISE = 0.5


def distinct(texts):
    return list(dict.fromkeys(text for text in texts if text.strip()))


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def read(path):
    if path.is_file():
        return distinct(lines(path))
    rows = [row for file in sorted(path.glob("*/*.tsv")) for row in lines(file)[1:]]
    return distinct(row.split("\t", 1)[1] for row in rows if "\t" in row)


def halves(texts):
    for text in texts:
        words = text.split()
        if len(words) >= LONG:
            yield " ".join(words[: len(words) // 2])
            yield " ".join(words[len(words) // 2 :])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("texts", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--assets", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()

    texts = read(options.texts)
    if not texts:
        raise SystemExit(f"{options.texts} holds no texts")
    texts = distinct([*texts, *halves(texts)])[: options.count]
    vectors = Embedder(options.assets / MODEL).embed(texts)
    chance = np.random.default_rng(SEED)
    if len(vectors) < options.count:
        near = vectors[chance.integers(len(vectors), size=options.count)]
        noise = chance.standard_normal(near.shape, np.float32)
        near = near + NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
        vectors = near / np.linalg.norm(near, axis=1, keepdims=True)
    # A file that is there is whole.
    unfinished = options.to.with_suffix(".unfinished")
    vectors[chance.permutation(len(vectors))].astype("<f4").tofile(unfinished)
    unfinished.replace(options.to)


if __name__ == "__main__":
    main()
