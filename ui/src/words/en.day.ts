// The texts about pausing by hand, and about the day as a band.

import type { Group } from "../state/day";

export const snooze = {
  open: "Pause for",
  label: "How long to pause",
  half: "30 minutes",
  two: "2 hours",
  tomorrow: "Until tomorrow",
  resume: "Until I resume",
};

export const day = {
  heading: "The last 24 hours",
  see: "See the day",
  band: "Moment of the day",
  table: "Changes, the newest first",
  list: "Changes",
  time: "From",
  long: "For",
  what: "What",
  still: "so far",
  unknown: "Nothing is known of this time: the node was not there yet.",
  empty: "What it does, and why it waits, appears here as it changes.",
  groups: {
    works: "May work",
    owner: "You use it",
    hand: "Paused by you",
    hours: "Outside your hours",
    computer: "Battery, heat, load",
    stopped: "Not running",
    unknown: "Not known",
  } satisfies Record<Group, string>,
  range: (from: string, to: string): string => `${from} to ${to}`,
  more: (count: number): string => `Show ${count} more`,
  yesterday: (time: string): string => `yesterday ${time}`,
};
