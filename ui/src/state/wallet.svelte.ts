// What the app knows of the credits: the newest rows with the snapshot, changes as they come, older rows
// when somebody asks for them.

import type { Client } from "../api/client";
import type { Wallet, WalletRow } from "../api/types";

/** Rows of one page. */
export const PAGE = 50;
/** Rows that stay known; the oldest go first, and can be asked for again. */
const KEPT_ROWS = 2_000;
const MOST_IN_AN_ANSWER = 500;
/** Between two readings of the newest rows. */
const REREAD_EVERY_MS = 250;
/** So long an arrival is shown. What arrives meanwhile is shown together afterwards. */
export const ARRIVAL_MS = 8_000;

/** Credits that came while somebody could see them come. */
export interface Arrival {
  amount: number;
  /** The first that this computer ever earned in the network. */
  first: boolean;
}

export class WalletStore {
  /** `null` outside a network, and until the daemon has told. */
  now = $state.raw<Wallet | null>(null);
  /** The newest first. */
  rows = $state.raw<readonly WalletRow[]>([]);
  arrival = $state.raw<Arrival | null>(null);

  /** Below this number there are rows that were not read. */
  #next = $state<number | null>(null);
  readonly #client: Client;
  /** Answers to what was asked before the last snapshot mean nothing any more. */
  #epoch = 0;
  #unsaid = 0;
  #arrivalTimer: ReturnType<typeof setTimeout> | null = null;
  #rereadTimer: ReturnType<typeof setTimeout> | null = null;
  #rereadAgain = false;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Whether there are older rows than the known ones. */
  get more(): boolean {
    return this.#next !== null;
  }

  /** All there is to know at this moment. */
  reset(wallet: Wallet | null, rows: readonly WalletRow[]): void {
    this.close();
    this.#epoch += 1;
    this.now = wallet;
    this.rows = [...rows].sort(byNumber);
    const oldest = this.rows.at(-1);
    this.#next = wallet !== null && oldest !== undefined && wallet.rows > rows.length ? oldest.number : null;
  }

  /** The whole wallet. One that opens only now has rows that no snapshot told. */
  set(wallet: Wallet): void {
    const unread = this.now === null && this.rows.length === 0 && wallet.rows > 0;
    this.now = wallet;
    if (unread) void this.#readAll();
  }

  /** A row that is new, or has changed. */
  take(row: WalletRow): void {
    const known = this.rows.find(({ id }) => id === row.id);
    if (known === undefined && this.#next !== null && row.number < this.#next) return;
    if (arrives(row) && (known === undefined || !arrives(known))) this.#announce(row);
    const rows = [...this.rows.filter(({ id }) => id !== row.id), row].sort(byNumber);
    if (rows.length > KEPT_ROWS) {
      rows.length = KEPT_ROWS;
      this.#next = rows.at(-1)?.number ?? null;
    }
    this.rows = rows;
    // Which pending row this one stands for, only the list says.
    if (row.state !== "pending" && rows.some(({ state }) => state === "pending")) this.#rereadSoon();
  }

  /** Reads the next page of older rows. Rejects with the problem. */
  async readOlder(): Promise<void> {
    if (this.#next === null) return;
    const epoch = this.#epoch;
    const page = await this.#client.walletRows(PAGE, this.#next);
    if (epoch !== this.#epoch) return;
    const known = new Set(this.rows.map(({ id }) => id));
    this.rows = [...this.rows, ...page.rows.filter(({ id }) => !known.has(id))].sort(byNumber);
    this.#next = page.next ?? null;
  }

  /** Another network, another wallet: everything is read once. */
  reread(): Promise<void> {
    this.reset(null, []);
    return this.#readAll();
  }

  /** Forgets what was under way. */
  close(): void {
    if (this.#arrivalTimer !== null) clearTimeout(this.#arrivalTimer);
    if (this.#rereadTimer !== null) clearTimeout(this.#rereadTimer);
    this.#arrivalTimer = null;
    this.#rereadTimer = null;
    this.#rereadAgain = false;
    this.#unsaid = 0;
    this.arrival = null;
  }

  /** What came by events meanwhile is newer, and stays. */
  async #readAll(): Promise<void> {
    const epoch = this.#epoch;
    try {
      const wallet = this.now ?? (await this.#client.wallet());
      const page = await this.#client.walletRows(PAGE, null);
      if (epoch !== this.#epoch) return;
      this.now ??= wallet;
      const newest = page.rows[0]?.number ?? -1;
      this.rows = [...this.rows.filter(({ number }) => number > newest), ...page.rows].sort(byNumber);
      this.#next = page.next ?? null;
    } catch {
      // It is not open yet; an event or the next snapshot brings it.
    }
  }

  #announce(row: WalletRow): void {
    const first =
      row.reason === "work" &&
      !this.more &&
      !this.rows.some((other) => arrives(other) && other.reason === "work");
    this.#unsaid += row.amount;
    if (first || this.#arrivalTimer === null) this.#say(first);
  }

  /** Not one announcement for each of a hundred rows: whoever listens would hear nothing else. */
  #say(first: boolean): void {
    if (this.#arrivalTimer !== null) clearTimeout(this.#arrivalTimer);
    this.arrival = { amount: this.#unsaid, first };
    this.#unsaid = 0;
    this.#arrivalTimer = setTimeout(() => {
      this.#arrivalTimer = null;
      if (this.#unsaid > 0) this.#say(false);
      else this.arrival = null;
    }, ARRIVAL_MS);
  }

  #rereadSoon(): void {
    if (this.#rereadTimer !== null) {
      this.#rereadAgain = true;
      return;
    }
    this.#rereadAgain = false;
    const timer = setTimeout(() => {
      void this.#readNewest(this.#epoch).finally(() => {
        // A snapshot may have come in between: then this is not its timer any more.
        if (this.#rereadTimer !== timer) return;
        this.#rereadTimer = null;
        if (this.#rereadAgain) this.#rereadSoon();
      });
    }, REREAD_EVERY_MS);
    this.#rereadTimer = timer;
  }

  /** Reads the list down to its oldest pending row, and takes it as it is now. */
  async #readNewest(epoch: number): Promise<void> {
    const depth = this.rows.findLastIndex(({ state }) => state === "pending") + 1;
    const asked = new Set(this.rows.map(({ id }) => id));
    try {
      const page = await this.#client.walletRows(Math.min(Math.max(depth, PAGE), MOST_IN_AN_ANSWER), null);
      if (epoch !== this.#epoch) return;
      const read = new Set(page.rows.map(({ id }) => id));
      const lowest = page.next === null || page.next === undefined ? 0 : (page.rows.at(-1)?.number ?? 0);
      const kept = this.rows.filter(({ id, number }) => !read.has(id) && (number < lowest || !asked.has(id)));
      this.rows = [...page.rows, ...kept].sort(byNumber);
      if (this.#next !== null && this.#next >= lowest) this.#next = page.next ?? null;
    } catch {
      // The list stays as it was; the next row asks again.
    }
  }
}

/** What was not here before. What was only set aside comes back without a word. */
function arrives(row: WalletRow): boolean {
  return row.direction === "in" && row.state === "settled" && row.reason !== "returned";
}

function byNumber(a: WalletRow, b: WalletRow): number {
  return b.number - a.number;
}
