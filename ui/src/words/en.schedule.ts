// The texts about when this computer works for others: settings, rules, the day.

import type { Coded, Reading, RuleState, SignalSeen } from "../api/types";
import type { FlagName, Name, Preset, Values, When } from "../state/presets";
import { day, snooze } from "./en.day";
import { length } from "./numbers";

const GAP = "\u00a0";

const percent = (value: number) => `${value}${GAP}%`;
const size = (mib: number): string =>
  mib < 1024 ? `${mib}${GAP}MB` : `${Math.round((mib / 1024) * 10) / 10}${GAP}GB`;
const figure = (of: Coded | Reading, name: string): number => {
  const value = of[name];
  return typeof value === "number" ? value : 0;
};

const untold: Record<string, string> = {
  no_session: "nobody watches your session",
  absent: "there is nothing to read it with",
  unsupported: "this system does not say",
  failed: "the system gives no answer",
  source_gone: "who told it has gone",
};
/** What is missing where something has nothing to read it with. */
const absent: Record<string, string> = {
  battery: "no battery",
  power_saver: "no battery",
  temperature: "no sensor",
  heat_critical: "no sensor",
};

function cores(share: number, processors: number): string {
  const many = Math.round((share / 100) * processors * 10) / 10;
  return `${percent(share)}: ${many} of ${processors} ${processors === 1 ? "core" : "cores"}`;
}

const battery = (above: number): string =>
  above >= 100 ? "never" : above <= 0 ? "always" : `above ${percent(above)}`;

const minutes = (seconds: number): string => (seconds < 60 ? `${seconds} seconds` : length(seconds * 1000));

export const schedule = {
  size,
  cores,
  untold,

  presets: {
    legend: "How much this computer does for others",
    names: { quiet: "Quiet", balanced: "Balanced", full: "Full power" } satisfies Record<Preset, string>,
    lines: {
      quiet: "A quarter of it, when you are away.",
      balanced: "Half of it, when you are away.",
      full: "Most of it, also while you use it.",
    } satisfies Record<Preset, string>,
    facts: (values: Values): string[] => [
      `${percent(values.cpu_percent)} of the processor, ${size(values.memory_mb)} of memory`,
      values.when === "idle" ? `After ${minutes(values.idle_s)} without you` : "Always, whoever is there",
      values.battery_percent >= 100 ? "Never on battery" : `On battery ${battery(values.battery_percent)}`,
      values.full_screen
        ? "Not in calls or games"
        : values.media
          ? "Films may play; not in full screen, calls or games"
          : "Not in films, full screen, calls or games",
      `Stops at ${values.temperature_c}${GAP}°C`,
    ],
    own: (count: number, preset: Preset): string =>
      `${count === 1 ? "1 setting differs" : `${count} settings differ`} from ${schedule.presets.names[preset]}.`,
    back: (preset: Preset): string => `Set all back to ${schedule.presets.names[preset]}`,
  },

  sections: { when: "When", much: "How much", stops: "What stops it", always: "What always holds" },
  summary: {
    when: (when: When, idle: number, hours: boolean): string =>
      when === "always"
        ? "Always"
        : when === "hours"
          ? "Only in your hours"
          : `When nobody uses it for ${minutes(idle)}${hours ? ", in your hours" : ""}`,
    much: (share: number, processors: number, memory: number): string =>
      `${cores(share, processors)}, ${size(memory)}`,
    stops: (blocking: string[], unread: number): string =>
      [
        blocking.length === 0 ? "Nothing now" : `Now: ${blocking.join(", ").toLowerCase()}`,
        ...(unread === 0 ? [] : [`${unread} cannot be read here`]),
      ].join("; "),
  },

  when: {
    legend: "It may work",
    labels: {
      idle: "When nobody uses it",
      always: "Always",
      hours: "Only in these hours",
    } satisfies Record<When, string>,
    means: {
      idle: "It stops with the first key or click.",
      always: "Also while you use this computer, at any hour.",
      hours: "In these hours also while you use it; in all others not at all.",
    } satisfies Record<When, string>,
    idle: "Minutes without a key, click or touch",
    less: "One minute less",
    more: "One minute more",
    minutes: "minutes",
    hoursToo: "Hours in which it may compute",
    anyHour: "any hour",
    networkToo: "Hours in which it may use the network",
  },

  week: {
    days: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    short: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    help: "Drag over the hours, or use the arrow keys: Shift marks several, Space turns them on or off.",
    cell: (day: string, from: string, to: string): string => `${day} ${from} to ${to}`,
    marked: (first: string, last: string, from: string, to: string): string =>
      `${first === last ? first : `${first} to ${last}`}, ${from} to ${to} marked`,
    text: "The same as text",
    quick: {
      label: "Begin with",
      evenings: "Evenings and weekends",
      nights: "Nights",
      all: "Any hour",
    },
    quickWeeks: {
      evenings: "mon-fri 18:00-24:00, sat-sun 08:00-24:00",
      nights: "mon-sun 22:00-07:00",
      all: "always",
    },
  },

  much: {
    cpu: "Processor",
    cpuMeans: "The most of the whole computer, in every second.",
    memory: "Memory",
    memoryMeans: "The most of all work together.",
    disk: "Disk",
    diskMeans: "The most that the node's own folder takes.",
    data: "Data a month",
    dataMeans: "Both ways. Beyond it, work for others waits for the next month.",
    upload: "Upload",
    uploadMeans: "The most that tasks and answers send to other computers, all together.",
    rate: (kib: number): string =>
      kib === 0 ? "no limit" : `${size(kib).replace("MB", "KB").replace("GB", "MB")} a second`,
    amount: (mib: number): string => (mib === 0 ? "no limit" : size(mib)),
  },

  stops: {
    battery: "On battery",
    batteryValue: battery,
    batteryEnds: ["always", "never"],
    temperature: "Temperature",
    temperatureValue: (celsius: number): string => `stops at ${celsius}${GAP}°C`,
    others: "Other programs",
    othersValue: (share: number): string => (share >= 100 ? "never mind" : `stops above ${percent(share)}`),
    flags: "Keep working",
    labels: {
      metered: "On a network paid by volume",
      full_screen: "While a program fills the screen",
      presentations: "During presentations",
      calls: "During calls",
      media: "While a film or music plays",
      games: "While a game runs",
      power_saver: "While the power saver is on",
    } satisfies Record<FlagName, string>,
    freeMemory: "Free memory",
    freeDisk: "Free disk",
    below: (mib: number): string => (mib === 0 ? "never mind" : `stops below ${size(mib)}`),
  },

  value: (name: Name, values: Values, processors: number): string => {
    switch (name) {
      case "when":
        return schedule.when.labels[values.when].toLowerCase();
      case "idle_s":
        return minutes(values.idle_s);
      case "hours":
      case "network_hours":
        return values[name] === "always" ? schedule.when.anyHour : values[name];
      case "cpu_percent":
        return cores(values.cpu_percent, processors);
      case "memory_mb":
      case "disk_mb":
        return size(values[name]);
      case "data_mb_a_month":
        return schedule.much.amount(values.data_mb_a_month);
      case "upload_kb_per_s":
        return schedule.much.rate(values.upload_kb_per_s);
      case "battery_percent":
        return battery(values.battery_percent);
      case "temperature_c":
        return schedule.stops.temperatureValue(values.temperature_c);
      case "others_percent":
        return schedule.stops.othersValue(values.others_percent);
      case "free_memory_mb":
      case "free_disk_mb":
        return schedule.stops.below(values[name]);
      default:
        return values[name] ? "on" : "off";
    }
  },
  as: (preset: Preset): string => `as ${schedule.presets.names[preset]}`,
  backTo: (preset: Preset, value: string): string => `Back to ${schedule.presets.names[preset]}: ${value}`,
  fixed: "Set by the environment of the node; this page cannot change it.",
  refused: "It stays as it was.",

  rules: {
    heading: "Rules without a setting",
    names: {
      by_hand: "Paused by you",
      heat_critical: "Too hot for anything",
      memory_critical: "Almost no memory left",
      disk_critical: "Disk almost full",
      disk_quota: "Its place on the disk",
      data_allowance: "Data of this month",
      starting: "Just started",
      hours: "Hours",
      network_hours: "Hours of the network",
      owner: "You use it",
      owner_untold: "Nobody can tell",
      full_screen: "Full screen",
      inhibitor: "What you do",
      battery: "Battery",
      power_saver: "Power saver",
      metered: "Paid by volume",
      temperature: "Temperature",
      load: "Other programs",
      memory: "Free memory",
      disk_free: "Free disk",
    } as Record<string, string>,
    /** In a list: where a rule has several causes, the one that there is. */
    named: (rule: RuleState): string =>
      schedule.inhibitors[String(rule.reason?.["inhibitor"])] ?? schedule.rules.names[rule.rule] ?? rule.rule,
    works: "Rule works",
    worksUtc: "Rule works, by UTC: the time zone cannot be told",
    blocks: "Blocks now",
    gathers: "About to block",
    holds: "Just over, waits a moment",
    off: "No rule",
    cannot: (rule: RuleState): string => {
      const why = rule.untold ?? "failed";
      const missing = why === "absent" ? absent[rule.rule] : undefined;
      return `Cannot be read here: ${missing ?? untold[why] ?? why}`;
    },
    ownerUntold: "Waits: cannot tell whether you use the computer",
    details: "Where this comes from",
    seen: (seen: SignalSeen, now: string): string => `${now} (${seen.by}, told by ${seen.source}`,
    age: (ms: number): string => `${length(Math.max(ms, 1000))} ago)`,
  },

  reading: (seen: SignalSeen): string => {
    const reading = seen.reading;
    if (reading === null || reading === undefined) return untold[seen.untold ?? ""] ?? "cannot be told";
    switch (reading.kind) {
      case "input":
        return `last touched ${length(Math.max(figure(reading, "idle_ms"), 1000))} before`;
      case "power":
        return [
          reading["mains"] === true ? "on mains power" : "on battery",
          ...(typeof reading["percent"] === "number" ? [percent(reading["percent"])] : []),
          ...(reading["saver"] === true ? ["power saver on"] : []),
        ].join(", ");
      case "temperature":
        return `${Math.round(figure(reading, "decicelsius") / 10)}${GAP}°C`;
      case "metered":
        return reading["metered"] === true ? "paid by volume" : "not paid by volume";
      case "full_screen":
        return reading["full_screen"] === true ? "a program fills the screen" : "nothing fills the screen";
      case "inhibitor":
        return schedule.inhibitors[String(reading["inhibitor"])] ?? "nothing of the kind";
      case "load":
        return `other programs use ${percent(Math.round(figure(reading, "others_permille") / 10))}`;
      case "memory":
        return `${size(Math.round(figure(reading, "available_bytes") / 1048576))} free`;
      case "disk":
        return `${size(Math.round(figure(reading, "free_bytes") / 1048576))} free`;
      case "zone": {
        const zone = figure(reading, "minutes");
        const rest = Math.abs(zone % 60);
        return `UTC${zone < 0 ? "\u2212" : "+"}${Math.floor(Math.abs(zone) / 60)}${rest === 0 ? "" : `:${String(rest).padStart(2, "0")}`}`;
      }
      default:
        return reading.kind;
    }
  },
  inhibitors: {
    presentation: "a presentation",
    call: "a call",
    media: "a film or music",
    game: "a game",
  } as Record<string, string>,

  snooze,
  day,

  loading: "Asking the node how it is set",
};
