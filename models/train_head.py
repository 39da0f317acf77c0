"""Trains the sentiment head on the frozen, quantised base model.

    python models/train_head.py --base ASSETS/models/minilm-l6-v2 --data TASKS/sentiment

`--data` holds `train.tsv` and `dev.tsv`: a header, then label<TAB>text. Writes
`models/sentiment-head/{head.safetensors,manifest.json}`, which are committed.

The head is a hidden layer with tanh and a layer of one value a label, over the embedding of
length 1. How long it trains and how strongly its weights are held back is chosen on a tenth of
the training data that is kept aside; `dev.tsv` is looked at once, at the end, and must come to
at least 0.80.
"""

import argparse
import os
import sys
from pathlib import Path

# One thread: the order of additions, and so the result, does not depend on the machine's cores.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np

import digests
import export

OUT = Path(__file__).with_name("sentiment-head")
LABELS = ["negative", "positive"]
FLOOR = 0.80
SEED = 20261120
HIDDEN = 64
EPOCHS = 60
BATCH = 64
DECAYS = (0.01, 0.03, 0.1, 0.3)


def read(path):
    """Label numbers and texts of a TSV file."""
    rows = [line.split("\t", 1) for line in path.read_text(encoding="utf-8").split("\n")[1:] if line]
    return np.array([LABELS.index(label) for label, _ in rows]), [text for _, text in rows]


def train(vectors, labels, decay, epochs, held=None):
    """AdamW on cross entropy. Returns the weights and the accuracy on `held` after each epoch."""
    chance = np.random.default_rng(SEED)
    inputs = vectors.shape[1]
    # The coordinates of a vector of length 1 are small: the scale brings them to about 1.
    head = {
        "hidden.weight": chance.normal(0, 1, (HIDDEN, inputs)),
        "hidden.bias": np.zeros(HIDDEN),
        "labels.weight": chance.normal(0, 1 / np.sqrt(HIDDEN), (len(LABELS), HIDDEN)),
        "labels.bias": np.zeros(len(LABELS)),
    }
    moments = {name: (np.zeros_like(value), np.zeros_like(value)) for name, value in head.items()}
    accuracies, step, steps = [], 0, epochs * -(-len(labels) // BATCH)
    for _ in range(epochs):
        order = chance.permutation(len(labels))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            gradients = backward(head, vectors[rows], labels[rows])
            step += 1
            rate = 3e-3 * (1 - step / (steps + 1))
            for name, gradient in gradients.items():
                first, second = moments[name]
                first += 0.1 * (gradient - first)
                second += 0.001 * (gradient * gradient - second)
                change = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
                if name.endswith("weight"):
                    change = change + decay * head[name]
                head[name] -= rate * change
        if held is not None:
            accuracies.append(accuracy(head, *held))
    return head, accuracies


def forward(head, vectors):
    hidden = np.tanh(vectors @ head["hidden.weight"].T + head["hidden.bias"])
    scores = hidden @ head["labels.weight"].T + head["labels.bias"]
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return hidden, scores / scores.sum(axis=1, keepdims=True)


def backward(head, vectors, labels):
    hidden, wrong = forward(head, vectors)
    wrong = wrong.copy()
    wrong[np.arange(len(labels)), labels] -= 1
    wrong /= len(labels)
    inner = wrong @ head["labels.weight"] * (1 - hidden * hidden)
    return {
        "hidden.weight": inner.T @ vectors,
        "hidden.bias": inner.sum(axis=0),
        "labels.weight": wrong.T @ hidden,
        "labels.bias": wrong.sum(axis=0),
    }


def accuracy(head, vectors, labels):
    return float((forward(head, vectors)[1].argmax(axis=1) == labels).mean())


def choose(vectors, labels):
    """The decay and the number of epochs that do best on the tenth kept aside."""
    order = np.random.default_rng(SEED + 1).permutation(len(labels))
    aside, rest = order[: len(order) // 10], order[len(order) // 10 :]
    best = (0.0, None, None)
    for decay in DECAYS:
        for epochs in (5, 10, 20, 40):
            _, accuracies = train(vectors[rest], labels[rest], decay, epochs, (vectors[aside], labels[aside]))
            print(f"decay {decay}, {epochs} epochs: {accuracies[-1]:.4f} on the tenth kept aside", flush=True)
            best = max(best, (accuracies[-1], decay, epochs))
    return best[1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="folder of the finished base model")
    parser.add_argument("--data", type=Path, required=True, help="folder with train.tsv and dev.tsv")
    given = parser.parse_args()
    if not given.data.is_dir():
        print(f"SKIPPED: {given.data} is missing, so there is nothing to train on")
        return

    from safetensors.numpy import save

    from embedder import Embedder

    embedder = Embedder(given.base)
    (labels, texts), (dev_labels, dev_texts) = read(given.data / "train.tsv"), read(given.data / "dev.tsv")
    print(f"embedding {len(texts)} + {len(dev_texts)} texts", flush=True)
    vectors, dev_vectors = embedder.embed(texts), embedder.embed(dev_texts)
    decay, epochs = choose(vectors, labels)
    head, _ = train(vectors, labels, decay, epochs)
    head = {name: value.astype(np.float32) for name, value in head.items()}
    reached = accuracy(head, dev_vectors, dev_labels)
    print(f"decay {decay}, {epochs} epochs: {reached:.4f} on dev")
    if reached < FLOOR:
        sys.exit(f"The head reaches {reached:.4f} on dev, less than {FLOOR} - nothing was written")

    content = save(head)
    files = {"head.safetensors": digests.of_bytes(content)}
    base = digests.read_json(given.base / "manifest.json")["digest"]
    manifest = {
        "name": OUT.name,
        "digest": digests.of_bytes(f"p2p-agent head {OUT.name}\nbase {base}\n{files['head.safetensors']}".encode()),
        "base": base,
        "files": files,
        "labels": LABELS,
        "dev_accuracy": round(reached, 4),
        "recipe": "models/train_head.py",
        "seed": SEED,
    }
    digests.write(OUT / "head.safetensors", content)
    digests.write_json(OUT / "manifest.json", manifest)


if __name__ == "__main__":
    main()
