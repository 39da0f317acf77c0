#!/usr/bin/env python3
"""Makes every icon of the app from p2p-agent.svg. Run `python3 icons/build.py` after a change to it;
`--check` fails when what is committed differs. Needs nothing but Python.

The drawing holds circles, rounded rectangles and arcs of circles only. Each has an exact distance function,
so a pixel's coverage is computed, not sampled, and the files come out the same everywhere.
"""

import json
import math
import re
import struct
import sys
import xml.etree.ElementTree as xml
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "p2p-agent.svg"
UI = HERE.parent / "ui"
GRID = 64
STATES = ["working", "waiting", "paused", "offline"]
TRAY_SIZE = 44
SVG = "{http://www.w3.org/2000/svg}"


def main():
    groups = read(SOURCE)
    mark = {size: png(draw(groups["mark"], size), size) for size in (16, 32, 48, 64, 128, 256, 512, 1024)}
    files = {
        HERE / "app" / "32x32.png": mark[32],
        HERE / "app" / "128x128.png": mark[128],
        HERE / "app" / "128x128@2x.png": mark[256],
        HERE / "app" / "icon.png": mark[512],
        HERE / "app" / "icon.ico": ico({size: mark[size] for size in (16, 32, 48, 256)}),
        HERE / "app" / "icon.icns": icns(mark),
        UI / "public" / "icon.svg": favicon(groups["mark"]).encode(),
        UI / "src" / "parts" / "generated" / "shapes.ts": typescript(groups).encode(),
    }
    for state in STATES:
        files[HERE / "tray" / f"{state}.png"] = png(draw(groups[state], TRAY_SIZE), TRAY_SIZE)

    if "--check" in sys.argv[1:]:
        stale = [str(path.relative_to(HERE.parent)) for path, data in files.items() if not same(path, data)]
        if stale:
            sys.exit("made from another drawing: " + ", ".join(stale) + "; run python3 icons/build.py")
        return
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def same(path, data):
    """Whether a file says the same. Compressors differ between systems, so pictures are compared by pixels,
    and the two containers, which hold nothing but these pictures, by being there."""
    if not path.exists():
        return False
    if path.suffix == ".png":
        return pixels(path.read_bytes()) == pixels(data)
    return path.suffix in (".ico", ".icns") or path.read_bytes() == data


def pixels(data):
    """The rows of a PNG that `png` wrote: header, one IDAT, end."""
    length = struct.unpack(">I", data[33:37])[0]
    return data[16:33], zlib.decompress(data[41 : 41 + length])


def read(path):
    groups = {}
    for group in xml.parse(path).getroot().iter(SVG + "g"):
        groups[group.get("id")] = [(child.tag.removeprefix(SVG), dict(child.attrib)) for child in group]
    return groups


# Distance from a point to a shape's edge, negative inside, in units of the grid.


def distance(tag, attributes):
    number = lambda name, default=0.0: float(attributes.get(name, default))
    half = number("stroke-width") / 2
    if tag == "circle":
        cx, cy, r = number("cx"), number("cy"), number("r")
        if half:
            return lambda x, y: abs(math.hypot(x - cx, y - cy) - r) - half
        return lambda x, y: math.hypot(x - cx, y - cy) - r
    if tag == "rect":
        return rectangle(number("x"), number("y"), number("width"), number("height"), number("rx"))
    if tag == "path":
        return arc(attributes["d"], half)
    raise SystemExit(f"build.py draws no <{tag}>")


def rectangle(left, top, width, height, rx):
    cx, cy = left + width / 2, top + height / 2

    def at(x, y):
        dx, dy = abs(x - cx) - width / 2 + rx, abs(y - cy) - height / 2 + rx
        return math.hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - rx

    return at


def arc(d, half):
    """`M x y A r r 0 0 1 x y` around the middle of the grid, drawn clockwise, with flat ends."""
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", d)]
    (x0, y0), r, (x1, y1) = numbers[0:2], numbers[2], numbers[7:9]
    middle = GRID / 2
    start, end = math.atan2(y0 - middle, x0 - middle), math.atan2(y1 - middle, x1 - middle)
    sweep = (end - start) % math.tau
    half_sweep, bisector = sweep / 2, start + sweep / 2

    def at(x, y):
        dx, dy = x - middle, y - middle
        ring = abs(math.hypot(dx, dy) - r) - half
        # The angle from the arc's own middle, and how far beyond the flat end the point lies.
        off = abs((math.atan2(dy, dx) - bisector + math.pi) % math.tau - math.pi)
        return max(ring, math.hypot(dx, dy) * math.sin(min(off - half_sweep, math.pi / 2)))

    return at


def draw(shapes, size):
    """RGBA bytes, colours not multiplied by alpha."""
    pixels = [[0.0, 0.0, 0.0, 0.0] for _ in range(size * size)]
    step = GRID / size
    for tag, attributes in shapes:
        at = distance(tag, attributes)
        stroke = attributes.get("stroke")
        colour = [int((stroke or attributes["fill"])[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        for row in range(size):
            for column in range(size):
                coverage = 0.5 - at((column + 0.5) * step, (row + 0.5) * step) / step
                if coverage <= 0:
                    continue
                over(pixels[row * size + column], colour, min(coverage, 1.0))
    return bytes(round(channel * 255) for pixel in pixels for channel in pixel)


def over(pixel, colour, alpha):
    below = pixel[3] * (1 - alpha)
    total = alpha + below
    for channel in range(3):
        pixel[channel] = (colour[channel] * alpha + pixel[channel] * below) / total
    pixel[3] = total


# Files.


def png(rgba, size):
    rows = b"".join(b"\0" + rgba[row * size * 4 : (row + 1) * size * 4] for row in range(size))
    chunk = lambda kind, data: (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    )
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    )


def ico(images):
    offset = 6 + 16 * len(images)
    head, body = struct.pack("<HHH", 0, 1, len(images)), b""
    for size, data in images.items():
        head += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(data), offset + len(body))
        body += data
    return head + body


def icns(images):
    kinds = {b"ic11": 32, b"ic12": 64, b"ic07": 128, b"ic13": 256, b"ic08": 256, b"ic14": 512, b"ic09": 512, b"ic10": 1024}
    body = b"".join(kind + struct.pack(">I", 8 + len(images[size])) + images[size] for kind, size in kinds.items())
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def favicon(shapes):
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {GRID} {GRID}">']
    for tag, attributes in shapes:
        lines.append(f"  <{tag} " + " ".join(f'{name}="{value}"' for name, value in attributes.items()) + " />")
    return "\n".join(lines + ["</svg>", ""])


def typescript(groups):
    shapes = {
        name: [{"tag": tag, **{key: paint(name, key, value) for key, value in attributes.items()}} for tag, attributes in group]
        for name, group in groups.items()
    }
    return (
        "// Made by icons/build.py from icons/p2p-agent.svg: change that.\n\n"
        "export interface Shape {\n  readonly tag: string;\n  readonly [attribute: string]: string;\n}\n\n"
        f"export const shapes: Readonly<Record<{' | '.join(json.dumps(name) for name in shapes)}, readonly Shape[]>> = "
        f"{json.dumps(shapes, indent=2)};\n"
    )


def paint(name, attribute, value):
    """The states take the colour of the text around them."""
    return "currentColor" if name != "mark" and attribute in ("fill", "stroke") and value != "none" else value


main()
