import { describe, expect, it } from "vitest";

import { always, fill, formatWeek, has, never, parseWeek } from "./week";

describe("a week in half hours", () => {
  it.each([
    "always",
    "never",
    "mon-fri 18:00-23:00",
    "mon-fri 18:00-23:00, sat 00:00-24:00",
    "mon 08:00-12:30 13:00-17:00, wed 00:00-00:30, sun 23:30-24:00",
  ])("is written as it was read: %s", (text) => {
    const week = parseWeek(text);
    expect(week === null ? null : formatWeek(week)).toBe(text);
  });

  it("goes on into the next day, from Sunday into Monday too", () => {
    const week = parseWeek("sun 22:00-06:00") ?? expect.fail("it can be read");
    expect(has(week, 6, 47)).toBe(true);
    expect(has(week, 0, 11)).toBe(true);
    expect(has(week, 0, 12)).toBe(false);
    expect(formatWeek(week)).toBe("mon 00:00-06:00, sun 22:00-24:00");
  });

  it.each([
    "",
    "mon",
    "18:00-23:00",
    "fri-mon 10:00-12:00",
    "mon 10:15-12:00",
    "mon 10:00-10:00",
    "mon 24:00-02:00",
    "mon 10:00-25:00",
    "moon 10:00-12:00",
    "mon-tue-wed 10:00-12:00",
    "mon 10:00-11:00-12:00",
  ])("is none in %j", (text) => expect(parseWeek(text)).toBeNull());

  it("fills what lies between two corners, whichever comes first", () => {
    const evening = fill(never, { day: 4, half: 46 }, { day: 0, half: 36 }, true);
    expect(formatWeek(evening)).toBe("mon-fri 18:00-23:30");
    expect(formatWeek(fill(evening, { day: 0, half: 0 }, { day: 6, half: 47 }, false))).toBe("never");
    expect(always.every(Boolean) && !never.some(Boolean)).toBe(true);
  });
});
