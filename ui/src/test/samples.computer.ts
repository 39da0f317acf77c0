// What the daemon would tell of the computer. For tests and the gallery only.

import type { Computer, Energy } from "../api/types";

export function computer(more: Partial<Energy> = {}): Computer {
  return {
    tier: "standard",
    footprint: { disk_bytes: 209_715_200, memory_bytes: 1_073_741_824 },
    roles: ["infer", "cache"],
    lacks: ["speed"],
    measured: {
      processors: 4,
      memory_bytes: 8_589_934_592,
      battery: false,
      network_bytes_per_second: null,
      round_trip_ms: 0.3,
      storage_free_bytes: 32_212_254_720,
    },
    tokens_per_second: 2_400,
    energy: {
      since_ms: 0,
      watt_hours_today: 3.1,
      method: "model",
      watts_per_core: 6,
      assumptions: "estimated: 6 W for each busy core",
      meter: "only the administrator may read it",
      cost_today: 0.00093,
      currency: "EUR",
      price_per_kwh: 0.3,
      cpu_seconds_today: 1_860,
      tasks_today: 12,
      tasks_for_others_today: 10,
      texts_today: 40,
      earned_today: 2_660_000,
      ...more,
    },
  };
}
