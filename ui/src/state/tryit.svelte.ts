// The "try it" box: what was typed, where it may run, and the task it became. Lives longer than its page.

import { cut } from "../api/clean";
import { problemOf } from "../api/transport";
import type { Privacy, Problem, Quote, SubmitTask, Task } from "../api/types";
import { isFinished } from "./node.svelte";
import type { NodeStore } from "./node.svelte";

/** Refusals about credits: they say what a run would have met. */
const CREDIT_PROBLEMS = ["E5002", "E5003", "E5004"];

/** What one text would cost with one choice of who may see it. */
interface Price {
  privacy: Privacy;
  quote: Quote | null;
  problem: Problem | null;
}

export class TryIt {
  text = $state("");
  privacy = $state<Privacy>("local");
  /** Submitted, and no answer to the submission yet. */
  sending = $state(false);
  problem = $state.raw<Problem | null>(null);
  /** Pressed Run with nothing in the box. */
  empty = $state(false);
  /** What was asked, to show beside the answer when the box has changed since. */
  asked = $state.raw<string | null>(null);

  #price = $state.raw<Price | null>(null);
  #asking = 0;
  #id = $state<string | null>(null);
  readonly #node: NodeStore;

  constructor(node: NodeStore) {
    this.#node = node;
  }

  get task(): Task | null {
    return this.#id === null ? null : (this.#node.tasks.get(this.#id) ?? null);
  }

  get busy(): boolean {
    return this.sending || (this.task !== null && !isFinished(this.task));
  }

  /** The box holds another text than the one that was asked about. */
  get changed(): boolean {
    return this.asked !== null && brief(this.text) !== this.asked;
  }

  /** The price as it was last told, while the choice is still the same. */
  get price(): Price | null {
    return this.#price?.privacy === this.privacy ? this.#price : null;
  }

  /** Asks what it would cost. Nothing waits for the answer, and none is no reason not to run. */
  async askPrice(): Promise<void> {
    const asking = ++this.#asking;
    const privacy = this.privacy;
    let price: Price | null = null;
    try {
      price = { privacy, quote: await this.#node.client.quote(this.#request()), problem: null };
    } catch (thrown) {
      const problem = problemOf(thrown);
      if (CREDIT_PROBLEMS.includes(problem.code)) price = { privacy, quote: null, problem };
    }
    if (asking === this.#asking) this.#price = price;
  }

  forgetPrice(): void {
    this.#asking += 1;
    this.#price = null;
  }

  async run(): Promise<void> {
    if (this.busy) return;
    this.problem = null;
    this.empty = this.text.trim() === "";
    if (this.empty) return;
    this.#id = null;
    this.sending = true;
    this.asked = brief(this.text);
    try {
      const task = await this.#node.client.submit(this.#request());
      this.#node.keepTask(task);
      this.#id = task.task_id;
    } catch (thrown) {
      this.problem = problemOf(thrown);
    } finally {
      this.sending = false;
    }
  }

  async cancel(): Promise<void> {
    if (this.#id === null) return;
    try {
      this.#node.keepTask(await this.#node.client.cancel(this.#id));
    } catch (thrown) {
      this.problem = problemOf(thrown);
    }
  }

  dismiss(): void {
    this.problem = null;
    this.#id = null;
  }

  #request(): SubmitTask {
    return {
      kind: "sentiment",
      texts: [this.text],
      privacy: this.privacy,
      where: "auto",
      priority: "normal",
    };
  }
}

/** What another computer could not do, this one can: it costs nothing, and asks nobody. */
export function runsHere(code: string): boolean {
  return ["E2006", "E2010", ...CREDIT_PROBLEMS].includes(code);
}

function brief(text: string): string {
  return cut(text.trim(), 120);
}
