// Every state of the app on a cardboard daemon, to look at while drawing: `npm run dev`, then
// /gallery.html?state=working&run=4#/network. Not part of the build.

import { flushSync, mount } from "svelte";

import App from "../App.svelte";
import type { NodeState, Task } from "../api/types";
import "../app.css";
import { FakeTransport, peerDetails, problem } from "./fake";
import { OTHER, peers, status, task } from "./samples";

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

mount(App, { target, props: { transport: fake } });
flushSync();
if (state === "unreachable") {
  fake.link({ state: "unreachable", problem: problem("E1001", "No daemon is running") });
} else if (state !== "connecting") {
  fake.snapshot(now);
}
if (wanted.has("run")) setTimeout(run, 50);
if (wanted.has("details")) setTimeout(() => document.querySelector<HTMLElement>("tbody button")?.click(), 50);
if (wanted.has("invite")) setTimeout(() => press("Invite somebody"), 50);

function run() {
  const box = document.querySelector("textarea");
  if (box === null) return;
  box.value = TEXT;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  document.querySelector<HTMLElement>(`input[value="${wanted.get("privacy") ?? "public"}"]`)?.click();
  press("Run");
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
