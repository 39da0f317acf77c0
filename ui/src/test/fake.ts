// A daemon of cardboard, for tests and the gallery only: it is never part of a build.

import { ProblemError } from "../api/transport";
import type { EventListener, Link, Method, Transport } from "../api/transport";
import type { DaemonEvent, PeerDetails, Problem, Status, Wallet, WalletRow } from "../api/types";

type Answer = (body: unknown) => unknown;

export class FakeTransport implements Transport {
  canStart = true;
  /** Every call, as `METHOD path`, with its body. */
  calls: { call: string; body: unknown }[] = [];
  follows = 0;
  started = 0;
  /** What was left with the person. */
  saved: { name: string; text: string }[] = [];
  readonly answers = new Map<string, Answer>();
  #listener: EventListener | null = null;
  #number = 10;

  /** What a call returns, or throws where it is a problem. */
  answer(call: string, answer: Answer): this {
    this.answers.set(call, answer);
    return this;
  }

  refuse(call: string, code: string, title: string, detail = "because of a test"): this {
    return this.answer(call, () => {
      throw new ProblemError(problem(code, title, detail));
    });
  }

  call(method: Method, path: string, body?: unknown): Promise<unknown> {
    const call = `${method} ${path.replace("/api/v1", "")}`;
    this.calls.push({ call, body });
    return new Promise((resolve) => {
      const answer = this.answers.get(call);
      if (answer === undefined) throw new ProblemError(problem("E4001", `Nothing answers ${call}`));
      resolve(answer(body));
    });
  }

  async save(name: string, text: string): Promise<string> {
    this.saved.push({ name, text });
    return name;
  }

  follow(listener: EventListener): () => void {
    this.follows += 1;
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = null;
    };
  }

  start(): Promise<void> {
    this.started += 1;
    return Promise.resolve();
  }

  link(link: Link): void {
    this.#listener?.link(link);
  }

  snapshot(status: Status, wallet: Wallet | null = null, rows: WalletRow[] = []): void {
    this.#listener?.link({ state: "open" });
    const data = { status, tasks: [], wallet, rows };
    this.#listener?.event({ number: this.#number, event: "snapshot", data });
  }

  /** The next change; `skip` of them get lost on the way. */
  change(change: Pick<Exclude<DaemonEvent, { event: "snapshot" }>, "event" | "data">, skip = 0): void {
    this.#number += 1 + skip;
    this.#listener?.event({ ...change, number: this.#number } as DaemonEvent);
  }
}

export function problem(code: string, title: string, detail = "because of a test"): Problem {
  return { title, status: 400, code, detail, hint: "Do something else", retryable: false };
}

export function peerDetails(status: Status, id: string): PeerDetails {
  const summary = status.peers.find((peer) => peer.device_id === id);
  if (summary === undefined) throw new ProblemError(problem("E3005", "There is no such peer"));
  return {
    ...summary,
    account_id: null,
    agent_version: "p2p-agent/0.1.0",
    protocols: [],
    addresses: ["/ip4/192.168.1.23/udp/9000/quic-v1", "/ip4/192.168.1.23/tcp/9000"],
    kinds: ["embed", "chunk", "sentiment"],
    workers: 1,
    load: 0.5,
    connected_since_ms: 1_760_000_000_000,
    tasks_done: 31,
    tasks_failed: 1,
  };
}
