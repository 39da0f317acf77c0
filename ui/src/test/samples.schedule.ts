// Settings, rules and a day as the daemon would tell them. For tests and the gallery only.

import { ProblemError } from "../api/transport";
import type { ConfigEntry, RuleState, Schedule, SignalSeen, Timeline, TimelineChange } from "../api/types";
import { NAMES, keyOf } from "../state/presets";
import { parseWeek } from "../state/week";
import type { FakeTransport } from "./fake";
import { problem } from "./fake";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function seen(by: string, reading: SignalSeen["reading"], untold: string | null = null): SignalSeen {
  return { source: "tray-4242", by, age_ms: 12_000, reading: reading ?? null, untold };
}

export function rule(name: string, more: Partial<RuleState> = {}): RuleState {
  return {
    rule: name,
    applies: "yes",
    untold: null,
    effect: "free",
    reason: null,
    resumes: null,
    seen: [],
    ...more,
  };
}

const cannot = (name: string, untold: string) =>
  rule(name, { applies: "cannot_tell", untold, seen: [seen("nothing", null, untold)] });

/** A desktop computer in use: no battery, no sensor. */
export function rules(): RuleState[] {
  return [
    rule("by_hand"),
    cannot("heat_critical", "absent"),
    rule("memory_critical"),
    rule("disk_critical"),
    rule("hours", { seen: [seen("clock", { kind: "zone", minutes: 120 })] }),
    rule("owner", {
      effect: "blocks",
      reason: { code: "owner" },
      resumes: { code: "after_idle", ms: 180_000 },
      seen: [seen("ext-idle-notify", { kind: "input", idle_ms: 4_000 })],
    }),
    rule("owner_untold"),
    rule("full_screen", { seen: [seen("x11", { kind: "full_screen", full_screen: false })] }),
    rule("inhibitor", {
      effect: "blocks",
      reason: { code: "inhibitor", inhibitor: "media" },
      resumes: { code: "when_over" },
      seen: [seen("screensaver", { kind: "inhibitor", inhibitor: "media" })],
    }),
    cannot("battery", "absent"),
    cannot("power_saver", "absent"),
    rule("metered", { seen: [seen("networkmanager", { kind: "metered", metered: false })] }),
    rule("network_hours"),
    rule("data_allowance", { applies: "off" }),
    cannot("temperature", "absent"),
    rule("load", { seen: [seen("procfs", { kind: "load", others_permille: 84 })] }),
    rule("memory", {
      seen: [seen("procfs", { kind: "memory", available_bytes: 5.1 * 2 ** 30, total_bytes: 2 ** 34 })],
    }),
    rule("disk_free", { seen: [seen("filesystem", { kind: "disk", free_bytes: 120 * 2 ** 30 })] }),
    rule("disk_quota"),
    rule("starting"),
  ];
}

export function schedule(more: Partial<Schedule> = {}): Schedule {
  const sentence = "Waiting: you are using the computer. Resumes 3 minutes after you stop.";
  return {
    sentence,
    preset: "quiet",
    classes: [{ class: "guest", runs: false, sentence }],
    rules: rules(),
    processors: 8,
    zone_minutes: 120,
    ...more,
  };
}

export function entry(
  key: string,
  value: unknown,
  source = value === null ? "default" : "file",
): ConfigEntry {
  return { key, value, source, help: "", needs_restart: false };
}

export function config(own: Record<string, unknown> = {}): ConfigEntry[] {
  const keys = NAMES.map((name) => keyOf(name));
  return [
    entry("schedule.preset", own["schedule.preset"] ?? "quiet"),
    ...keys.map((key) => entry(key, own[key] ?? null)),
    entry("network.listen_port", 0),
  ];
}

/** A daemon that keeps what it is told, and refuses what excludes each other. */
export function settable(fake: FakeTransport, own: Record<string, unknown> = {}): Map<string, unknown> {
  const kept = new Map(config(own).map(({ key, value }) => [key, value]));
  const refuse = (detail: string, hint: string) => {
    const place = "/home/sample/.config/p2p-agent/config.yaml:7: ";
    const refusal = problem("E1005", "The configuration cannot be used", place + detail);
    throw new ProblemError({ ...refusal, hint });
  };
  fake.answer("GET /config", () => [...kept].map(([key, value]) => entry(key, value)));
  fake.answer("GET /schedule", () => schedule({ preset: String(kept.get("schedule.preset")) }));
  for (const key of kept.keys()) {
    fake.answer(`PUT /config/${key}`, (body) => {
      const { value } = body as { value: unknown };
      const after = new Map(kept).set(key, value);
      const hours = after.get("schedule.hours");
      if (typeof hours === "string" && parseWeek(hours) === null)
        refuse(`${key} cannot be understood`, "Write it so");
      if (hours === "never") {
        refuse("schedule.hours: there is no hour in which guests may work", "Name at least one half hour");
      }
      if (after.get("schedule.when") === "always" && typeof hours === "string" && hours !== "always") {
        refuse("schedule.hours: `always` and only certain hours exclude each other", "Set `when` to `hours`");
      }
      kept.set(key, value);
      return entry(key, value);
    });
  }
  return kept;
}

function change(at_ms: number, code: string | null, sentence: string, more: Partial<TimelineChange> = {}) {
  return { at_ms, runs: code === null, code, reason: null, cause: "told", sentence, ...more };
}

/** A day with a night, some work at the computer, a lunch and a flat battery. */
export function timeline(now = Date.now()): Timeline {
  const at = (hours: number) => now - hours * HOUR;
  const ready = "Ready: up to 2 of 8 cores.";
  const using = "Waiting: you are using the computer. Resumes 3 minutes after you stop.";
  return {
    from_ms: at(24),
    to_ms: now,
    changes: [
      change(at(26), "owner", using),
      change(at(22.5), null, ready),
      change(at(20.2), "hours", "Waiting: outside the hours you set. Resumes at 22:00."),
      change(at(16), null, ready),
      change(at(9.5), "owner", using),
      change(at(8.1), null, ready),
      change(at(7.9), "owner", using),
      change(at(5.5), "stopped", "Not running."),
      change(at(4.6), "battery", "Paused: on battery, 82 %. Resumes on mains power."),
      change(at(3.2), null, ready),
      change(at(2.5), "by_hand", "Paused by you until 16:00."),
      change(at(1.5), null, ready),
      change(at(0.4), "owner", using),
    ],
  };
}
