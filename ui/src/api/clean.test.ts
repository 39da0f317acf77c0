import { describe, expect, it } from "vitest";

import { cleanAll, cleanText, cut } from "./clean";

describe("texts of strangers", () => {
  it("lose what turns the direction of reading", () => {
    expect(cleanText("abc\u202egpj.exe\u2066x\u2069")).toBe("abcgpj.exex");
  });

  it("lose controls and what cannot be seen, and stay on one line", () => {
    expect(cleanText("a\u0000b\u001b[31mc\r\nd\u200be\ufefff\ue000")).toBe("ab[31mc def");
  });

  it("keep markup as the text that it is", () => {
    expect(cleanText('<img src=x onerror="alert(1)">')).toBe('<img src=x onerror="alert(1)">');
  });

  it("keep other scripts, and three marks on a letter", () => {
    expect(cleanText("שלום café 日本語 é")).toBe("שלום café 日本語 é");
    expect(cleanText(`z${"\u0301".repeat(40)}`)).toBe(`z${"\u0301".repeat(3)}`);
  });

  it("end somewhere", () => {
    expect(cleanText("x".repeat(1_000_000)).length).toBeLessThanOrEqual(64 * 1024);
    expect(cut("abcdef", 4)).toBe("abc…");
    expect(cut("👩👩👩", 2)).toBe("👩…");
    expect(cut("👩👩", 2)).toBe("👩👩");
  });

  it("are cleaned wherever they stand in an answer", () => {
    expect(cleanAll({ a: ["x\u202e"], b: { c: "y\u0007" }, d: null, e: 1.5, f: true })).toEqual({
      a: ["x"],
      b: { c: "y" },
      d: null,
      e: 1.5,
      f: true,
    });
  });

  it("do not bring the reader down by depth", () => {
    let deep: unknown = "x";
    for (let level = 0; level < 5_000; level++) deep = [deep];
    expect(() => cleanAll(deep)).not.toThrow();
  });
});
