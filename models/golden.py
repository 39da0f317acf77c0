"""Writes the golden file that the suite compares workers with:

    python models/golden.py --base ASSETS/models/minilm-l6-v2 crates/inference/tests/worker/golden.json

For each text the token ids that the reference tokenizer gives (a digest where there are many),
and for some the embeddings, in int8 under one scale: `quantised` as our model gives it, `exact`
as float32 gives it. Run it after a change of the recipe, and look at what changed.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import digests
import encoder
import export
from embedder import Embedder

EMBEDDED = [
    "A delightful little film that trusts its audience and never raises its voice.",
    "Nothing in this overlong, humourless sequel explains why it had to be made.",
    "The train to the coast leaves at ten past six and does not wait for anybody.",
    "Déjà vu, naïve façade: ÅNGSTRÖM & co. — 3.14159 §",
    "oh",
]
TOKENIZED = [
    "東京 and 서울 are cities; 🙂 is not.",
    "tabs\tand\nnew lines \r\n and   spaces",
    "antidisestablishmentarianism floccinaucinihilipilification",
    "[CLS] is a word here, [SEP] too",
    "x" * 150,
    "The kettle was still warm when she came down. " * 60,
]
IDS_IN_FULL = 64


def eight_bits(vector):
    scale = np.abs(vector).max() / np.float32(127)
    return {"scale": float(scale), "values": [int(value) for value in np.rint(vector / scale)]}


def golden(base):
    ours = Embedder(base)
    exact = Embedder(base, encoder.build(export.load_weights()))
    entries = []
    for text in EMBEDDED + TOKENIZED:
        ids = ours.tokens([text])[0]
        entry = {"text": text, "tokens": len(ids)}
        if len(ids) <= IDS_IN_FULL:
            entry["ids"] = ids
        else:
            entry["ids_blake3"] = digests.of_bytes(np.array(ids, "<i8").tobytes())
        if text in EMBEDDED:
            entry["quantised"] = eight_bits(ours.embed([text])[0])
            entry["exact"] = eight_bits(exact.embed([text])[0])
        entries.append(entry)
    return {"model": digests.read_json(base / "manifest.json")["digest"], "texts": entries}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="folder of the finished base model")
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    document = golden(given.base)
    lines = [json.dumps(entry, ensure_ascii=False) for entry in document["texts"]]
    body = ",\n".join(lines)
    digests.write(given.out, f'{{"model": "{document["model"]}", "texts": [\n{body}\n]}}\n'.encode())


if __name__ == "__main__":
    main()
