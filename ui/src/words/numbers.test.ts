import { describe, expect, it } from "vitest";

import { ago, credits, creditParts, delay, percent, shortId, signed, span } from "./numbers";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("numbers as people read them", () => {
  it.each([
    [0, "0 ms"],
    [400, "< 1 ms"],
    [4_400, "4.4 ms"],
    [84_200, "84 ms"],
    [999_600, "1 s"],
    [1_240_000, "1.2 s"],
    [59_600_000, "1 min"],
  ])("%i us is %s", (us, text) => expect(plain(span(us))).toBe(text));

  it.each([
    [0.2, "< 1 ms"],
    [6.56, "6.6 ms"],
    [240.4, "240 ms"],
  ])("%d ms is a delay of %s", (ms, text) => expect(plain(delay(ms))).toBe(text));

  it("is never surer than it is", () => {
    expect(plain(percent(0.972))).toBe("97 %");
    expect(plain(percent(0.9999))).toBe("99 %");
    expect(plain(percent(1))).toBe("100 %");
    expect(plain(percent(-1))).toBe("0 %");
  });

  it.each([
    [0, "0"],
    [1, "0.000001"],
    [100, "0.0001"],
    [100_000, "0.1"],
    [300_000, "0.3"],
    [1_000_000, "1"],
    [1_330_000, "1.33"],
    [1_400_000, "1.4"],
    [4_350_000, "4.35"],
    [12_345_678, "12.345678"],
    [999_999_999, "999.999999"],
    [1_240_000_000, "1,240"],
    [1_234_567_890_123, "1,234,567.890123"],
    // Divided as floats, these would become whole.
    [8_999_999_999_999_999, "8,999,999,999.999999"],
    [Number.MAX_SAFE_INTEGER, "9,007,199,254.740991"],
  ])("%i micro-credits are %s", (micro, text) => expect(credits(micro)).toBe(text));

  it("agrees with exact arithmetic wherever it looks", () => {
    for (let step = 0; step < 2_000; step++) {
      const micro = Number((BigInt(step) * 4_503_599_627_370_497n) % 9_007_199_254_740_992n);
      const exact = `${BigInt(micro) / 1_000_000n}.${String(BigInt(micro) % 1_000_000n).padStart(6, "0")}`;
      expect(credits(micro).replaceAll(",", "")).toBe(exact.replace(/\.?0+$/, ""));
    }
  });

  it("shows no number for what is none", () => {
    for (const micro of [NaN, Infinity, -1, 0.5, 2 ** 60]) expect(credits(micro)).toBe("-");
    expect(creditParts(1_240_500_000)).toEqual({ whole: "1,240", fraction: ".5" });
  });

  it("signs an amount by its direction", () => {
    expect(signed(1_330_000, "in")).toBe("+1.33");
    expect(signed(500_000, "out")).toBe("\u22120.5");
    expect(signed(20_000, "note")).toBe("0.02");
  });

  it.each([
    [-5_000, "just now"],
    [59_000, "just now"],
    [60_000, "1 min ago"],
    [59 * 60_000, "59 min ago"],
    [60 * 60_000, "1 h ago"],
    [23.9 * 3_600_000, "23 h ago"],
  ])("%d ms are %s", (span, text) => {
    const now = Date.UTC(2026, 10, 21, 12);
    expect(plain(ago(now - span, now))).toBe(text);
  });

  it("gives the date from a day on, with the year once it is another", () => {
    const now = new Date(2026, 10, 21, 12).getTime();
    expect(ago(new Date(2026, 10, 19, 9, 5).getTime(), now)).toMatch(/Nov 19.*9:05/);
    expect(ago(new Date(2025, 10, 19, 9, 5).getTime(), now)).toBe("Nov 19, 2025");
  });

  it("shows the end of an id: they all begin alike", () => {
    expect(shortId("12D3KooWabcdefXYZ123")).toBe("…XYZ123");
  });
});
