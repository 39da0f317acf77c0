// What each preset means for the settings under `schedule.`. A setting that is null follows it. A test holds
// these against the scheduler's own.

export const PRESETS = ["quiet", "balanced", "full"] as const;
export type Preset = (typeof PRESETS)[number];

export type When = "idle" | "always" | "hours";

export interface Values {
  when: When;
  idle_s: number;
  hours: string;
  network_hours: string;
  cpu_percent: number;
  memory_mb: number;
  /** It works above this much: 100 is never on battery, 0 is always. */
  battery_percent: number;
  temperature_c: number;
  /** 100 is no such rule. */
  others_percent: number;
  metered: boolean;
  power_saver: boolean;
  full_screen: boolean;
  presentations: boolean;
  calls: boolean;
  media: boolean;
  games: boolean;
  free_memory_mb: number;
  free_disk_mb: number;
  disk_mb: number;
  /** 0 is no limit. */
  data_mb_a_month: number;
  /** 0 is no limit. */
  upload_kb_per_s: number;
}

/** A setting's name without its section. */
export type Name = keyof Values;
export type NumberName = { [K in Name]: Values[K] extends number ? K : never }[Name];
export type FlagName = { [K in Name]: Values[K] extends boolean ? K : never }[Name];

const quiet: Values = {
  when: "idle",
  idle_s: 180,
  hours: "always",
  network_hours: "always",
  cpu_percent: 25,
  memory_mb: 1024,
  battery_percent: 100,
  temperature_c: 75,
  others_percent: 25,
  metered: false,
  power_saver: false,
  full_screen: false,
  presentations: false,
  calls: false,
  media: false,
  games: false,
  free_memory_mb: 1024,
  free_disk_mb: 5120,
  disk_mb: 2048,
  data_mb_a_month: 0,
  upload_kb_per_s: 0,
};

export const VALUES: Record<Preset, Values> = {
  quiet,
  balanced: {
    ...quiet,
    cpu_percent: 50,
    memory_mb: 2048,
    temperature_c: 80,
    others_percent: 50,
    media: true,
    disk_mb: 5120,
  },
  full: {
    ...quiet,
    when: "always",
    cpu_percent: 80,
    memory_mb: 4096,
    battery_percent: 60,
    temperature_c: 85,
    others_percent: 100,
    full_screen: true,
    media: true,
    disk_mb: 20_480,
  },
};

export const NAMES = Object.keys(quiet) as Name[];

export function keyOf(name: Name | "preset"): string {
  return `schedule.${name}`;
}
