import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FakeTransport } from "../test/fake";
import { row, rows, status, wallet } from "../test/samples";
import { NodeStore } from "./node.svelte";
import { ARRIVAL_MS } from "./wallet.svelte";
import type { WalletStore } from "./wallet.svelte";

let fake: FakeTransport;
let node: NodeStore;
let credits: WalletStore;

beforeEach(() => {
  vi.useFakeTimers();
  fake = new FakeTransport();
  node = new NodeStore(fake);
  credits = node.wallet;
  node.open();
});

afterEach(() => {
  node.close();
  vi.useRealTimers();
});

const numbers = () => credits.rows.map(({ number }) => number);
const come = (number: number, more = {}) => fake.change({ event: "row", data: row(number, more) });

describe("what the app knows of the credits", () => {
  it("comes with the snapshot and follows the changes", () => {
    fake.snapshot(status("waiting"), wallet({ rows: 3 }), rows(3));
    expect(numbers()).toEqual([3, 2, 1]);
    fake.change({ event: "wallet", data: wallet({ available: 5, rows: 4 }) });
    come(4);
    expect(credits.now?.available).toBe(5);
    expect(numbers()).toEqual([4, 3, 2, 1]);
    come(2, { id: "order-2/credit", state: "burnt" });
    expect(numbers()).toEqual([4, 3, 2, 1]);
    expect(credits.more).toBe(false);
  });

  it("lets an event of a later version pass", () => {
    fake.snapshot(status("waiting"), wallet());
    fake.change({ event: "weather", data: {} } as never);
    come(1);
    expect(numbers()).toEqual([1]);
  });

  it("reads older rows page by page, none twice", async () => {
    fake.snapshot(status("waiting"), wallet({ rows: 100 }), rows(20, 100));
    fake.answer("GET /wallet/rows?limit=50&before=81", () => ({ rows: rows(50, 81), next: 32 }));
    fake.answer("GET /wallet/rows?limit=50&before=32", () => ({ rows: rows(31, 31), next: null }));
    expect(credits.more).toBe(true);
    await credits.readOlder();
    expect(numbers()).toHaveLength(69);
    await credits.readOlder();
    expect(numbers()).toEqual(Array.from({ length: 100 }, (_, index) => 100 - index));
    expect(credits.more).toBe(false);
  });

  it("leaves no hole where a change comes to a row that was not read", () => {
    fake.snapshot(status("waiting"), wallet({ rows: 100 }), rows(20, 100));
    come(7, { state: "returned" });
    expect(numbers()).not.toContain(7);
  });

  it("asks which pending row a settled one stands for", async () => {
    const pending = row(5, { id: "hold-9/pending", state: "pending" });
    fake.snapshot(status("waiting"), wallet({ rows: 1 }), [pending]);
    fake.answer("GET /wallet/rows?limit=50", () => ({ rows: [row(6)], next: null }));
    come(6);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(credits.rows.map(({ id }) => id)).toEqual(["order-6/credit"]);
    expect(fake.calls).toHaveLength(1);
  });

  it("keeps what comes while it asks", async () => {
    const pending = row(5, { id: "hold-9/pending", state: "pending" });
    fake.snapshot(status("waiting"), wallet({ rows: 1 }), [pending]);
    fake.answer("GET /wallet/rows?limit=50", () => {
      come(7);
      return { rows: [row(6)], next: null };
    });
    come(6);
    await vi.advanceTimersByTimeAsync(260);
    expect(numbers()).toEqual([7, 6]);
  });

  it("ends with the network, and is read anew in another", async () => {
    fake.snapshot(status("waiting"), wallet({ rows: 3 }), rows(3));
    fake.change({ event: "status", data: status("alone") });
    expect(credits.now).toBeNull();
    expect(credits.rows).toEqual([]);
    fake.answer("GET /wallet", () => wallet({ network: "elsewhere", rows: 2 }));
    fake.answer("GET /wallet/rows?limit=50", () => ({ rows: rows(2), next: null }));
    fake.change({ event: "status", data: status("waiting") });
    await vi.advanceTimersByTimeAsync(0);
    expect(credits.now?.network).toBe("elsewhere");
    expect(numbers()).toEqual([2, 1]);
  });

  it("keeps what arrives while it is read, and reads what was there before it opened", async () => {
    fake.snapshot(status("alone"), null, []);
    fake.refuse("GET /wallet", "E5001", "There is no wallet outside a network");
    fake.change({ event: "status", data: status("waiting") });
    await vi.advanceTimersByTimeAsync(0);
    expect(credits.now).toBeNull();
    fake.answer("GET /wallet/rows?limit=50", () => {
      come(3, { reason: "starter" });
      return { rows: rows(2), next: null };
    });
    fake.change({ event: "wallet", data: wallet({ rows: 2 }) });
    await vi.advanceTimersByTimeAsync(0);
    expect(numbers()).toEqual([3, 2, 1]);
    expect(credits.arrival).toEqual({ amount: 1_330_000, first: false });
  });
});

describe("the arrival of credits", () => {
  beforeEach(() => fake.snapshot(status("waiting"), wallet({ rows: 0 })));

  it("is told once, and the first of all as the first", () => {
    expect(credits.arrival).toBeNull();
    come(1);
    expect(credits.arrival).toEqual({ amount: 1_330_000, first: true });
    vi.advanceTimersByTime(ARRIVAL_MS);
    expect(credits.arrival).toBeNull();
    come(1);
    expect(credits.arrival).toBeNull();
    come(2);
    expect(credits.arrival).toEqual({ amount: 1_330_000, first: false });
  });

  it("is told together where many come", () => {
    for (let number = 1; number <= 10; number++) come(number);
    expect(credits.arrival).toEqual({ amount: 1_330_000, first: true });
    vi.advanceTimersByTime(ARRIVAL_MS);
    expect(credits.arrival).toEqual({ amount: 9 * 1_330_000, first: false });
    vi.advanceTimersByTime(ARRIVAL_MS);
    expect(credits.arrival).toBeNull();
  });

  it("is nothing that waits, leaves, comes back, or was there before", () => {
    come(1, { state: "pending" });
    come(2, { direction: "out" });
    come(3, { reason: "returned", state: "settled" });
    come(4, { direction: "note", state: "burnt" });
    fake.snapshot(status("waiting"), wallet({ rows: 5 }), rows(5));
    expect(credits.arrival).toBeNull();
  });
});
