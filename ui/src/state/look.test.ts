import { describe, expect, it } from "vitest";

import { problem } from "../test/fake";
import { status } from "../test/samples";
import { lookOf, split } from "./look";

describe("the state as it is shown", () => {
  it("draws the working and the waiting ring only where others can see this computer", () => {
    const shape = (state: Parameters<typeof status>[0]) => lookOf({ state: "open" }, status(state)).shape;
    expect(shape("working")).toBe("working");
    expect(shape("waiting")).toBe("waiting");
    expect(shape("paused")).toBe("paused");
    for (const state of ["offline", "alone", "starting", "stopping"] as const) {
      expect(shape(state), state).toBe("offline");
    }
  });

  it("believes no old status while the daemon is away", () => {
    const look = lookOf({ state: "unreachable", problem: problem("E1001", "x") }, status("working"));
    expect(look).toMatchObject({ shape: "offline", what: "The node is not running", switchable: false });
  });

  it.each([
    ["Waiting: nothing to do.", "Waiting", "nothing to do."],
    ["Paused by you until 16:00.", "Paused by you until 16:00", ""],
    ["Paused by you. Resumes at 16:00.", "Paused by you", "Resumes at 16:00."],
    [
      "Cannot reach the network. Trying again in 20 seconds.",
      "Cannot reach the network",
      "Trying again in 20 seconds.",
    ],
    ["", "", ""],
  ])("says %j in large and in small", (sentence, what, why) => {
    expect(split(sentence)).toMatchObject({ what, why });
  });

  it("changes no letter of the sentence", () => {
    const sentence = "Working: 2 of 8 cores, for 14 minutes.";
    const { what, joint, why } = split(sentence);
    expect(what + joint + why).toBe(sentence);
  });
});
