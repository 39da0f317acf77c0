// A node and its tasks as the daemon would describe them. For tests and the gallery only.

import type { NodeState, PeerSummary, StageRecord, Status, Task, Wallet, WalletRow } from "../api/types";

export const SELF = "12D3KooWAlphaAlphaAlphaAlphaAlphaAlphaAlphaAlphaA9xQ2";
export const OTHER = "12D3KooWBravoBravoBravoBravoBravoBravoBravoBravoB7kM3d";

const SENTENCES: Record<NodeState, string> = {
  starting: "Starting: reading keys and the model.",
  working: "Working: 2 parts of tasks for other computers.",
  waiting: "Ready: connected to 4 other computers in our street. Waiting for a task.",
  paused: "Paused by you until you resume. Your own tasks still run.",
  offline: "Cannot reach anybody in our street. Trying again.",
  alone: "Not in a network yet. Your own tasks run on this computer.",
  stopping: "Stopping: finishing what is under way.",
};

export function peer(index: number, more: Partial<PeerSummary> = {}): PeerSummary {
  const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  const tail = Array.from({ length: 6 }, (_, place) => {
    const digit = place < 2 ? Math.floor(index / letters.length ** place) : index * 31 + place * place * 17;
    return letters[digit % letters.length];
  })
    .reverse()
    .join("");
  return {
    device_id: `12D3KooWPeerPeerPeerPeerPeerPeerPeerPeerPeer${tail}`,
    connected: true,
    trusted: false,
    latency_ms: 2.4,
    accepting: true,
    ...more,
  };
}

export function peers(count: number): PeerSummary[] {
  return Array.from({ length: count }, (_, index) =>
    peer(index, {
      latency_ms: index % 7 === 6 ? null : Math.exp(((index * 37) % 60) / 10) * 0.4,
      trusted: index % 3 === 0,
      accepting: index % 4 !== 2,
      connected: index % 9 !== 5,
    }),
  );
}

export function status(state: NodeState, more: Partial<Status> = {}): Status {
  return {
    state,
    sentence: SENTENCES[state],
    device_id: SELF,
    account_id: "acct-sample",
    version: "0.1.0",
    pid: 4242,
    uptime_ms: 840_000,
    ready_in_ms: 212,
    home: "/home/sample/.config/p2p-agent",
    config_file: null,
    peers: state === "alone" || state === "offline" ? [] : peers(4),
    network: state === "alone" ? null : { id: "f".repeat(64), name: "our street", kind: "closed" },
    listening: ["/ip4/127.0.0.1/tcp/9000"],
    dashboard: null,
    paused_by_hand: state === "paused",
    paused_until_ms: null,
    open_tasks: 0,
    guest_tasks: 0,
    guest_tasks_done: 12,
    sandbox: null,
    can_compute: true,
    warnings: [],
    ...more,
  };
}

const STAGES: [StageRecord["stage"], number, string][] = [
  ["searching", 0, "Asking 4 other computers who can do it."],
  ["assigned", 3_100, "Another computer takes it."],
  ["computing", 4_400, "Another computer is computing."],
  ["done", 84_200, "Another computer has the answer."],
];

/** The sample task after its first `steps` stages. */
export function task(steps: number, more: Partial<Task> = {}): Task {
  const stages = STAGES.slice(0, steps).map(([stage, elapsed_us, detail], index) => ({
    stage,
    at_ms: 1_760_000_000_000,
    elapsed_us,
    provider: index === 0 ? null : OTHER,
    detail,
  }));
  const done = steps === STAGES.length;
  return {
    task_id: "0123456789abcdef0123456789abcdef",
    kind: "sentiment",
    privacy: "public",
    where: "auto",
    priority: "normal",
    state: done
      ? "done"
      : ((["searching", "searching", "assigned", "computing"] as const)[steps] ?? "searching"),
    stages,
    texts: 1,
    finished: done ? 1 : 0,
    submitted_ms: 1_760_000_000_000,
    duration_us: done ? 84_200 : null,
    results: [done ? { label: "positive", score: 0.972 } : null],
    providers: done ? [OTHER] : [],
    receipts: [],
    error: null,
    ...more,
  };
}

export function wallet(more: Partial<Wallet> = {}): Wallet {
  return {
    account: "acct-sample",
    device: SELF,
    network: "our street",
    available: 12_400_000,
    earned: 9_330_000,
    granted: 2_070_000,
    free: 1_000_000,
    held: 500_000,
    pending: 0,
    others: 3_250_000,
    earned_today: 2_660_000,
    spent_today: 20_000,
    notary: "reachable",
    notary_device: OTHER,
    waiting: null,
    daily_limit: null,
    total_limit: null,
    rows: 0,
    heard_ms: null,
    ...more,
  };
}

export const WAITING = "1.33 credits are pending until 7k2f…'s computer is on.";

export function row(number: number, more: Partial<WalletRow> = {}): WalletRow {
  return {
    number,
    id: `order-${number}/credit`,
    at_ms: 1_760_000_000_000 + number * 60_000,
    direction: "in",
    amount: 1_330_000,
    granted: 0,
    reason: "work",
    state: "settled",
    other: OTHER,
    task: null,
    tasks: 3,
    detail: "Work for 7k2f…: 3 tasks",
    ...more,
  };
}

/** One of each kind, over and over, the newest first. */
export function rows(count: number, newest = count): WalletRow[] {
  const KINDS: Partial<WalletRow>[] = [
    {},
    { direction: "out", amount: 20_000, detail: "Work by 9x1c…: 1 task", tasks: 1, granted: 15_000 },
    {
      direction: "out",
      amount: 500_000,
      reason: "hold",
      state: "held",
      detail: "Set aside for work by 9x1c…",
    },
    { amount: 300_000, reason: "returned", state: "returned", detail: "Not used, back from 9x1c…" },
    {
      direction: "note",
      amount: 1_234,
      reason: "burnt",
      state: "burnt",
      detail: "The network's share of a payment",
    },
    { amount: 1_000_000, granted: 1_000_000, reason: "free", detail: "Free for today" },
    {
      direction: "note",
      amount: 400_000,
      reason: "lapsed",
      state: "lapsed",
      detail: "Yesterday's free credits, not used",
    },
    { amount: 5_000_000, granted: 5_000_000, reason: "starter", detail: "Starter credits" },
  ];
  return Array.from({ length: count }, (_, index) => row(newest - index, KINDS[index % KINDS.length]));
}
