// Reads every row for a file: page by page, with the progress of it, until it is done or not wanted any more.

import { problemOf } from "../api/transport";
import type { Problem, WalletRow } from "../api/types";
import { words } from "../words";
import { csvOf } from "./csv";
import type { NodeStore } from "./node.svelte";

const PAGE = 500;
/** More than a page should hold in memory. */
export const MOST_ROWS = 200_000;

export interface Saved {
  /** The file's name or path. */
  place: string;
  rows: number;
}

export class RowExport {
  /** How many rows are read; `null` while nothing is under way. */
  reading = $state<number | null>(null);
  problem = $state.raw<Pick<Problem, "code" | "title" | "detail"> | null>(null);

  readonly #node: NodeStore;
  #run = 0;

  constructor(node: NodeStore) {
    this.#node = node;
  }

  /** Leaves every row as CSV with the person; `null` where it was cancelled or refused. */
  async save(): Promise<Saved | null> {
    const run = ++this.#run;
    this.problem = null;
    this.reading = 0;
    const rows: WalletRow[] = [];
    try {
      let before: number | null = null;
      do {
        const page = await this.#node.client.walletRows(PAGE, before);
        if (run !== this.#run) return null;
        rows.push(...page.rows);
        if (rows.length > MOST_ROWS) throw new TooMany();
        this.reading = rows.length;
        // A page that leads back would never end.
        const next: number | null = page.next ?? null;
        before = next !== null && (before === null || next < before) ? next : null;
      } while (before !== null);
      const name = words.wallet.save.file(new Date().toISOString().slice(0, 10));
      const place = await this.#node.save(name, csvOf(rows));
      if (run !== this.#run) return null;
      this.reading = null;
      return { place, rows: rows.length };
    } catch (thrown) {
      if (run === this.#run) this.#fail(thrown);
      return null;
    }
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
