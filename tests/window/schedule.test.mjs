// When this computer works for others, in the real window: what is set there is what the daemon does.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Page } from "./page.mjs";
import { Stage, until } from "./stage.mjs";
import { Key } from "./webdriver.mjs";

const cell = (day, half) => `td[data-day="${day}"][data-half="${half}"]`;

describe("the settings of a node", () => {
  let stage, session, page, here;

  before(async () => {
    stage = await Stage.open();
    here = stage.home("settings");
    stage.agent(here, "network", "create", "our street", "--kind", "closed");
    session = await stage.app(here);
    page = new Page(session);
    await until("the daemon answers", () => stage.agent(here, "status"));
    await page.goto("settings");
    await page.shows(/Full power/);
  });
  after(() => stage?.close());

  const setting = (name) => stage.agent(here, "config", "get", `schedule.${name}`).value;
  const becomes = (name, value) =>
    until(`schedule.${name} is ${value}`, () => setting(name) === value).catch((error) => {
      throw new Error(`${error.message}: it is ${setting(name)}`);
    });

  test("take another preset from the keyboard", async () => {
    await session.run("document.querySelector('input[name=preset]:checked').focus()");
    await session.press(Key.up);
    await becomes("preset", "balanced");
    assert.equal(stage.agent(here, "schedule", "show").preset, "balanced");
    assert.equal(
      await session.run("return document.querySelector('input[name=preset]:checked').value"),
      "balanced",
    );
    await stage.keep(session, "settings");
  });

  test("take the hours that somebody draws", async () => {
    await page.unfold("When");
    await page.choose("hours");
    await becomes("when", "hours");
    await page.press("Evenings and weekends");
    await becomes("hours", "mon-fri 18:00-24:00, sat-sun 08:00-24:00");

    await session.drag(cell(0, 16), cell(1, 19));
    const drawn = "mon-tue 08:00-10:00 18:00-24:00, wed-fri 18:00-24:00, sat-sun 08:00-24:00";
    await becomes("hours", drawn);
    assert.equal(await session.run("return document.querySelector('#week-hours').value"), drawn);
    await stage.keep(session, "hours");

    await session.run(`document.querySelector('${cell(0, 16)}').focus()`);
    await session.press([Key.shift, Key.down]);
    for (let step = 0; step < 3; step++) await session.press([Key.shift, Key.right]);
    await session.press(Key.space);
    await becomes("hours", "mon-fri 18:00-24:00, sat-sun 08:00-24:00");
  });

  test("stay as they were where they contradict themselves, and say so", async () => {
    await page.write("#week-hours", "fri-mon 10:00-12:00");
    await session.press(Key.enter);
    await page.shows(/It stays as it was\.[^]*E1005/);
    assert.equal(setting("hours"), "mon-fri 18:00-24:00, sat-sun 08:00-24:00");
    assert.equal(
      await session.run("return document.querySelector('#week-hours').value"),
      "mon-fri 18:00-24:00, sat-sun 08:00-24:00",
    );
    await page.press("Any hour");
    await becomes("hours", "always");
  });

  test("say of every rule whether it can be applied here", async () => {
    await page.unfold("What stops it");
    const notes = await until("the rules have answered", () =>
      session.run(
        "return [...document.querySelectorAll('[data-setting=battery_percent] .note, [data-setting=others_percent] .note')].map((each) => each.textContent.trim())",
      ),
    );
    assert.equal(notes.length, 2);
    for (const note of notes)
      assert.match(note, /^(Rule works|Blocks now|About to block|Just over|No rule|Cannot be read here: .+)/);
  });

  test("keep nobody out", async () => {
    for (const fold of ["How much", "What always holds"]) await page.unfold(fold);
    await page.isAccessible("settings");
    await session.resize(720, 520);
    await page.isAccessible("settings in the smallest window");
    assert.equal(await session.run("return document.documentElement.scrollWidth <= innerWidth"), true);
    await session.resize(960, 640);
  });

  test("pause for half an hour, and the day shows it", async () => {
    await page.goto("home");
    await page.press("Pause for");
    await page.press("30 minutes");
    await page.says(/^Paused by you for 30 minutes/);
    const status = stage.agent(here, "status");
    const minutes = (status.paused_until_ms - Date.now()) / 60_000;
    assert.ok(minutes > 28 && minutes <= 30, `${minutes} minutes`);

    await (await session.find("[data-testid=sentence] a")).click();
    await page.shows(/The last 24 hours[^]*Paused by you until \d\d:\d\d/);
    await page.isAccessible("the day");
    await stage.keep(session, "day");
    const changes = stage.agent(here, "schedule", "timeline").changes;
    assert.equal(changes.at(-1).code, "by_hand");

    await (await session.find("main header [role=switch]")).click();
    await until("it is resumed", () => stage.agent(here, "status").state !== "paused");
    await until("the day shows that too", async () => {
      const first = await session.run("return document.querySelector('main tbody tr')?.textContent ?? ''");
      return first !== "" && !/Paused by you/.test(first);
    });
  });
});
