// How the node's state is shown: which of the four shapes, which words. Pure.

import type { Link } from "../api/transport";
import type { NodeState, Status } from "../api/types";
import { words } from "../words";

export type ShapeName = "working" | "waiting" | "paused" | "offline";

export interface Look {
  shape: ShapeName;
  /** One word for the state. */
  word: string;
  /** What is happening, and why and until when. The second part may be empty. */
  what: string;
  joint: string;
  why: string;
  /** Whether pausing and resuming means anything now. */
  switchable: boolean;
}

/** The rings of working and waiting promise that another computer can see this one. */
const SHAPES: Record<NodeState, ShapeName> = {
  working: "working",
  waiting: "waiting",
  paused: "paused",
  offline: "offline",
  alone: "offline",
  starting: "offline",
  stopping: "offline",
};

export function lookOf(link: Link, status: Status | null): Look {
  if (link.state !== "open" || status === null) {
    const state = link.state === "unreachable" || link.state === "starting" ? link.state : "connecting";
    return {
      shape: "offline",
      word: state === "unreachable" ? words.states.unreachable : words.states.starting,
      ...split(words.link[state]),
      switchable: false,
    };
  }
  return {
    shape: SHAPES[status.state],
    word: words.states[status.state],
    ...split(status.sentence),
    switchable: status.state !== "starting" && status.state !== "stopping",
  };
}

/** "Waiting: nobody asks." is "Waiting" in large and "nobody asks." under it; the text stays the same. */
export function split(sentence: string): { what: string; joint: string; why: string } {
  const cut = /^([^:.]{1,40})([:.]) +(\S.*)$/.exec(sentence);
  if (cut?.[1] === undefined || cut[2] === undefined || cut[3] === undefined) {
    return { what: sentence.replace(/\.$/, ""), joint: "", why: "" };
  }
  return { what: cut[1], joint: `${cut[2]} `, why: cut[3] };
}
