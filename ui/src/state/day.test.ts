import { describe, expect, it } from "vitest";

import type { TimelineChange } from "../api/types";
import { groupOf, spansOf, ticks, totals } from "./day";

const HOUR = 3_600_000;

function change(at_ms: number, code: string | null, reason?: TimelineChange["reason"]): TimelineChange {
  return {
    at_ms,
    code,
    runs: code === null,
    reason: reason ?? null,
    cause: "told",
    sentence: code ?? "Ready.",
  };
}

describe("the day", () => {
  it("has no gaps, and begins with what was so before", () => {
    const changes = [change(5 * HOUR, null), change(12 * HOUR, "owner"), change(30 * HOUR, "battery")];
    const spans = spansOf({ from_ms: 10 * HOUR, to_ms: 34 * HOUR, changes });
    expect(spans.map(({ from, to, group }) => [from / HOUR, to / HOUR, group])).toEqual([
      [10, 12, "works"],
      [12, 30, "owner"],
      [30, 34, "computer"],
    ]);
    expect(totals(spans).map(({ group, ms }) => [group, ms / HOUR])).toEqual([
      ["works", 2],
      ["owner", 18],
      ["computer", 4],
    ]);
  });

  it("says where nothing is known, and joins what says the same", () => {
    const changes = [change(20, "owner"), change(15, "owner"), change(30, "stopped")];
    const spans = spansOf({ from_ms: 0, to_ms: 40, changes });
    expect(spans.map(({ from, to, group }) => [from, to, group])).toEqual([
      [0, 15, "unknown"],
      [15, 30, "owner"],
      [30, 40, "stopped"],
    ]);
    expect(spansOf({ from_ms: 0, to_ms: 40, changes: [] })).toHaveLength(1);
  });

  it.each([
    ["by_hand", "hand"],
    ["hours", "hours"],
    ["network_hours", "hours"],
    ["inhibitor", "owner"],
    ["temperature", "computer"],
    ["something new", "computer"],
  ])("puts %s where it belongs", (code, group) => expect(groupOf(change(0, code))).toBe(group));

  it("tells an owner who cannot be seen from a battery that cannot", () => {
    expect(groupOf(change(0, "cannot_tell", { code: "cannot_tell", kind: "input" }))).toBe("owner");
    expect(groupOf(change(0, "cannot_tell", { code: "cannot_tell", kind: "power" }))).toBe("computer");
  });

  it("is marked at full local hours", () => {
    const from = new Date(2026, 4, 1, 9, 30).getTime();
    expect(ticks(from, from + 24 * HOUR, 4).map((ms) => new Date(ms).getHours())).toEqual([
      12, 16, 20, 0, 4, 8,
    ]);
  });
});
