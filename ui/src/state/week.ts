// A week in half hours, and how it is written: `mon-fri 18:00-23:00, sat 00:00-24:00`. Pure.

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
/** Half hours of a day. */
export const HALVES = 48;

/** Whether each half hour is in it, Monday 00:00 first. Never changed in place. */
export type Week = readonly boolean[];

/** A place in the week: 0 is Monday, and 0 is from 00:00. */
export interface Place {
  day: number;
  half: number;
}

const ALL = DAYS.length * HALVES;

export const always: Week = Array.from({ length: ALL }, () => true);
export const never: Week = Array.from({ length: ALL }, () => false);

export function has(week: Week, day: number, half: number): boolean {
  return week[day * HALVES + half] ?? false;
}

/** Every half hour between two corners, both included, in or out. */
export function fill(week: Week, a: Place, b: Place, on: boolean): Week {
  return week.map((was, index) =>
    inside({ day: Math.floor(index / HALVES), half: index % HALVES }, a, b) ? on : was,
  );
}

export function inside(place: Place, a: Place, b: Place): boolean {
  return between(place.day, a.day, b.day) && between(place.half, a.half, b.half);
}

/** The week that a text means; `null` where it means none. */
export function parseWeek(text: string): Week | null {
  const plain = text.trim();
  if (plain === "always") return always;
  if (plain === "never") return never;
  const week = [...never];
  for (const part of plain.split(",")) {
    const [days = "", ...spans] = part.trim().split(/\s+/);
    const [first, last] = parseDays(days);
    if (first < 0 || last < first || spans.length === 0) return null;
    for (const span of spans) {
      const [start, end] = span.split("-").map(parseTime);
      if (start === undefined || end === undefined || span.split("-").length !== 2) return null;
      if (Number.isNaN(start) || Number.isNaN(end) || start === end || start === HALVES) return null;
      // A span such as 22:00-06:00 goes on into the next day.
      const length = end > start ? end - start : end + HALVES - start;
      for (let day = first; day <= last; day++) {
        for (let half = start; half < start + length; half++) week[(day * HALVES + half) % ALL] = true;
      }
    }
  }
  return week;
}

/** The same week, as the daemon writes it. */
export function formatWeek(week: Week): string {
  if (week.every(Boolean)) return "always";
  if (!week.some(Boolean)) return "never";
  const texts = DAYS.map((_, day) => spansOf(week, day));
  const parts: string[] = [];
  for (let day = 0; day < DAYS.length;) {
    let last = day;
    while (last + 1 < DAYS.length && texts[last + 1] === texts[day]) last++;
    const days = last > day ? `${DAYS[day]}-${DAYS[last]}` : `${DAYS[day]}`;
    if (texts[day] !== "") parts.push(`${days} ${texts[day]}`);
    day = last + 1;
  }
  return parts.join(", ");
}

/** Of a half hour's start, or of the day's end. */
export function timeOf(half: number): string {
  return `${String(Math.floor(half / 2)).padStart(2, "0")}:${half % 2 === 0 ? "00" : "30"}`;
}

function spansOf(week: Week, day: number): string {
  const spans: string[] = [];
  for (let half = 0; half < HALVES; half++) {
    if (!has(week, day, half)) continue;
    let end = half;
    while (end < HALVES && has(week, day, end)) end++;
    spans.push(`${timeOf(half)}-${timeOf(end)}`);
    half = end;
  }
  return spans.join(" ");
}

function parseDays(text: string): [number, number] {
  const names = text.toLowerCase().split("-");
  const [first = -1, last = first] = names.map((name) => DAYS.findIndex((day) => day === name));
  return names.length > 2 || last < 0 ? [-1, -1] : [first, last];
}

function parseTime(text: string): number {
  const found = /^(\d{1,2}):(00|30)$/.exec(text);
  if (found === null) return NaN;
  const half = Number(found[1]) * 2 + (found[2] === "30" ? 1 : 0);
  return half > HALVES ? NaN : half;
}

function between(value: number, a: number, b: number): boolean {
  return value >= Math.min(a, b) && value <= Math.max(a, b);
}
