// What moves by itself stands still for those who asked for that.

import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";

const moving = readdirSync("src", { encoding: "utf8", recursive: true })
  .filter((path) => path.endsWith(".svelte"))
  .map((path) => [path, readFileSync(`src/${path}`, "utf8")] as const)
  .filter(([, text]) => /animation(-name)?:(?! none)/.test(text));

describe("reduced motion", () => {
  it.each(moving)("is respected in %s", (_path, text) => {
    const [, calm = ""] = text.split("@media (prefers-reduced-motion: reduce)");
    expect(calm).toMatch(/animation: none;/);
  });

  it("has something to respect", () => expect(moving.length).toBeGreaterThan(1));
});
