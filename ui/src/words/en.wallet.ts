// The texts about credits. Money is never implied.

import type { RowState } from "../api/types";
import { credits } from "./numbers";

const GAP = "\u00a0";
const ONE = 1_000_000;

const named = (micro: number): string => `${credits(micro)}${GAP}${micro === ONE ? "credit" : "credits"}`;
const count = (many: number): string => new Intl.NumberFormat("en").format(many);
const rows = (many: number): string => (many === 1 ? "1 row" : `${count(many)} rows`);
const others = (many: number): string =>
  many === 1 ? "1 other computer sees" : `At most ${count(many)} other computers see`;

export const wallet = {
  what: "Credits buy AI work on this network and nothing else.",
  named,
  unit: (micro: number) => (micro === ONE ? "credit" : "credits"),
  heading: "Credits",
  balance: (network: string) => `Balance in ${network}`,
  unknown: "-",
  outside:
    "Credits move between the computers of a network. Once this computer is in one, its credits are here.",
  opening: "The wallet opens in a moment.",
  earnedToday: (micro: number) => `${named(micro)} earned today`,
  nothingToday: "Nothing earned yet today",
  spentToday: (micro: number) => `${named(micro)} spent today`,
  day: "A day begins at midnight UTC.",
  pending: (micro: number) => `${named(micro)} ${micro === ONE ? "is" : "are"} pending.`,
  lately: "Lately",
  all: "See all",
  empty: "What this computer earns and spends appears here.",
  emptyHow:
    "The first credits come when it works for another computer: leave it on, with “Work for others” on.",
  arrived: (micro: number) => `${named(micro)} arrived`,
  first: "Your first credits",

  parts: {
    spendable: "You can spend",
    earned: "For any use",
    earnedMeans: "earned here",
    granted: "For tasks",
    grantedMeans: "given by the network, or paid by others with what they were given",
    free: "Free today",
    freeMeans: "until the day (UTC) ends",
    besides: "Not in the balance",
    held: "Set aside",
    heldMeans: "for work under way",
    pending: "Pending",
    pendingMeans: "until the notary confirms it",
    others: "Your other computers",
    othersMeans: "in this network",
  },

  notary: {
    self: "This computer keeps the network's books.",
    reachable: (id: string | null) =>
      id === null
        ? "The computer that keeps the network's books can be reached."
        : `Computer ${id} keeps the network's books, and can be reached.`,
    asleep: (id: string | null) =>
      id === null
        ? "The computer that keeps the network's books cannot be reached."
        : `Computer ${id} keeps the network's books, and cannot be reached.`,
    asleepThen: "Credits move again when it is on.",
    heard: "Confirmed ",
  },
  limits: {
    daily: (micro: number) => `At most ${named(micro)} a day: you set this limit.`,
    total: (micro: number) => `At most ${named(micro)} in all: you set this limit.`,
  },

  table: {
    heading: "History",
    caption: "Everything that moved credits of this computer, the newest first",
    time: "When",
    what: "What",
    state: "State",
    amount: "Credits",
    granted: (micro: number) => `${credits(micro)} of it for tasks`,
    states: {
      pending: "Pending",
      held: "Set aside",
      settled: "Settled",
      returned: "Returned",
      burnt: "Burnt",
      lapsed: "Lapsed",
    } satisfies Record<RowState, string>,
    statesMean: {
      pending: "The notary has not confirmed it yet.",
      held: "Kept for work under way; what is not used comes back.",
      settled: "Confirmed by the notary.",
      returned: "It was not used, and came back.",
      burnt: "The share of a payment that the network takes out of circulation.",
      lapsed: "It was given for a day that has ended.",
    } satisfies Record<RowState, string>,
    older: "Older",
    reading: "Reading",
    shown: (some: number, all: number) => (some >= all ? rows(some) : `${count(some)} of ${rows(all)}`),
  },

  save: {
    action: "Export as CSV",
    reading: (some: number, all: number) => `Reading ${count(Math.min(some, all))} of ${rows(all)}`,
    cancel: "Cancel",
    done: (many: number, place: string) =>
      `${rows(many)} went to ${place}${place.includes("/") || place.includes("\\") ? "" : ", among your downloads"}.`,
    file: (day: string) => `p2p-agent-wallet-${day}.csv`,
    tooMany: "There are more rows than a page can hold.",
    tooManyHow: "“p2p-agent wallet export” writes them all to a file.",
  },

  check: {
    action: "Check the sums",
    busy: "Checking the sums",
    agrees: "The sums agree.",
    agreesWhy: (certificates: number, many: number, available: string, held: string) =>
      `Computed again from ${certificates === 1 ? "1 certificate" : `${count(certificates)} certificates`} and ${rows(many)}: ${available} to spend, ${held} set aside.`,
    differs: "The sums do not agree.",
    differsWhy: "Keep the wallet's folder as it is. “p2p-agent wallet verify” gives every detail.",
    more: (many: number) => (many === 1 ? "1 more is not listed." : `${count(many)} more are not listed.`),
  },

  quote: {
    price: (micro: number, computers: number) =>
      micro === 0
        ? `This costs nothing. ${sees(computers)}`
        : `This costs ${named(micro)} at most. ${sees(computers)}`,
    unpaid: (price: number) =>
      `This costs ${named(price)}, and nothing as long as you have none: in this network people help each other.`,
    short: (price: number, available: number) =>
      `This costs ${named(price)} at most, and you have ${credits(available)}. Let this computer work for others while you are away; the first credits come within a minute.`,
  },
};

function sees(computers: number): string {
  return computers === 0 ? "No other computer sees the text." : `${others(computers)} the text.`;
}
