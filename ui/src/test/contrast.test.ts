// The colours of app.css, measured: 4.5 to 1 for text, 3 to 1 for edges and shapes (WCAG AA).

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync("src/app.css", "utf8");
const [light = "", dark = ""] = css.split("@media (prefers-color-scheme: dark)");

function colours(part: string): Map<string, string> {
  return new Map(
    [...part.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const TEXT = [
  ["ink", ["paper", "rail", "field", "accent-soft"]],
  ["ink-soft", ["paper", "rail", "field"]],
  ["accent", ["paper", "field", "accent-soft"]],
  ["on-accent", ["accent", "accent-hover"]],
] as const;
const EDGES = [
  ["edge", ["paper", "field"]],
  ["accent", ["paper", "field", "rail"]],
  ["band-owner", ["paper", "field"]],
  ["band-hours", ["paper", "field"]],
  ["band-computer", ["paper", "field"]],
] as const;

describe.each([
  ["light", colours(light)],
  ["dark", colours(dark)],
])("%s", (_name, palette) => {
  const of = (name: string) => palette.get(name) ?? expect.fail(`no colour ${name}`);
  it.each(TEXT.flatMap(([front, backs]) => backs.map((back) => [front, back])))(
    "%s on %s can be read",
    (front, back) => {
      expect(contrast(of(front), of(back))).toBeGreaterThanOrEqual(4.5);
    },
  );
  it.each(EDGES.flatMap(([front, backs]) => backs.map((back) => [front, back])))(
    "%s on %s can be seen",
    (front, back) => {
      expect(contrast(of(front), of(back))).toBeGreaterThanOrEqual(3);
    },
  );
});
