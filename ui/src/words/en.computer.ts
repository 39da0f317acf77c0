// The texts about what the work of this computer costs. An estimate is called one.

import type { Energy } from "../api/types";

const GAP = "\u00a0";

/** Two digits that mean something, and all before the point. */
const short = (amount: number): string =>
  new Intl.NumberFormat(
    "en",
    amount < 10 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 0 },
  ).format(amount);

const watts = (energy: Energy): string => `${short(energy.watts_per_core)}${GAP}W a busy core`;

const methods: Record<Energy["method"], (energy: Energy) => string> = {
  meter: () => "measured by the processor",
  model: (energy) => `estimated: ${watts(energy)}`,
  both: (energy) => `partly measured, the rest estimated: ${watts(energy)}`,
};

export const computer = {
  /** "Today: 12 tasks, 3.1 Wh, about 0.00093 EUR (estimated: 6 W a busy core)" */
  today: (energy: Energy): string => {
    const tasks = energy.tasks_today === 1 ? "1 task" : `${short(energy.tasks_today)} tasks`;
    const used =
      energy.watt_hours_today < 0.001 ? `under 0.001${GAP}Wh` : `${short(energy.watt_hours_today)}${GAP}Wh`;
    const cost =
      energy.cost_today < 0.00001
        ? `under 0.00001${GAP}${energy.currency}`
        : `about ${short(energy.cost_today)}${GAP}${energy.currency}`;
    return `Today: ${tasks}, ${used}, ${cost} (${methods[energy.method](energy)})`;
  },
  /** Behind the line: how it was found. */
  how: (energy: Energy): string =>
    `${energy.assumptions}. ${short(energy.price_per_kwh)}${GAP}${energy.currency} a kilowatt-hour. ` +
    "A day begins at midnight UTC.",
};
