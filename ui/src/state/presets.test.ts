// The presets as the page describes them are those that the scheduler keeps.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { PRESETS, VALUES } from "./presets";

const source = readFileSync("../crates/scheduler/src/policy/preset.rs", "utf8");
const [, base = "", changed = ""] = /let quiet = Policy \{([^]*?)\n {8}\};([^]*)/.exec(source) ?? [];

/** The fields of a preset: those of Quiet, then its own. */
function fields(preset: string): Map<string, string> {
  const name = preset[0]?.toUpperCase() + preset.slice(1);
  const own = new RegExp(`Self::${name} => Policy \\{([^]*?)\\.\\.quiet`).exec(changed)?.[1] ?? "";
  const all = [...base.matchAll(FIELD), ...own.matchAll(FIELD)];
  return new Map(all.map(([, key = "", value = ""]) => [key, value.trim()]));
}
const FIELD = /^ {12,16}(\w+): (.+),$/gm;

const gib = (text = "") => (text === "GIB" ? 1024 : Number(/^(\d+) \* GIB$/.exec(text)?.[1]) * 1024);
const stop = (text = "") => Number(/stop: (\d+)/.exec(text)?.[1]);

describe.each(PRESETS)("%s", (preset) => {
  const policy = fields(preset);
  const values = VALUES[preset];
  it("is what the scheduler means by it", () => {
    expect(policy.get("when")).toBe(
      values.when === "idle" ? "When::Idle { after_ms: 3 * MINUTE_MS }" : "When::Always",
    );
    expect(values.idle_s).toBe(180);
    expect([policy.get("compute"), policy.get("network")]).toEqual(["Week::ALWAYS", "Week::ALWAYS"]);
    expect(Number(policy.get("cpu_permille"))).toBe(values.cpu_percent * 10);
    expect(gib(policy.get("memory_bytes"))).toBe(values.memory_mb);
    expect(gib(policy.get("least_free_memory_bytes"))).toBe(values.free_memory_mb);
    expect(gib(policy.get("least_free_disk_bytes"))).toBe(values.free_disk_mb);
    expect(gib(policy.get("disk_quota_bytes"))).toBe(values.disk_mb);
    expect([policy.get("data_bytes_a_month"), policy.get("upload_bytes_per_s")]).toEqual(["None", "None"]);
    expect([values.data_mb_a_month, values.upload_kb_per_s]).toEqual([0, 0]);
    expect(stop(policy.get("temperature"))).toBe(values.temperature_c);
    const battery = policy.get("battery");
    expect(battery === "Battery::Never" ? 100 : stop(battery)).toBe(values.battery_percent);
    const others = policy.get("others");
    expect(others === "None" ? 1000 : stop(others)).toBe(values.others_percent * 10);
    for (const name of [
      "metered",
      "power_saver",
      "full_screen",
      "presentations",
      "calls",
      "media",
      "games",
    ] as const) {
      expect(policy.get(`${name}_allowed`), name).toBe(String(values[name]));
    }
  });
});
