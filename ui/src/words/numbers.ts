// Numbers, times and ids as people read them. One thin space stands between a number and its unit.

const LANGUAGE = "en";
const GAP = "\u00a0";

/** A time span in microseconds: "84 ms", "1.2 s", "3 min". */
export function span(us: number): string {
  if (us < 1_000) return `${us === 0 ? 0 : "<" + GAP + 1}${GAP}ms`;
  const ms = us / 1_000;
  if (ms < 999.5) return `${number(ms, ms < 10 ? 1 : 0)}${GAP}ms`;
  const s = ms / 1_000;
  if (s < 59.5) return `${number(s, s < 10 ? 1 : 0)}${GAP}s`;
  return `${number(s / 60, 0)}${GAP}min`;
}

/** A measured round trip in milliseconds. */
export function delay(ms: number): string {
  return ms < 1 ? `<${GAP}1${GAP}ms` : `${number(ms, ms < 10 ? 1 : 0)}${GAP}ms`;
}

/** A share from 0 to 1. Never "100 %" for something that is not certain. */
export function percent(share: number): string {
  const bounded = Math.min(Math.max(share, 0), 1);
  const whole = Math.round(bounded * 100);
  return `${bounded < 1 && whole === 100 ? 99 : whole}${GAP}%`;
}

/** The part of a device id that tells it from others: they all begin alike. */
export function shortId(id: string): string {
  return `…${id.slice(-6)}`;
}

/** A moment, as a date with its time. */
export function when(ms: number): string {
  return new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "short" }).format(ms);
}

function number(value: number, digits: number): string {
  return new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: digits }).format(value);
}
