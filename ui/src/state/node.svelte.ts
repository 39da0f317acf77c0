// What the app knows about the node: fed by one snapshot and numbered changes, never by asking again.

import { Client } from "../api/client";
import { problemOf } from "../api/transport";
import type { Link, Transport } from "../api/transport";
import type { DaemonEvent, PauseRequest, PeerDetails, Status, Task } from "../api/types";
import { WalletStore } from "./wallet.svelte";

const NO_SUCH_TASK = "E2007";

/** Whole tasks that stay known; the oldest go first. */
const KEPT_TASKS = 50;
/** A stream that loses its count twice in this time is not opened at once. */
const REOPEN_EVERY_MS = 2_000;

export class NodeStore {
  readonly client: Client;
  readonly canStart: boolean;
  readonly wallet: WalletStore;

  /** Whether the daemon can be reached. `status` keeps what was last known. */
  link = $state.raw<Link>({ state: "connecting" });
  status = $state.raw<Status | null>(null);
  tasks = $state.raw<ReadonlyMap<string, Task>>(new Map());

  readonly #transport: Transport;
  #stop: (() => void) | null = null;
  #number: number | null = null;
  #reopenedAt = -REOPEN_EVERY_MS;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.client = new Client(transport);
    this.canStart = transport.canStart;
    this.wallet = new WalletStore(this.client);
  }

  /** Follows the daemon until `close`. */
  open(): void {
    this.close();
    this.#number = null;
    this.#stop = this.#transport.follow({
      event: (event) => this.#take(event),
      link: (link) => this.#setLink(link),
    });
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#stop?.();
    this.#stop = null;
    this.wallet.close();
  }

  async start(): Promise<void> {
    await this.#transport.start();
  }

  /** Leaves the wallet's rows with the person; gives the file's name or path. */
  async save(name: string, text: string): Promise<string> {
    return this.#transport.save(name, text);
  }

  async setPaused(paused: boolean): Promise<void> {
    this.#setStatus(await (paused ? this.client.pause() : this.client.resume()));
  }

  /** Pauses by hand, until its end where it has one. */
  async pause(request: PauseRequest): Promise<void> {
    this.#setStatus(await this.client.pause(request));
  }

  async setTrusted(id: string, trusted: boolean): Promise<PeerDetails> {
    const details = await this.client.trust(id, trusted);
    if (this.status !== null) {
      const peers = this.status.peers.map((peer) =>
        peer.device_id === id ? { ...peer, trusted: details.trusted } : peer,
      );
      this.status = { ...this.status, peers };
    }
    return details;
  }

  /** The answer says nothing of what is so now, so that is read once. */
  async leaveNetwork(): Promise<void> {
    await this.client.leaveNetwork();
    this.#setStatus(await this.client.status());
  }

  /** Keeps what a call answered, unless an event already told more. */
  keepTask(task: Task): void {
    const known = this.tasks.get(task.task_id);
    if (known !== undefined && known.stages.length >= task.stages.length) return;
    const tasks = new Map(this.tasks).set(task.task_id, task);
    for (const id of tasks.keys()) {
      if (tasks.size <= KEPT_TASKS) break;
      tasks.delete(id);
    }
    this.tasks = tasks;
  }

  /** Credits count in one network: in another, or in none, what was known of them is over. */
  #setStatus(status: Status): void {
    const before = this.status?.network?.id ?? null;
    this.status = status;
    const network = status.network?.id ?? null;
    if (network === before) return;
    if (network === null) this.wallet.reset(null, []);
    else void this.wallet.reread();
  }

  #setLink(link: Link): void {
    this.link = link;
    if (link.state !== "open") this.#number = null;
  }

  #take(event: DaemonEvent): void {
    if (event.event === "snapshot") {
      this.#number = event.number;
      this.link = { state: "open" };
      this.status = event.data.status;
      this.wallet.reset(event.data.wallet ?? null, event.data.rows);
      void this.#refreshOpenTasks();
      return;
    }
    if (this.#number === null || event.number !== this.#number + 1) {
      this.#reopen();
      return;
    }
    this.#number = event.number;
    if (event.event === "status") this.#setStatus(event.data);
    else if (event.event === "task") this.#replaceTask(event.data);
    else if (event.event === "wallet") this.wallet.set(event.data);
    else if (event.event === "row") this.wallet.take(event.data);
  }

  #replaceTask(task: Task): void {
    const tasks = new Map(this.tasks);
    tasks.delete(task.task_id);
    this.tasks = tasks;
    this.keepTask(task);
  }

  /** A snapshot names tasks in short only: those that the app still waits for are read once. */
  async #refreshOpenTasks(): Promise<void> {
    const open = [...this.tasks.values()].filter((task) => !isFinished(task));
    for (const task of open) {
      try {
        this.#replaceTask(await this.client.task(task.task_id));
      } catch (thrown) {
        // The daemon that knew it ended; whoever waits for it must hear so.
        const { code, title } = problemOf(thrown);
        if (code === NO_SUCH_TASK) {
          this.#replaceTask({ ...task, state: "failed", error: { code, message: title } });
        }
      }
    }
  }

  #reopen(): void {
    this.close();
    const since = Date.now() - this.#reopenedAt;
    this.#timer = setTimeout(
      () => {
        this.#reopenedAt = Date.now();
        this.open();
      },
      since >= REOPEN_EVERY_MS ? 0 : REOPEN_EVERY_MS,
    );
  }
}

export function isFinished(task: Task): boolean {
  return ["done", "partial", "failed", "cancelled"].includes(task.state);
}
