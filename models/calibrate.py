"""Measures the normalised rows of the float32 model and writes `generated/balance.json`:

    python models/calibrate.py --tokenizer ASSETS/models/minilm-l6-v2

For each norm whose rows are quantised: each channel's mean over the tokens of
`bench/sentences.txt` (`centre`), and what to divide it by so that no channel takes the steps of
the others (`divisor`: its spread over the root mean square of the weights that read it, each
under a root). Whole numbers, in `unit`-ths, so that the model made of them is the same
everywhere. Part of the recipe: raise `RECIPE` in `export.py` and pin anew after a change.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

import digests
import encoder
import export
import quantised
from embedder import Embedder, batches
from graph import FLOAT

UNIT = 256
SENTENCES = Path(__file__).with_name("bench") / "sentences.txt"


def readers():
    """Norms whose rows are quantised, and the layers that read them."""
    for layer in range(encoder.LAYERS):
        source = f"encoder.layer.{layer}"
        before = f"layer.{layer - 1}.norm" if layer else "embeddings.norm"
        yield before, [f"{source}.attention.self.{part}" for part in ("query", "key", "value")]
        yield f"layer.{layer}.attention.norm", [f"{source}.intermediate.dense"]


def rows_of(names, weights, tokenizer):
    """What each norm gives for the tokens of the sentences."""
    model = onnx.load_from_string(encoder.build(weights, lora=False))
    model.graph.output.extend(helper.make_tensor_value_info(name, FLOAT, None) for name in names)
    embedder = Embedder(tokenizer, model.SerializeToString())
    ids = embedder.tokens(SENTENCES.read_text(encoding="utf-8").splitlines())
    found = [
        embedder.session.run(names, {"input_ids": np.array([ids[text] for text in batch], np.int64)})
        for batch in batches(ids)
    ]
    return [np.concatenate(rows) for rows in zip(*found)]


def balance(rows, matrices):
    """`centre` and `divisor` of each channel."""
    weights = np.sqrt(np.mean([(matrix.astype(np.float64) ** 2).mean(axis=0) for matrix in matrices], axis=0))
    divisor = np.sqrt(rows.std(axis=0, dtype=np.float64) / weights)
    return rows.mean(axis=0, dtype=np.float64), divisor / np.exp(np.log(divisor).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder that holds tokenizer.json")
    given = parser.parse_args()
    weights = export.load_weights()
    norms = dict(readers())
    norms_found = []
    for name, rows in zip(norms, rows_of(list(norms), weights, given.tokenizer)):
        centre, divisor = balance(rows, [weights[f"{source}.weight"] for source in norms[name]])
        entry = {
            "centre": [int(value) for value in np.rint(centre * UNIT)],
            "divisor": [max(1, int(value)) for value in np.rint(divisor * UNIT)],
        }
        norms_found.append(f"{json.dumps(name)}: {json.dumps(entry)}")
    lines = ",\n".join(norms_found)
    digests.write(quantised.BALANCE, f'{{"unit": {UNIT}, "norms": {{\n{lines}\n}}}}\n'.encode())


if __name__ == "__main__":
    main()
