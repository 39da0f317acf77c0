"""Fills the folder of assets with all that a worker needs: `python models/build.py --assets DIR`.

    DIR/runtime/libonnxruntime.so (.dylib, .dll elsewhere)
    DIR/models/minilm-l6-v2/{model.onnx,tokenizer.json,manifest.json}
    DIR/models/sentiment-head/{head.safetensors,manifest.json}

What stands there already, with the right digests, is left alone. One line of progress a step.
"""

import argparse
import sys
import time
from pathlib import Path

import digests
import export
import runtime

HEAD = Path(__file__).with_name("sentiment-head")


def place_head(out):
    """Copies the committed head. True when something had to be written."""
    manifest = digests.read_json(HEAD / "manifest.json")
    base = digests.read_json(export.CONSTANTS)["digest"]
    if manifest["base"] != base:
        raise export.WrongDigest(
            f"the sentiment head was trained on the base {manifest['base']}, this is {base} - "
            "the base model changed - train the head anew: models/train_head.py"
        )
    if digests.is_complete(out, manifest):
        return False
    for name, digest in manifest["files"].items():
        export.check(name, digests.of_file(HEAD / name), digest)
        digests.write(out / name, (HEAD / name).read_bytes())
    digests.write_json(out / "manifest.json", manifest)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=Path, required=True)
    assets = parser.parse_args().assets
    steps = [
        ("ONNX Runtime library", runtime.place, assets / "runtime"),
        ("base model minilm-l6-v2", export.export, assets / "models" / export.NAME),
        ("sentiment head", place_head, assets / "models" / HEAD.name),
    ]
    for number, (what, make, out) in enumerate(steps, 1):
        print(f"[{number}/{len(steps)}] {what} ...", flush=True)
        started = time.monotonic()
        try:
            written = make(out)
        except export.WrongDigest as problem:
            sys.exit(str(problem))
        outcome = f"written in {time.monotonic() - started:.1f} s" if written else "is there already"
        print(f"[{number}/{len(steps)}] {what}: {outcome}", flush=True)


if __name__ == "__main__":
    main()
