// What the window tests stand on: a screen and a session bus of their own, homes in a temporary folder, the
// built programs, and an end to all of it, whatever happens.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Session } from "./webdriver.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** The folder of the built programs: P2P_WINDOW_BINARIES, else the demo profile's. */
export const BINARIES = resolve(
  process.env.P2P_WINDOW_BINARIES ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "demo"),
);

/** Where screenshots go, when somebody wants them. */
const SCREENSHOTS = process.env.P2P_WINDOW_SCREENSHOTS;

const START_LIMIT_MS = 30_000;

export class Stage {
  #folder = mkdtempSync(join(tmpdir(), "p2p-window-"));
  #children = [];
  #sessions = [];
  #homes = [];
  environment;

  /** A screen and a session bus. */
  static async open() {
    const missing = ["p2p-tray", "p2p-daemon", "p2p-agent", "p2p-worker"].filter(
      (name) => !existsSync(join(BINARIES, name)),
    );
    if (missing.length > 0) throw new Error(`not built: ${missing.join(", ")} in ${BINARIES}`);
    const stage = new Stage();
    try {
      const display = await stage.#screen();
      const bus = await stage.#bus();
      stage.environment = stage.#environment(display, bus);
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  /** A folder for one node, as a node is made by hand: initialised, with the settings given. */
  home(name, { network = null, settings = {} } = {}) {
    const home = join(this.#folder, name);
    this.#homes.push(home);
    this.agent(home, "init", "--yes", ...(network === null ? [] : ["--network", network]));
    for (const [key, value] of Object.entries({ "network.listen_port": "0", ...settings })) {
      this.agent(home, "config", "set", key, value);
    }
    return home;
  }

  /** A folder with nothing in it. */
  emptyHome(name) {
    const home = join(this.#folder, name);
    this.#homes.push(home);
    return home;
  }

  /** Runs `p2p-agent` on a home and returns what it says, as JSON where it is some. */
  agent(home, ...args) {
    const { status, stdout, stderr } = spawnSync(
      join(BINARIES, "p2p-agent"),
      ["--home", home, "--json", ...args],
      {
        encoding: "utf8",
        env: this.environment,
        timeout: START_LIMIT_MS,
      },
    );
    if (status !== 0) throw new Error(`p2p-agent ${args.join(" ")} ended with ${status}: ${stdout}${stderr}`);
    return stdout.trim() === "" ? null : JSON.parse(stdout);
  }

  /** Starts the app through a driver and waits for its window. */
  async app(home, ...args) {
    const port = await freePort();
    this.start("WebKitWebDriver", [`--port=${port}`, "--host=127.0.0.1"], {
      // Without these two the session waits for ever.
      TAURI_AUTOMATION: "true",
      TAURI_WEBVIEW_AUTOMATION: "true",
    });
    const address = `http://127.0.0.1:${port}`;
    await until("the driver answers", () =>
      fetch(`${address}/status`).then(
        (answer) => answer.ok,
        () => false,
      ),
    );
    const session = await Session.open(address, join(BINARIES, "p2p-tray"), ["--home", home, ...args]);
    this.#sessions.push(session);
    return session;
  }

  /** Starts the app by itself: nobody looks into its window. */
  tray(home, ...args) {
    return this.start(join(BINARIES, "p2p-tray"), ["--home", home, ...args]);
  }

  /** Any program, until the stage closes. */
  start(program, args, environment = {}) {
    const child = spawn(program, args, {
      env: { ...this.environment, ...environment },
      stdio: ["ignore", "pipe", process.env.P2P_WINDOW_VERBOSE ? "inherit" : "ignore"],
    });
    child.stdout.resume();
    this.#children.push(child);
    return child;
  }

  /** Keeps a picture under this name, where somebody wants pictures. */
  async keep(session, name) {
    if (SCREENSHOTS === undefined) return;
    mkdirSync(SCREENSHOTS, { recursive: true });
    // What moves has come to rest.
    await pause(400);
    writeFileSync(join(SCREENSHOTS, `${name}.png`), await session.screenshot());
  }

  /** Ends everything that was started, daemons included. */
  async close() {
    for (const session of this.#sessions) await session.close().catch(() => undefined);
    for (const home of this.#homes) stopDaemon(home);
    for (const child of this.#children.toReversed()) await end(child);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #screen() {
    const child = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x960x24", "-nolisten", "tcp"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    this.#children.push(child);
    return `:${(await firstLine(child.stdio[3], "Xvfb")).trim()}`;
  }

  async #bus() {
    const child = spawn("dbus-daemon", ["--session", "--nofork", "--print-address=1"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#children.push(child);
    return (await firstLine(child.stdout, "dbus-daemon")).trim();
  }

  /** The person's own folder. */
  get user() {
    return join(this.#folder, "user");
  }

  #environment(display, bus) {
    const user = this.user;
    const runtime = join(this.#folder, "runtime");
    mkdirSync(user, { recursive: true });
    mkdirSync(runtime, { recursive: true, mode: 0o700 });
    const kept = ["PATH", "LANG", "P2P_AGENT_ASSETS", "P2P_TRAY_LOG", "LD_LIBRARY_PATH"];
    return {
      ...Object.fromEntries(
        kept.filter((name) => name in process.env).map((name) => [name, process.env[name]]),
      ),
      HOME: user,
      XDG_RUNTIME_DIR: runtime,
      DISPLAY: display,
      DBUS_SESSION_BUS_ADDRESS: bus,
      GDK_BACKEND: "x11",
      NO_AT_BRIDGE: "1",
      // The app turns compositing off where there is no graphics card; the driver's pictures need it on.
      ...(SCREENSHOTS === undefined ? {} : { WEBKIT_DISABLE_COMPOSITING_MODE: "0" }),
    };
  }
}

/** Waits until `ready` says something true, and returns it. */
export async function until(what, ready, limit = START_LIMIT_MS) {
  const end = Date.now() + limit;
  let last;
  while (Date.now() < end) {
    try {
      last = await ready();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    await pause(50);
  }
  throw new Error(`waited ${limit / 1000} s in vain until ${what}; the last was ${last}`);
}

export { pause };

/** Whether a process of this id runs. */
export function isAlive(pid) {
  try {
    // A process that has ended and waits to be collected is dead, too.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function stopDaemon(home) {
  if (!existsSync(home)) return;
  // Whatever it answers: a daemon that does not run is what is wanted.
  spawnSync(join(BINARIES, "p2p-agent"), ["--home", home, "down"], {
    timeout: START_LIMIT_MS,
    stdio: "ignore",
  });
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  const patience = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await ended;
  clearTimeout(patience);
}

function firstLine(stream, name) {
  return new Promise((done, fail) => {
    let text = "";
    const patience = setTimeout(() => fail(new Error(`${name} says nothing`)), START_LIMIT_MS);
    stream.setEncoding("utf8");
    stream.on("data", (piece) => {
      text += piece;
      if (!text.includes("\n")) return;
      clearTimeout(patience);
      done(text.split("\n")[0]);
    });
    stream.on("close", () => fail(new Error(`${name} ended`)));
  });
}

function freePort() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}
