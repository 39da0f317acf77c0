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

/** With the second: what stands behind "3 min ago". */
export function exactly(ms: number): string {
  return new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "medium" }).format(ms);
}

/** How long before `now` a moment was; from yesterday on, its date and time. A clock ahead is now. */
export function ago(ms: number, now: number): string {
  const minutes = Math.floor((now - ms) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes}${GAP}min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}${GAP}h ago`;
  const thisYear = new Date(ms).getFullYear() === new Date(now).getFullYear();
  return new Intl.DateTimeFormat(LANGUAGE, {
    day: "numeric",
    month: "short",
    ...(thisYear ? { hour: "numeric", minute: "2-digit" } : { year: "numeric" }),
  }).format(ms);
}

/** The time of day, as the node's sentences have it: "06:00". */
export function timeOfDay(ms: number): string {
  return new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(
    ms,
  );
}

/** A length in words of a clock: "12 s", "3 min", "1 h 20 min". */
export function length(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}${GAP}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes}${GAP}min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)}${GAP}h${rest === 0 ? "" : ` ${rest}${GAP}min`}`;
}

const MICRO = 1_000_000;

/**
 * Micro-credits as credits: the whole ones, and what follows the point, the point included. Whole numbers
 * all the way: a division of large ones would round.
 */
export function creditParts(micro: number): { whole: string; fraction: string } {
  if (!Number.isSafeInteger(micro) || micro < 0) return { whole: "-", fraction: "" };
  const rest = micro % MICRO;
  const digits = String(rest).padStart(6, "0").replace(/0+$/, "");
  return { whole: number((micro - rest) / MICRO, 0), fraction: digits === "" ? "" : `.${digits}` };
}

/** "1,240", "1.4", "0.000001". */
export function credits(micro: number): string {
  const { whole, fraction } = creditParts(micro);
  return whole + fraction;
}

/** With the sign of its direction. What moves nothing has none. */
export function signed(micro: number, direction: "in" | "out" | "note"): string {
  const sign = { in: "+", out: "\u2212", note: "" }[direction];
  return sign + credits(micro);
}

function number(value: number, digits: number): string {
  return new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: digits }).format(value);
}
