// The real app, driven like a person would: on a node of its own, and with another node in its network.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { Page } from "./page.mjs";
import { Stage, isAlive, until } from "./stage.mjs";
import { Key } from "./webdriver.mjs";

const GOOD = "The tomatoes came up early this year and everybody on our street is delighted with them.";
const BAD = "The train was late again, it was cold and dirty, and nobody told us anything.";

describe("a window on a node with company", () => {
  let stage, session, page, here, there;

  before(async () => {
    stage = await Stage.open();
    here = stage.home("here");
    stage.agent(here, "network", "create", "our street", "--kind", "closed");
    session = await stage.app(here);
    page = new Page(session);
    // The app has started the daemon: the other node finds it where it listens.
    const status = await until("the daemon answers", () => stage.agent(here, "status"));
    const settings = { "network.bootstrap": JSON.stringify(status.listening) };
    const { link } = stage.agent(here, "network", "invite");
    there = stage.home("there", { network: link, settings });
    stage.agent(there, "up");
    await page.says(/connected to 1 other computer in our street/);
  });
  after(() => stage?.close());

  const device = (home) => stage.agent(home, "status").device_id;

  test("says in the node's own words what it does", async () => {
    assert.equal(await page.sentence(), stage.agent(here, "status").sentence);
    assert.equal(await session.run("return document.title"), "Home - P2P Agent");
    assert.equal(await session.run("return document.visibilityState"), "visible");
  });

  test("keeps a sentence here when it may only run here", async () => {
    await page.write("#try-text", BAD);
    await page.choose("local");
    await page.press("Run");
    assert.match(await page.answer(), /^Negative \d+\s% certain$/);
    assert.deepEqual(await page.stages(), ["Searching", "Assigned", "Computing", "Done"]);
    await page.shows(/Computed on this computer in .*did not leave this computer/);
    assert.deepEqual(stage.agent(here, "privacy", "log") ?? [], []);
  });

  test("lets another computer answer when anyone may", async () => {
    await page.write("#try-text", GOOD);
    await page.choose("public");
    await page.press("Run");
    await page.shows(/Positive/);
    assert.match(await page.answer(), /^Positive \d+\s% certain$/);
    assert.deepEqual(await page.stages(), ["Searching", "Assigned", "Computing", "Done"]);
    const other = device(there).slice(-6);
    await page.shows(new RegExp(`Computed by another computer \\(…${other}\\) in `));
    await stage.keep(session, "home");
  });

  test("pauses and resumes with the one switch", async () => {
    const toggle = await session.find("main header [role=switch]");
    await toggle.click();
    await page.says(/^Paused by you/);
    assert.equal(stage.agent(here, "status").state, "paused");
    await stage.keep(session, "paused");
    await toggle.click();
    await page.says(/^Ready/);
    assert.equal(stage.agent(here, "status").state, "waiting");
  });

  test("shows who is in the network, and whom one trusts", async () => {
    await page.goto("network");
    const other = device(there);
    await page.shows(new RegExp(`1 other computer, connected[^]*…${other.slice(-6)}`));
    const trusted = () => stage.agent(here, "peer", "list").find((peer) => peer.device_id === other).trusted;
    assert.equal(trusted(), false);
    await (await session.find("tbody [role=switch]")).click();
    await until("the daemon knows whom one trusts", trusted);
    await page.press(`…${other.slice(-6)}`);
    await page.shows(new RegExp(other));
    await page.press("Close");
    await page.press("Invite somebody");
    await until("there is a link", () =>
      session.run("return document.querySelector('#invite-link')?.value.startsWith('p2p-agent://')"),
    );
    await stage.keep(session, "network");
    await page.goto("home");
  });

  test("asks somebody one trusts when people one chose may", async () => {
    await page.write("#try-text", GOOD);
    await page.choose("trusted");
    await page.press("Run");
    await page.shows(/Computed by another computer/);
    assert.match(await page.answer(), /^Positive/);
  });

  test("can be used without a mouse", async () => {
    await session.run(
      "location.hash = '#/home'; document.activeElement.blur(); document.querySelector('#try-text').value = ''",
    );
    await session.run("document.querySelector('nav a').focus()");
    const seen = [await page.focused()];
    while (seen.length < 12 && !/positive or negative/.test(seen.at(-2) ?? "")) {
      await session.press(Key.tab);
      seen.push(await page.focused());
    }
    assert.deepEqual(seen.slice(0, 4), ["Home", "Wallet", "Network", "Settings"]);
    assert.match(seen[4], /^Ready: connected/);
    assert.deepEqual(seen.slice(5, 7), ["Work for others", "Pause for"]);
    const box = seen.find((name) => /positive or negative/.test(name));
    assert.ok(box, `the box comes soon: ${seen}`);

    await session.press([Key.shift, Key.tab]);
    await session.press(...BAD);
    await session.press([Key.control, Key.enter]);
    await page.shows(/Negative/);
    assert.equal(await page.focused(), box, "the keyboard stays in the box");

    await page.tabBack("Work for others");
    await session.press(Key.space);
    await page.says(/^Paused by you/);
    await session.press(Key.space);
    await page.says(/^Ready/);
    assert.notEqual(
      await session.run("return getComputedStyle(document.activeElement).outlineStyle"),
      "none",
    );

    await page.tabBack("Network");
    await session.press(Key.enter);
    await page.shows(/connected[^]*For invited people/);
  });

  test("keeps nobody out", async () => {
    for (const name of ["home", "wallet", "network", "settings"]) {
      await page.goto(name);
      await page.isAccessible(name);
    }
    await session.resize(720, 520);
    await page.isAccessible("the smallest window");
    assert.equal(
      await session.run("return document.documentElement.scrollWidth <= innerWidth"),
      true,
      "nothing is cut off",
    );
    await session.resize(960, 640);
  });

  test("gives a page that was taken over nothing but the control API", async () => {
    const invoke = (command, args) =>
      session.runAsync(
        `const done = arguments[arguments.length - 1];
         window.__TAURI_INTERNALS__.invoke(arguments[0], arguments[1])
           .then((answer) => done({ answer }), (error) => done({ error: typeof error === "string" ? error : error.code }));`,
        command,
        args,
      );
    const status = await invoke("call", { method: "GET", path: "/api/v1/status", body: null });
    assert.equal(status.answer.status, 200);
    for (const path of [
      "/metrics",
      "/api/v1/../../metrics",
      "/api/v1/events",
      "http://127.0.0.1/api/v1/status",
    ]) {
      assert.equal((await invoke("call", { method: "GET", path, body: null })).error, "E4001", path);
    }
    assert.ok(
      (await invoke("call", { method: "DELETE", path: "/api/v1/status", body: null })).error,
      "DELETE",
    );
    const forbidden = [
      "plugin:window|close",
      "plugin:event|listen",
      "plugin:webview|create_webview",
      "plugin:app|version",
      "plugin:path|resolve_directory",
    ];
    for (const command of forbidden) {
      assert.match((await invoke(command, {})).error, /not allowed|not found/i, command);
    }
  });

  test("runs no script but its own, and goes nowhere", async () => {
    const ran = await session.runAsync(`
      const done = arguments[arguments.length - 1];
      window.hit = [];
      try { new Function("window.hit.push('eval')")(); } catch { /* as it should be */ }
      const inline = document.createElement("script");
      inline.textContent = "window.hit.push('inline')";
      document.body.append(inline);
      const data = document.createElement("script");
      data.src = "data:text/javascript,window.hit.push('data')";
      document.body.append(data);
      const image = new Image();
      image.setAttribute("onerror", "window.hit.push('handler')");
      image.src = "tauri://localhost/none.png";
      document.body.append(image);
      fetch("http://127.0.0.1:1/").then(() => window.hit.push("fetch"), () => undefined);
      setTimeout(() => done(window.hit), 500);`);
    assert.deepEqual(ran, []);
    await session.run("location.href = 'https://example.org/'");
    assert.match(await session.run("return location.href"), /^tauri:\/\/localhost/);
  });

  test("gets its daemon back when that crashes", async () => {
    await page.goto("home");
    const { pid } = stage.agent(here, "status");
    process.kill(pid, "SIGKILL");
    await until("the daemon is gone", () => !isAlive(pid));
    const back = await until("another daemon answers", () => {
      const status = stage.agent(here, "status");
      return status.pid !== pid && status;
    });
    assert.notEqual(back.pid, pid);
    await until(
      "the window says what the new daemon says",
      async () => (await page.sentence()) === back.sentence || /^Ready/.test(await page.sentence()),
    );
    await page.choose("local");
    await page.write("#try-text", GOOD);
    await page.press("Run");
    assert.match(await page.answer(), /^Positive/);
  });

  test("says when somebody stopped the node, and starts it again", async () => {
    stage.agent(here, "down");
    await page.says(/^The node is not running/);
    await stage.keep(session, "not-running");
    await page.press("Start it");
    await page.says(/our street/);
  });
});

describe("a window of somebody who joins", () => {
  let stage, session, page, here;

  before(async () => {
    stage = await Stage.open();
    const founder = stage.home("founder");
    stage.agent(founder, "network", "create", "our street", "--kind", "local");
    stage.agent(founder, "up");
    const settings = { "network.bootstrap": JSON.stringify(stage.agent(founder, "status").listening) };
    const { link } = stage.agent(founder, "network", "invite");
    here = stage.home("joins", { network: link, settings });
    session = await stage.app(here);
    page = new Page(session);
  });
  after(() => stage?.close());

  test("shows the first credits as they arrive", async () => {
    await page.shows(/Your first credits/, 60_000);
    await page.shows(/Work for .*: 1 task/);
    await stage.keep(session, "first-credits");
    const { available, earned } = stage.agent(here, "wallet", "balance");
    assert.ok(earned > 0 && available > earned, `${earned} of ${available}`);
  });

  test("says what there is, where it is from, and that it adds up", async () => {
    await page.goto("wallet");
    await page.shows(/Balance in our street/);
    await page.shows(/Free today[^]*50/);
    await page.press("Check the sums");
    await page.shows(/The sums agree/);
    await page.isAccessible("wallet");
    await stage.keep(session, "wallet");
  });

  test("leaves the rows as a file, and never in place of another", async () => {
    for (const again of ["", " (2)"]) {
      await page.press("Export as CSV");
      await page.shows(
        new RegExp(`rows? went to .*p2p-agent-wallet-[0-9-]+${again.replace(/[()]/g, "\\$&")}\\.csv`),
      );
    }
    const kept = readdirSync(stage.user).filter((name) => name.endsWith(".csv"));
    assert.equal(kept.length, 2, kept.join());
    const [head, first] = readFileSync(join(stage.user, kept[0]), "utf8").split("\n");
    assert.match(head, /^number,time,direction,credits/);
    assert.ok(first.length > 20, first);
  });
});

describe("a window on a computer that has no node yet", () => {
  let stage, session, page;

  before(async () => {
    stage = await Stage.open();
    session = await stage.app(stage.emptyHome("new"));
    page = new Page(session);
  });
  after(() => stage?.close());

  test("makes the node, starts it and says what is missing", async () => {
    await page.says(/^Not in a network yet/);
    await page.isAccessible("home without a network");
    await stage.keep(session, "alone");
  });

  test("computes own tasks all the same", async () => {
    await page.write("#try-text", GOOD);
    await page.choose("public");
    await page.press("Run");
    assert.match(await page.answer(), /^Positive/);
    await page.shows(/did not leave this computer/);
  });

  test("refuses an empty text and a broken invite in words", async () => {
    await page.write("#try-text", "");
    await page.press("Run");
    await page.shows(/Write a sentence first\./);
    await page.press("Join or start a network");
    await page.shows(/Join with an invite/);
    await page.isAccessible("network without a network");
    await page.write("#join-invite", "p2p-agent://invite/nonsense");
    await page.press("Join");
    await page.shows(/This invite cannot be used\.[^]*E3003/);
  });

  test("starts a network and offers an invite", async () => {
    await page.write("#create-name", "kitchen");
    await page.choose("local");
    await page.press("Start it");
    await page.shows(/Nobody else is here yet/);
    await page.isAccessible("a network of one");
    await page.press("Invite somebody");
    await until("there is a link", () =>
      session.run("return document.querySelector('#invite-link')?.value.startsWith('p2p-agent://')"),
    );
    await page.press("Leave this network");
    await page.press("Leave");
    await page.shows(/Join with an invite/);
  });
});
