import { describe, expect, it } from "vitest";

import { row } from "../test/samples";
import { cell, csvOf } from "./csv";

describe("rows as a file", () => {
  it("come the oldest first, a line each, with exact numbers and times", () => {
    const text = csvOf([
      row(2, { direction: "out", amount: 1_234_567_890_001, granted: 1 }),
      row(1, { at_ms: Date.UTC(2026, 10, 21, 9, 30, 1) }),
    ]);
    expect(text.split("\r\n")).toEqual([
      "number,time,direction,credits,granted,reason,state,other,task,tasks,detail,id",
      expect.stringMatching(
        /^1,2026-11-21T09:30:01\.000Z,in,1\.33,0,work,settled,12D3\w+,,3,Work for 7k2f…: 3 tasks,order-1\/credit$/,
      ),
      expect.stringMatching(/^2,.*,out,1234567\.890001,0\.000001,work,/),
      "",
    ]);
  });

  it("are never a formula", () => {
    for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "＝1", "－1"]) {
      expect(cell(text).replace(/^"/, "").startsWith("'"), text).toBe(true);
    }
    expect(csvOf([row(1, { detail: '=HYPERLINK("http://x","y")' })])).toContain(
      `"'=HYPERLINK(""http://x"",""y"")"`,
    );
  });

  it("keep separators inside their cell", () => {
    expect(cell('a "b", c')).toBe('"a ""b"", c"');
    expect(cell("a\nb")).toBe('"a\nb"');
    expect(cell("plain")).toBe("plain");
  });

  it("survive a time that no calendar has", () => {
    expect(csvOf([row(1, { at_ms: Number.MAX_SAFE_INTEGER })])).toContain(`1,${Number.MAX_SAFE_INTEGER},in`);
  });
});
