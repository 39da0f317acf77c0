// Everything that comes from the daemon may hold texts of strangers. They are shown as text only; here
// they also lose what could make them look like something else, or break the page by length.

/** Longest text that is kept of any field: an invite or a network file is shorter by far. */
const MAX_FIELD = 64 * 1024;
const MAX_DEPTH = 16;

/** Controls, direction overrides and isolates, invisible joiners that hide text, private use, lone surrogates. */
const UNWANTED =
  /[\p{Cc}\p{Co}\p{Cs}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;
/** More than three marks on one letter climb over the neighbouring lines. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu;
const BLANKS = /[\t\n\r]+/g;

/** The text on one line, without anything invisible. */
export function cleanText(text: string, max = MAX_FIELD): string {
  const kept = text
    .slice(0, MAX_FIELD)
    .replace(BLANKS, " ")
    .replace(UNWANTED, "")
    .replace(STACKED_MARKS, "$1");
  return cut(kept, max);
}

/** At most `max` characters, the last one an ellipsis where something is missing. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const characters = Array.from(text);
  return characters.length <= max ? text : `${characters.slice(0, max - 1).join("")}…`;
}

/** The same value with every text in it cleaned. */
export function cleanAll<T>(value: T): T {
  return cleanValue(value, 0) as T;
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return null;
  if (Array.isArray(value)) return value.map((entry) => cleanValue(entry, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, cleanValue(entry, depth + 1)]));
}
