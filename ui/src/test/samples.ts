// A node and its tasks as the daemon would describe them. For tests and the gallery only.

import type { NodeState, PeerSummary, StageRecord, Status, Task } from "../api/types";

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
    paused_until_ms: null,
    open_tasks: 0,
    guest_tasks: 0,
    guest_tasks_done: 12,
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
