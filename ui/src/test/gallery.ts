// Every state of the app on a cardboard daemon, to look at while drawing: `npm run dev`, then
// /gallery.html?state=working&run=4#/network. Not part of the build.

import { flushSync, mount } from "svelte";

import App from "../App.svelte";
import type { NodeState, Task } from "../api/types";
import "../app.css";
import { FakeTransport, peerDetails, problem } from "./fake";
import { computer } from "./samples.computer";
import { settable, timeline } from "./samples.schedule";
import { OTHER, WAITING, peers, row, rows, status, task, wallet } from "./samples";

const wanted = new URLSearchParams(location.search);
const state = wanted.get("state") ?? "waiting";
const fake = new FakeTransport();
const target = document.getElementById("app");
if (target === null) throw new Error("gallery.html has no #app");

const TEXT = "The tomatoes came up early this year and the whole street is eating them.";

let now = status(isState(state) ? state : "waiting");
const count = wanted.get("peers");
if (count !== null) now = { ...now, peers: peers(Number(count)) };
if (wanted.has("warn")) {
  now = { ...now, can_compute: false, warnings: ["The model is missing: install the app again."] };
}

fake.answer("POST /node/pause", () => (now = { ...status("paused"), peers: now.peers }));
fake.answer("POST /node/resume", () => (now = { ...status("waiting"), peers: now.peers }));
// ?preset=full&own=cpu_percent=40;hours="mon 18:00-23:00" what is set, &open=0 a fold, &nothing an empty day
const own = (wanted.get("own") ?? "")
  .split(";")
  .filter(Boolean)
  .map((pair) => pair.split("="));
settable(fake, {
  "schedule.preset": wanted.get("preset") ?? "quiet",
  ...Object.fromEntries(own.map(([name, value = ""]) => [`schedule.${name}`, JSON.parse(value || "null")])),
});
fake.answer("GET /schedule/timeline?hours=24", () =>
  wanted.has("nothing") ? { ...timeline(), changes: [] } : timeline(),
);
fake.answer("GET /computer", () => computer());
fake.answer("POST /network/leave", () => null);
fake.answer("GET /status", () => status("alone"));
fake.answer("GET /network/nearby", () => [{ id: "a", name: "Kitchen", seen_ms: 0 }]);
fake.answer("POST /network/invite", () => ({
  link: `p2p-agent://invite/${"CiQIARIgq8ZkT3v1nq".repeat(9)}`,
  expires_ms: 1_763_900_000_000,
}));
for (const { device_id } of now.peers) {
  fake.answer(`GET /peers/${device_id}`, () => peerDetails(now, device_id));
  fake.answer(`PUT /peers/${device_id}/trust`, (body) => ({
    ...peerDetails(now, device_id),
    ...(body as { trusted: boolean }),
  }));
}
fake.answer("POST /tasks", () => {
  play(Number(wanted.get("run") ?? 4));
  return task(1);
});

// ?rows=300 how many there are, &pending, &arrive (live, after a moment), &first (nothing before it), &price=20000
const total = Number(wanted.get("rows") ?? 12);
const MINUTE = 60_000;
const aged = (list: ReturnType<typeof rows>) =>
  list.map((entry, index) => ({ ...entry, at_ms: Date.now() - (1 + index * index * 7) * MINUTE }));
let book = wanted.has("first") ? [] : aged(rows(total));
const pending = row(total + 1, { id: "hold-1/pending", state: "pending", at_ms: Date.now() });
if (wanted.has("pending")) book = [pending, ...book];
let purse = wallet({
  rows: book.length,
  heard_ms: Date.now() - 3 * MINUTE,
  ...(wanted.has("first")
    ? { available: 0, earned: 0, granted: 0, free: 0, held: 0, others: 0, earned_today: 0, spent_today: 0 }
    : {}),
  ...(wanted.has("pending") ? { pending: 1_330_000, waiting: WAITING, notary: "asleep" as const } : {}),
  ...(wanted.has("much") ? { available: 1_234_567_345_678, daily_limit: 50_000_000 } : {}),
});
for (let before = total + 2; before > 0; before--) {
  const from = book.filter(({ number }) => number < before);
  for (const limit of [50, 500]) {
    const page = {
      rows: from.slice(0, limit),
      next: from[limit] === undefined ? null : from[limit - 1]?.number,
    };
    fake.answer(`GET /wallet/rows?limit=${limit}&before=${before}`, () => page);
    if (before === total + 2) fake.answer(`GET /wallet/rows?limit=${limit}`, () => page);
  }
}
fake.answer("GET /wallet", () => purse);
fake.answer("GET /wallet/verify", () =>
  wanted.has("wrong")
    ? { ...CHECK, agrees: false, problems: ["Order 7k2f… is in the log, and no certificate names it."] }
    : CHECK,
);
const CHECK = {
  agrees: true,
  certificates: 42,
  rows: book.length,
  available: purse.available,
  held: purse.held,
  problems: [],
};
fake.answer("POST /tasks/quote", () => {
  const price = Number(wanted.get("price") ?? 20_000);
  const enough = price <= purse.available;
  return {
    price,
    texts: 1,
    bytes: 72,
    computers: 3,
    available: purse.available,
    enough,
    unpaid: false,
    detail: "",
  };
});

mount(App, { target, props: { transport: fake } });
flushSync();
if (state === "unreachable") {
  fake.link({ state: "unreachable", problem: problem("E1001", "No daemon is running") });
} else if (state !== "connecting") {
  fake.snapshot(now, state === "alone" ? null : purse, state === "alone" ? [] : book.slice(0, 20));
}
if (wanted.has("arrive")) setTimeout(arrive, 400);
if (wanted.has("type")) setTimeout(type, 50);
if (wanted.has("press")) setTimeout(() => press(wanted.get("press") ?? ""), 50);
if (wanted.has("run")) setTimeout(run, 50);
if (wanted.has("details")) setTimeout(() => document.querySelector<HTMLElement>("tbody button")?.click(), 50);
if (wanted.has("open")) {
  setTimeout(() => {
    const folds = [...document.querySelectorAll<HTMLDetailsElement>(".page > details")];
    const one = Number(wanted.get("open"));
    folds.forEach((fold, index) => (fold.open = wanted.get("open") === "" || index === one));
    folds[one]?.scrollIntoView();
  }, 100);
}
if (wanted.has("invite")) setTimeout(() => press("Invite somebody"), 50);

function arrive() {
  const came = row(total + 2, { at_ms: Date.now() });
  book = [came, ...book];
  purse = {
    ...purse,
    available: purse.available + came.amount,
    earned: purse.earned + came.amount,
    earned_today: purse.earned_today + came.amount,
    rows: book.length,
  };
  fake.change({ event: "wallet", data: purse });
  fake.change({ event: "row", data: came });
}

function run() {
  type();
  press("Run");
}

function type() {
  const box = document.querySelector("textarea");
  if (box === null) return;
  box.value = TEXT;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  document.querySelector<HTMLElement>(`input[value="${wanted.get("privacy") ?? "public"}"]`)?.click();
}

function press(name: string) {
  [...document.querySelectorAll("button")].find((button) => button.textContent?.trim() === name)?.click();
}

function play(steps: number) {
  const pace = wanted.has("slow") ? 900 : 30;
  for (let step = 2; step <= Math.min(steps, 4); step++) {
    setTimeout(() => fake.change({ event: "task", data: task(step) }), step * pace);
  }
  if (wanted.has("fail")) {
    const failed: Partial<Task> = {
      state: "failed",
      error: { code: "E2008", message: "The deadline passed" },
      providers: [OTHER],
    };
    setTimeout(() => fake.change({ event: "task", data: task(3, failed) }), 5 * pace);
  }
}

function isState(name: string): name is NodeState {
  return ["starting", "working", "waiting", "paused", "offline", "alone", "stopping"].includes(name);
}
