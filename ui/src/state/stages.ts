// How far a task is, as a line of four steps. Pure.

import type { StageRecord, Task, TaskStage } from "../api/types";

export const STEPS = ["searching", "assigned", "computing", "done"] as const;
export type Step = (typeof STEPS)[number];

export interface Line {
  /** Index of the last step that was reached; -1 before the first. */
  reached: number;
  /** The task ended without being done. */
  broken: "failed" | "cancelled" | null;
  /** When each reached step was reached, in microseconds from submission. */
  times: (number | null)[];
  /** The daemon's own words for where it is now. */
  detail: string;
}

export function lineOf(task: Task | null): Line {
  const stages = task?.stages ?? [];
  const times: (number | null)[] = [null, null, null, null];
  let reached = -1;
  for (const record of stages) {
    const step = stepOf(record.stage);
    if (step === null) continue;
    // A retry goes back: what came after it is open again.
    times.fill(null, step + 1);
    times[step] = record.elapsed_us;
    reached = step;
  }
  return { reached, broken: brokenBy(task), times, detail: stages.at(-1)?.detail ?? "" };
}

/** A retry searches again; failed and cancelled stand wherever the line was. */
function stepOf(stage: TaskStage): number | null {
  if (stage === "retrying") return STEPS.indexOf("searching");
  if (stage === "failed" || stage === "cancelled") return null;
  return STEPS.indexOf(stage);
}

function brokenBy(task: Task | null): Line["broken"] {
  return task?.state === "failed" || task?.state === "cancelled" ? task.state : null;
}

/** Who did the work last: the newest record that names somebody. */
export function providerOf(stages: readonly StageRecord[]): string | null {
  return stages.findLast((record) => typeof record.provider === "string")?.provider ?? null;
}
