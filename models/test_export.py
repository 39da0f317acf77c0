"""Tests of the recipe: `python -m unittest` in this folder, with models/train.txt installed.

The finished model is found through `P2P_AGENT_ASSETS`, or made in a temporary folder. Tests on
real sentences need the shared data beside the repository and say aloud when they skip.
"""

import os
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

import build
import digests
import encoder
import export
import train_head
from embedder import Embedder, batches

REPOSITORY = Path(__file__).resolve().parent.parent
TASKS = REPOSITORY.parent / "shared/data/tasks"
SENTENCES = 200


def setUpModule():
    global MADE, BASE, EXACT
    MADE = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(MADE.cleanup)
    given = os.environ.get("P2P_AGENT_ASSETS")
    folder = Path(given) / "models" / export.NAME if given else Path(MADE.name) / "base"
    export.export(folder)
    BASE = Embedder(folder)
    EXACT = Embedder(folder, encoder.build(export.load_weights()))


def sentences(task):
    """The first 200 sentences of a task's dev split."""
    path = TASKS / task / "dev.tsv"
    if not path.exists():
        print(f"SKIPPED: {path} is missing", file=sys.stderr)
        raise unittest.SkipTest(f"{path} is missing")
    lines = path.read_text(encoding="utf-8").split("\n")[1:]
    return [line.split("\t", 1)[1] for line in lines if line][:SENTENCES]


def own_sentences():
    return Path(__file__).with_name("bench").joinpath("sentences.txt").read_text(encoding="utf-8").splitlines()


def eight_bits(vectors):
    return np.rint(vectors / (np.abs(vectors).max(axis=1, keepdims=True) / 127))


class Export(unittest.TestCase):
    def test_the_same_weights_give_the_committed_bytes(self):
        constants = digests.read_json(export.CONSTANTS)
        made = export.make()
        self.assertEqual(made["digest"], constants["digest"])
        found = {name: digests.of_bytes(content) for name, content in made["contents"].items()}
        self.assertEqual(found, constants["files"])

    def test_other_weights_are_refused(self):
        with self.assertRaises(export.WrongDigest):
            export.check("the weights", "00", "11")

    def test_a_damaged_file_is_made_again_and_a_whole_one_left_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertTrue(export.export(folder))
            self.assertFalse(export.export(folder))
            model = Path(folder) / "model.onnx"
            model.write_bytes(model.read_bytes()[:-1])
            self.assertTrue(export.export(folder))
            self.assertFalse(export.export(folder))

    def test_the_head_fits_the_base(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertTrue(build.place_head(Path(folder)))
            self.assertFalse(build.place_head(Path(folder)))


class Answers(unittest.TestCase):
    def compare(self, texts):
        cosines = (BASE.embed(texts) * EXACT.embed(texts)).sum(axis=1)
        self.assertGreaterEqual(cosines.mean(), 0.995)
        self.assertGreaterEqual(cosines.min(), 0.99)

    def test_close_to_float32_on_our_sentences(self):
        self.compare(own_sentences())

    def test_close_to_float32_on_real_sentences(self):
        for task in ("sentiment", "news-topic", "banking-intent", "assistant-intent", "emotion", "spam"):
            with self.subTest(task):
                self.compare(sentences(task))

    def test_independent_of_the_batch(self):
        texts = own_sentences()
        together = BASE.embed(texts)
        alone = np.concatenate([BASE.embed([text]) for text in texts])
        self.assertGreaterEqual((eight_bits(together) == eight_bits(alone)).all(axis=1).mean(), 0.99)

    def test_only_equal_lengths_go_together(self):
        ids = BASE.tokens(own_sentences())
        seen = []
        for batch in batches(ids):
            self.assertEqual(len({len(ids[text]) for text in batch}), 1)
            seen += batch
        self.assertEqual(sorted(seen), list(range(len(ids))))

    def test_lora_matrices_change_the_answer_as_in_float32(self):
        chance = np.random.default_rng(7)
        zero, lora = {}, {}
        for name, shape in encoder.lora_inputs():
            size = [4 if side is None else side for side in shape]
            lora[name] = chance.normal(0, 0.05, size).astype(np.float32)
            zero[name] = np.zeros(size, np.float32)
        texts = own_sentences()[:20]
        base = BASE.embed(texts)
        # An adapter of zeros is the base.
        self.assertGreater((base * BASE.embed(texts, zero)).sum(axis=1).min(), 0.9999)
        adapted = BASE.embed(texts, lora)
        self.assertLess((base * adapted).sum(axis=1).max(), 0.999)
        self.assertGreater((adapted * EXACT.embed(texts, lora)).sum(axis=1).min(), 0.99)


class Head(unittest.TestCase):
    def test_gradients_match_finite_differences(self):
        chance = np.random.default_rng(3)
        head = {
            "hidden.weight": chance.normal(size=(5, 4)),
            "hidden.bias": chance.normal(size=5),
            "labels.weight": chance.normal(size=(2, 5)),
            "labels.bias": chance.normal(size=2),
        }
        vectors, labels = chance.normal(size=(7, 4)), chance.integers(0, 2, 7)

        def loss():
            _, chances = train_head.forward(head, vectors)
            return -np.log(chances[np.arange(len(labels)), labels]).mean()

        for name, gradient in train_head.backward(head, vectors, labels).items():
            for place in np.ndindex(gradient.shape):
                kept, step = head[name][place], 1e-6
                head[name][place] = kept + step
                above = loss()
                head[name][place] = kept - step
                below = loss()
                head[name][place] = kept
                self.assertAlmostEqual(gradient[place], (above - below) / (2 * step), places=6, msg=name)


if __name__ == "__main__":
    unittest.main()
