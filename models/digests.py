"""BLAKE3 digests of files, and files that appear whole or not at all."""

import json
import os
from pathlib import Path

from blake3 import blake3


def of_bytes(data):
    return blake3(data).hexdigest()


def of_file(path):
    """The digest of a file, or None where there is none."""
    try:
        return of_bytes(Path(path).read_bytes())
    except FileNotFoundError:
        return None


def write(path, data):
    """Writes beside the file first, so that whoever reads finds the old file or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(data)
    os.replace(beside, path)


def write_json(path, value):
    write(path, (json.dumps(value, indent=2) + "\n").encode())


def read_json(path):
    """The value in a JSON file, or None where the file is missing or is not JSON."""
    try:
        return json.loads(Path(path).read_text())
    except (FileNotFoundError, ValueError):
        return None


def is_complete(folder, manifest):
    """Whether `folder` holds exactly what `manifest` says, manifest included."""
    folder = Path(folder)
    if read_json(folder / "manifest.json") != manifest:
        return False
    return all(of_file(folder / name) == digest for name, digest in manifest["files"].items())
