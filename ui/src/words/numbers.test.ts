import { describe, expect, it } from "vitest";

import { delay, percent, shortId, span } from "./numbers";

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

  it("shows the end of an id: they all begin alike", () => {
    expect(shortId("12D3KooWabcdefXYZ123")).toBe("…XYZ123");
  });
});
