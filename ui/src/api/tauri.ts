// The road through the tray app: one command that forwards calls, one channel that forwards events.

import { Channel, invoke } from "@tauri-apps/api/core";

import { cleanAll } from "./clean";
import { ProblemError, isProblem, unreachable } from "./transport";
import type { EventListener, Link, Method, Transport } from "./transport";
import type { DaemonEvent } from "./types";

/** What the tray app sends: the daemon's events as they are, and whether it can be reached. */
type Message = { kind: "link"; link: Link } | { kind: "event"; event: DaemonEvent };

type Reply = { status: number; body: unknown };

export class TauriTransport implements Transport {
  readonly canStart = true;

  async call(method: Method, path: string, body?: unknown): Promise<unknown> {
    const reply = await ask<Reply>("call", { method, path, body: body ?? null });
    if (reply.status < 400) return reply.body;
    if (isProblem(reply.body)) throw new ProblemError(cleanAll(reply.body));
    throw new ProblemError(unreachable(`The answer was ${reply.status}.`));
  }

  follow(listener: EventListener): () => void {
    let stopped = false;
    const channel = new Channel<Message>((message) => {
      if (stopped) return;
      if (message.kind === "link") listener.link(cleanAll(message.link));
      else listener.event(cleanAll(message.event));
    });
    ask<null>("follow", { channel }).catch((error: unknown) => {
      if (!stopped && error instanceof ProblemError) {
        listener.link({ state: "unreachable", problem: error.problem });
      }
    });
    // The tray app replaces the channel at the next call, so there is nothing to close on its side.
    return () => {
      stopped = true;
    };
  }

  /** The window goes nowhere but to its own pages: the tray app writes the file, under a name of its own. */
  save(_name: string, text: string): Promise<string> {
    return ask<string>("save_rows", { text });
  }

  async start(): Promise<void> {
    await ask<null>("start_daemon", {});
  }
}

async function ask<T>(command: string, args: Record<string, unknown>): Promise<T> {
  try {
    return await invoke<T>(command, args);
  } catch (thrown) {
    throw new ProblemError(isProblem(thrown) ? cleanAll(thrown) : unreachable(String(thrown)));
  }
}
