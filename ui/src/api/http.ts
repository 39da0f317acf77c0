// The road of the dashboard. The door's cookie travels by itself. Events are read by fetch too and not by
// EventSource, which keeps to itself why a stream was refused.

import { cleanAll } from "./clean";
import { SseReader } from "./sse";
import { ProblemError, isProblem, unreachable } from "./transport";
import type { EventListener, Method, Transport } from "./transport";
import type { DaemonEvent } from "./types";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;

export class HttpTransport implements Transport {
  readonly canStart = false;

  async call(method: Method, path: string, body?: unknown): Promise<unknown> {
    const response = await this.#fetch(path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return text === "" ? null : JSON.parse(text);
  }

  follow(listener: EventListener): () => void {
    const abort = new AbortController();
    void this.#followUntil(abort.signal, listener);
    return () => abort.abort();
  }

  async start(): Promise<void> {
    throw new ProblemError(unreachable("A page in a browser cannot start a program."));
  }

  async save(name: string, text: string): Promise<string> {
    const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
    // The browser reads it after the click has ended.
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    return name;
  }

  async #followUntil(signal: AbortSignal, listener: EventListener): Promise<void> {
    let wait = FIRST_WAIT_MS;
    while (!signal.aborted) {
      try {
        const response = await this.#fetch("/api/v1/events", { signal });
        listener.link({ state: "open" });
        for await (const data of readEvents(response, signal)) {
          wait = FIRST_WAIT_MS;
          listener.event(cleanAll(JSON.parse(data) as DaemonEvent));
        }
        if (signal.aborted) return;
        listener.link({ state: "unreachable" });
      } catch (thrown) {
        if (signal.aborted) return;
        const problem = thrown instanceof ProblemError ? thrown.problem : unreachable(String(thrown));
        listener.link({ state: "unreachable", problem });
      }
      await pause(wait, signal);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers();
    if (init.body !== undefined) headers.set("Content-Type", "application/json");
    let response: Response;
    try {
      response = await fetch(path, { ...init, headers, cache: "no-store", credentials: "same-origin" });
    } catch (thrown) {
      throw new ProblemError(unreachable(thrown instanceof Error ? thrown.message : String(thrown)));
    }
    if (response.ok) return response;
    const body: unknown = await response.json().catch(() => null);
    throw new ProblemError(
      isProblem(body) ? cleanAll(body) : unreachable(`The answer was ${response.status}.`),
    );
  }
}

async function* readEvents(response: Response, signal: AbortSignal): AsyncGenerator<string> {
  const stream = response.body?.getReader();
  if (stream === undefined) return;
  const reader = new SseReader();
  const decoder = new TextDecoder();
  while (!signal.aborted) {
    const { done, value } = await stream.read();
    if (done) return;
    yield* reader.push(decoder.decode(value, { stream: true }));
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
