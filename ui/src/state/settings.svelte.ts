// When this computer may work for others: the settings, what the preset says where they say nothing, and how
// each rule stands. Read when the page opens and when the daemon says that something changed, never by itself.

import type { Client } from "../api/client";
import { problemOf } from "../api/transport";
import type { ConfigEntry, Problem, RuleState, Schedule } from "../api/types";
import { NAMES, PRESETS, VALUES, keyOf } from "./presets";
import type { Name, Preset, Values, When } from "./presets";
import { Refetch } from "./refetch";

export class SettingsStore {
  entries = $state.raw<ReadonlyMap<string, ConfigEntry>>(new Map());
  schedule = $state.raw<Schedule | null>(null);
  /** Why nothing could be read. */
  problem = $state.raw<Problem | null>(null);
  /** Why a setting was not changed, until it is changed. */
  refused = $state.raw<ReadonlyMap<Name | "preset", Problem>>(new Map());

  readonly #client: Client;
  readonly #refetch = new Refetch(() => this.#readSchedule());
  /** Changes are made one after the other, as they were asked for. */
  #queue: Promise<unknown> = Promise.resolve();
  /** The hours that "always" took away, in case they are wanted back. */
  #hours: string | null = null;

  constructor(client: Client) {
    this.#client = client;
  }

  get known(): boolean {
    return this.entries.size > 0 && this.schedule !== null;
  }

  get preset(): Preset {
    const value = this.entries.get(keyOf("preset"))?.value;
    return PRESETS.find((preset) => preset === value) ?? "quiet";
  }

  get processors(): number {
    return Math.max(this.schedule?.processors ?? 1, 1);
  }

  /** The settings that say something of their own. */
  get own(): Name[] {
    return NAMES.filter((name) => !this.follows(name));
  }

  follows(name: Name): boolean {
    return (this.entries.get(keyOf(name))?.value ?? null) === null;
  }

  /** Whether the environment says it: then no page can change it. */
  fixed(name: Name | "preset"): boolean {
    return this.entries.get(keyOf(name))?.source === "environment";
  }

  /** What counts now: the setting's own value, or the preset's. */
  value<N extends Name>(name: N): Values[N] {
    const own = this.entries.get(keyOf(name))?.value ?? null;
    const usual = VALUES[this.preset][name];
    if (own !== null && typeof own === typeof usual) return own as Values[N];
    // Hours alone mean these hours, where the preset would work always.
    if (name === "when" && usual === "always" && !this.follows("hours")) return "hours" as Values[N];
    return usual;
  }

  rule(name: string): RuleState | undefined {
    return this.schedule?.rules.find(({ rule }) => rule === name);
  }

  /** Everything there is, once. */
  async read(): Promise<void> {
    try {
      const [entries, schedule] = await Promise.all([this.#client.config(), this.#client.schedule()]);
      this.entries = new Map(entries.map((entry) => [entry.key, entry]));
      this.schedule = schedule;
      this.problem = null;
    } catch (thrown) {
      this.problem = problemOf(thrown);
    }
  }

  /** The daemon says that something changed. */
  heard(): void {
    if (this.known) this.#refetch.soon();
  }

  close(): void {
    this.#refetch.close();
  }

  /** Changes a setting at once; `null` is what the preset says. Gives whether it was accepted. */
  set(name: Name | "preset", value: unknown): Promise<boolean> {
    const change = this.#queue.then(() => this.#set(name, value));
    this.#queue = change;
    return change;
  }

  /** `always` and certain hours exclude each other, so the hours go, and come back with `hours`. */
  async setWhen(when: When): Promise<boolean> {
    if (when === "always" && this.value("hours") !== "always") {
      const hours = this.value("hours");
      if (!(await this.set("hours", null))) return false;
      this.#hours = hours;
    }
    if (!(await this.set("when", when))) return false;
    if (when === "hours" && this.#hours !== null && this.follows("hours")) {
      await this.set("hours", this.#hours);
      this.#hours = null;
    }
    return true;
  }

  /** Everything as the preset says. */
  async follow(): Promise<void> {
    for (const name of this.own) {
      if (!(await this.set(name, null))) return;
    }
  }

  async #set(name: Name | "preset", value: unknown): Promise<boolean> {
    try {
      const entry = await this.#client.setConfig(keyOf(name), value);
      this.entries = new Map(this.entries).set(entry.key, entry);
      this.#refuse(name, null);
      this.#refetch.soon();
      return true;
    } catch (thrown) {
      this.#refuse(name, problemOf(thrown));
      return false;
    }
  }

  #refuse(name: Name | "preset", problem: Problem | null): void {
    const refused = new Map(this.refused);
    if (problem === null) refused.delete(name);
    else refused.set(name, problem);
    this.refused = refused;
  }

  async #readSchedule(): Promise<void> {
    try {
      this.schedule = await this.#client.schedule();
    } catch {
      // What is shown stays; a daemon that is gone is said by the link.
      return;
    }
    // Somebody chose another preset elsewhere.
    if (this.schedule.preset !== this.preset) await this.read();
  }
}
