// Rows as a CSV file (RFC 4180), the oldest first: the columns of `p2p-agent wallet export`. Pure.

import type { WalletRow } from "../api/types";
import { credits } from "../words/numbers";

const COLUMNS = [
  "number",
  "time",
  "direction",
  "credits",
  "granted",
  "reason",
  "state",
  "other",
  "task",
  "tasks",
  "detail",
  "id",
] as const;

const END = "\r\n";
/** A spreadsheet would compute what begins like this; the wide forms too. */
const FORMULA = /^[\s]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;

/** The rows, given newest first. */
export function csvOf(rows: readonly WalletRow[]): string {
  const lines = rows.toReversed().map((row) => fieldsOf(row).map(cell).join(","));
  return [COLUMNS.join(","), ...lines].join(END) + END;
}

function fieldsOf(row: WalletRow): string[] {
  return [
    String(row.number),
    timeOf(row.at_ms),
    row.direction,
    plain(row.amount),
    plain(row.granted),
    row.reason,
    row.state,
    row.other ?? "",
    row.task ?? "",
    String(row.tasks),
    row.detail,
    row.id,
  ];
}

/** One cell: as text where it could be taken for a formula, in quotes where it holds a separator. */
export function cell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Without thousands separators, which would make columns. */
function plain(micro: number): string {
  return credits(micro).replaceAll(",", "");
}

/** A time that no calendar has stays a number. */
function timeOf(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
