import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FakeTransport, peerDetails, problem } from "../test/fake";
import { status, task } from "../test/samples";
import { NodeStore } from "./node.svelte";

let fake: FakeTransport;
let node: NodeStore;

beforeEach(() => {
  vi.useFakeTimers();
  fake = new FakeTransport();
  node = new NodeStore(fake);
  node.open();
});

afterEach(() => {
  node.close();
  vi.useRealTimers();
});

describe("what the app knows of the node", () => {
  it("starts with the snapshot and follows the numbered changes", () => {
    expect(node.link.state).toBe("connecting");
    fake.snapshot(status("waiting"));
    expect(node.link.state).toBe("open");
    expect(node.status?.state).toBe("waiting");
    fake.change({ event: "status", data: status("working") });
    expect(node.status?.state).toBe("working");
    expect(fake.follows).toBe(1);
  });

  it("opens the stream again when a number is missing, and believes nothing after the gap", async () => {
    fake.snapshot(status("waiting"));
    fake.change({ event: "status", data: status("working") }, 1);
    expect(node.status?.state).toBe("waiting");
    await vi.advanceTimersByTimeAsync(0);
    expect(fake.follows).toBe(2);
    fake.snapshot(status("paused"));
    expect(node.status?.state).toBe("paused");
  });

  it("does not open again and again when the count is lost every time", async () => {
    for (let round = 0; round < 10; round++) {
      fake.snapshot(status("waiting"));
      fake.change({ event: "status", data: status("working") }, 3);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(fake.follows).toBeLessThan(4);
  });

  it("takes no change before a snapshot", async () => {
    fake.change({ event: "status", data: status("working") });
    expect(node.status).toBeNull();
    await vi.advanceTimersByTimeAsync(0);
    expect(fake.follows).toBe(2);
  });

  it("keeps the status while the daemon is away, and says that it is", () => {
    fake.snapshot(status("waiting"));
    fake.link({ state: "unreachable", problem: problem("E1001", "No daemon is running") });
    expect(node.link.state).toBe("unreachable");
    expect(node.status?.state).toBe("waiting");
  });
});

describe("tasks", () => {
  it("never go back when the answer to the submission comes after its events", () => {
    fake.snapshot(status("waiting"));
    fake.change({ event: "task", data: task(3) });
    node.keepTask(task(1));
    expect(node.tasks.get(task(1).task_id)?.stages).toHaveLength(3);
    fake.change({ event: "task", data: task(4) });
    expect(node.tasks.get(task(1).task_id)?.state).toBe("done");
  });

  it("are forgotten from the oldest on", () => {
    fake.snapshot(status("waiting"));
    for (let index = 0; index < 80; index++) {
      fake.change({ event: "task", data: task(1, { task_id: `task-${index}` }) });
    }
    expect(node.tasks.size).toBe(50);
    expect(node.tasks.has("task-0")).toBe(false);
    expect(node.tasks.has("task-79")).toBe(true);
  });

  it("that were open are read again after a reconnection", async () => {
    fake.snapshot(status("waiting"));
    node.keepTask(task(2));
    fake.answer(`GET /tasks/${task(2).task_id}`, () => task(4));
    fake.link({ state: "unreachable" });
    fake.snapshot(status("waiting"));
    await vi.advanceTimersByTimeAsync(0);
    expect(node.tasks.get(task(2).task_id)?.state).toBe("done");
  });

  it("that the daemon no longer knows have failed", async () => {
    fake.snapshot(status("waiting"));
    node.keepTask(task(2));
    fake.refuse(`GET /tasks/${task(2).task_id}`, "E2007", "There is no such task");
    fake.snapshot(status("waiting"));
    await vi.advanceTimersByTimeAsync(0);
    expect(node.tasks.get(task(2).task_id)).toMatchObject({ state: "failed", error: { code: "E2007" } });
  });
});

describe("what the person changes", () => {
  it("pauses and resumes", async () => {
    fake.snapshot(status("waiting"));
    fake.answer("POST /node/pause", () => status("paused"));
    await node.setPaused(true);
    expect(node.status?.state).toBe("paused");
  });

  it("trusts a computer", async () => {
    const now = status("waiting");
    const other = now.peers[1];
    if (other === undefined) throw new Error("the sample has peers");
    fake.snapshot(now);
    fake.answer(`PUT /peers/${other.device_id}/trust`, () => ({
      ...peerDetails(now, other.device_id),
      trusted: true,
    }));
    await node.setTrusted(other.device_id, true);
    expect(node.status?.peers[1]?.trusted).toBe(true);
    expect(fake.calls.at(-1)?.body).toEqual({ trusted: true });
  });
});
