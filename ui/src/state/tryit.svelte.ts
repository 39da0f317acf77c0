// The "try it" box: what was typed, where it may run, and the task it became. Lives longer than its page.

import { cut } from "../api/clean";
import { problemOf } from "../api/transport";
import type { Privacy, Problem, Task } from "../api/types";
import { isFinished } from "./node.svelte";
import type { NodeStore } from "./node.svelte";

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

  async run(): Promise<void> {
    if (this.busy) return;
    this.problem = null;
    this.empty = this.text.trim() === "";
    if (this.empty) return;
    this.#id = null;
    this.sending = true;
    this.asked = brief(this.text);
    try {
      const task = await this.#node.client.submit({
        kind: "sentiment",
        texts: [this.text],
        privacy: this.privacy,
        where: "auto",
        priority: "normal",
      });
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
}

function brief(text: string): string {
  return cut(text.trim(), 120);
}
