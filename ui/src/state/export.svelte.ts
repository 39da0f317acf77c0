// Reads every row for a file: page by page, with the progress of it, until it is done or not wanted any more.

import type { Client } from "../api/client";
import { problemOf } from "../api/transport";
import type { Problem, WalletRow } from "../api/types";
import { words } from "../words";
import { csvOf } from "./csv";

const PAGE = 500;
/** More than a page should hold in memory. */
export const MOST_ROWS = 200_000;

export interface Export {
  text: string;
  rows: number;
}

export class RowExport {
  /** How many rows are read; `null` while nothing is under way. */
  reading = $state<number | null>(null);
  problem = $state.raw<Pick<Problem, "code" | "title" | "detail"> | null>(null);

  readonly #client: Client;
  #run = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Every row as CSV; `null` where it was cancelled or refused. */
  async read(): Promise<Export | null> {
    const run = ++this.#run;
    this.problem = null;
    this.reading = 0;
    const rows: WalletRow[] = [];
    try {
      let before: number | null = null;
      do {
        const page = await this.#client.walletRows(PAGE, before);
        if (run !== this.#run) return null;
        rows.push(...page.rows);
        if (rows.length > MOST_ROWS) throw new TooMany();
        this.reading = rows.length;
        // A page that leads back would never end.
        const next: number | null = page.next ?? null;
        before = next !== null && (before === null || next < before) ? next : null;
      } while (before !== null);
    } catch (thrown) {
      if (run === this.#run) this.#fail(thrown);
      return null;
    }
    this.reading = null;
    return { text: csvOf(rows), rows: rows.length };
  }

  cancel(): void {
    this.#run += 1;
    this.reading = null;
  }

  #fail(thrown: unknown): void {
    this.reading = null;
    this.problem =
      thrown instanceof TooMany
        ? { code: "UI", title: words.wallet.save.tooMany, detail: words.wallet.save.tooManyHow }
        : problemOf(thrown);
  }
}

class TooMany extends Error {}
