"""Puts the ONNX Runtime library of the installed Python package where the binaries look for it."""

import importlib.metadata
import importlib.util
import sys
from pathlib import Path

import digests

# What the package calls the library on each system, and what we call it.
LIBRARIES = {
    "linux": ("libonnxruntime.so.[0-9]*", "libonnxruntime.so"),
    "darwin": ("libonnxruntime.[0-9]*.dylib", "libonnxruntime.dylib"),
    "win32": ("onnxruntime.dll", "onnxruntime.dll"),
}


def place(out):
    """Fills `out`. True when something had to be written."""
    pattern, name = LIBRARIES[sys.platform]
    library = find(pattern)
    content = library.read_bytes()
    manifest = {
        "name": "onnxruntime",
        "version": importlib.metadata.version("onnxruntime"),
        "files": {name: digests.of_bytes(content)},
    }
    if digests.is_complete(out, manifest):
        return False
    digests.write(Path(out) / name, content)
    digests.write_json(Path(out) / "manifest.json", manifest)
    return True


def find(pattern):
    # Found without running the package, which would want all that it depends on.
    spec = importlib.util.find_spec("onnxruntime")
    found = sorted((Path(spec.origin).parent / "capi").glob(pattern)) if spec else []
    if len(found) != 1:
        raise SystemExit(
            "The ONNX Runtime library is missing - the Python package onnxruntime holds it - "
            "install models/export.txt: pip install --no-deps -r models/export.txt"
        )
    return found[0]
