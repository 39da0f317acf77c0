// The road to the daemon. Two of them: through the tray app, and through a browser.

import { cleanAll } from "./clean";
import type { DaemonEvent, Problem } from "./types";

export type Method = "GET" | "POST" | "PUT";

/** Whether the daemon can be reached. */
export type Link =
  | { state: "connecting" }
  /** The tray app is starting the daemon. */
  | { state: "starting" }
  | { state: "open" }
  | { state: "unreachable"; problem?: Problem };

export interface EventListener {
  event(event: DaemonEvent): void;
  link(link: Link): void;
}

export interface Transport {
  /** Whether this side can start a daemon that is not running. */
  readonly canStart: boolean;
  /** One call of the control API. Rejects with a {@link ProblemError}. */
  call(method: Method, path: string, body?: unknown): Promise<unknown>;
  /**
   * Follows the event stream and opens it again whenever it ends; every opening begins with a snapshot.
   * The returned function ends it.
   */
  follow(listener: EventListener): () => void;
  /** Leaves the wallet's rows with the person, among their downloads, and gives the file's name or path. */
  save(name: string, text: string): Promise<string>;
  /** Starts the daemon. Rejects with a {@link ProblemError}. */
  start(): Promise<void>;
}

/** A refused call, as the daemon explains it. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
    this.name = "ProblemError";
  }
}

/** The code of everything that goes wrong before an answer is there. */
export const NOT_RUNNING = "E1001";

/** Why no answer came, in the shape of an answer. */
export function unreachable(detail: string): Problem {
  return {
    title: "The node cannot be reached",
    status: 503,
    code: NOT_RUNNING,
    detail: cleanAll(detail),
    hint: "Start it",
    retryable: true,
  };
}

/** Reads whatever was thrown as a problem. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof ProblemError) return thrown.problem;
  if (isProblem(thrown)) return cleanAll(thrown);
  return unreachable(thrown instanceof Error ? thrown.message : String(thrown));
}

export function isProblem(value: unknown): value is Problem {
  return (
    typeof value === "object" &&
    value !== null &&
    "code" in value &&
    typeof value.code === "string" &&
    "title" in value &&
    typeof value.title === "string"
  );
}
