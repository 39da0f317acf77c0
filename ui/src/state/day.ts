// The day as spans: what was so from when to when, and which of a few groups its reason belongs to. Pure.

import type { Timeline, TimelineChange } from "../api/types";

/** The groups that the band tells apart. */
export const GROUPS = ["works", "owner", "hand", "hours", "computer", "stopped", "unknown"] as const;
export type Group = (typeof GROUPS)[number];

export interface Span {
  from: number;
  to: number;
  group: Group;
  /** Empty where nothing is known. */
  sentence: string;
}

const OWNER = ["owner", "full_screen", "inhibitor"];
const HOURS = ["hours", "network_hours"];

export function groupOf(change: TimelineChange): Group {
  if (change.runs) return "works";
  const code = change.code ?? "";
  if (code === "stopped" || code === "by_hand") return code === "stopped" ? "stopped" : "hand";
  if (OWNER.includes(code) || (code === "cannot_tell" && change.reason?.["kind"] === "input")) return "owner";
  return HOURS.includes(code) ? "hours" : "computer";
}

/** The whole time without gaps, the oldest first. Neighbours that say the same are one. */
export function spansOf(timeline: Timeline): Span[] {
  const { from_ms: start, to_ms: end } = timeline;
  const changes = [...timeline.changes].sort((a, b) => a.at_ms - b.at_ms);
  const spans: Span[] = [];
  const add = (span: Span) => {
    const last = spans.at(-1);
    if (span.to <= span.from) return;
    if (last?.group === span.group && last.sentence === span.sentence) last.to = span.to;
    else spans.push(span);
  };
  add({ from: start, to: Math.min(changes[0]?.at_ms ?? end, end), group: "unknown", sentence: "" });
  changes.forEach((change, index) => {
    const from = Math.max(change.at_ms, start);
    const to = Math.min(changes[index + 1]?.at_ms ?? end, end);
    add({ from, to, group: groupOf(change), sentence: change.sentence });
  });
  return spans;
}

/** Milliseconds of each group, the longest first; groups without any are left out. */
export function totals(spans: readonly Span[]): { group: Group; ms: number }[] {
  const sums = GROUPS.map((group) => ({
    group,
    ms: spans.reduce((sum, span) => sum + (span.group === group ? span.to - span.from : 0), 0),
  }));
  return sums.filter(({ ms }) => ms > 0);
}

/** Local full hours that are a multiple of `step`. */
export function ticks(from: number, to: number, step: number): number[] {
  const found: number[] = [];
  const hour = new Date(from);
  hour.setMinutes(0, 0, 0);
  while (hour.getTime() <= to) {
    if (hour.getTime() >= from && hour.getHours() % step === 0) found.push(hour.getTime());
    hour.setTime(hour.getTime() + 3_600_000);
  }
  return found;
}
