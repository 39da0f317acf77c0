import { describe, expect, it } from "vitest";

import { OTHER, task } from "../test/samples";
import { lineOf, providerOf } from "./stages";

describe("the line of a task", () => {
  it("fills step by step", () => {
    expect(lineOf(null).reached).toBe(-1);
    expect([1, 2, 3, 4].map((steps) => lineOf(task(steps)).reached)).toEqual([0, 1, 2, 3]);
    expect(lineOf(task(4)).times).toEqual([0, 3_100, 4_400, 84_200]);
  });

  it("goes back to searching when somebody else must do it", () => {
    const lost = task(3);
    lost.stages.push({
      stage: "retrying",
      at_ms: 0,
      elapsed_us: 9_000,
      provider: OTHER,
      detail: "It vanished.",
    });
    expect(lineOf(lost)).toMatchObject({
      reached: 0,
      times: [9_000, null, null, null],
      detail: "It vanished.",
    });
  });

  it("breaks where the task failed", () => {
    const failed = task(2, { state: "failed" });
    failed.stages.push({ stage: "failed", at_ms: 0, elapsed_us: 9_000, provider: null, detail: "Nobody." });
    expect(lineOf(failed)).toMatchObject({ reached: 1, broken: "failed" });
  });

  it("names who had it last", () => {
    expect(providerOf(task(1).stages)).toBeNull();
    expect(providerOf(task(3).stages)).toBe(OTHER);
  });
});
