// A WebDriver client as small as these tests need: HTTP and JSON, nothing else.

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
const CALL_LIMIT_MS = 60_000;

/** What the driver answered when it refused. */
export class DriverError extends Error {
  constructor({ error, message }) {
    super(`${error}: ${message}`);
    this.name = "DriverError";
    this.error = error;
  }
}

/** Keys that have no letter, as WebDriver writes them. */
export const Key = {
  tab: "\uE004",
  enter: "\uE007",
  shift: "\uE008",
  control: "\uE009",
  delete: "\uE017",
  escape: "\uE00C",
  left: "\uE012",
  up: "\uE013",
  right: "\uE014",
  down: "\uE015",
  space: " ",
};

/** One open window of the app. */
export class Session {
  #base;

  constructor(base) {
    this.#base = base;
  }

  /** Starts `binary` with `args` through the driver at `address`, and waits for its window. */
  static async open(address, binary, args) {
    // No browserName: WebKitGTK gives itself another one from release to release.
    const alwaysMatch = { "webkitgtk:browserOptions": { binary, args } };
    const { sessionId } = await ask("POST", `${address}/session`, { capabilities: { alwaysMatch } });
    return new Session(`${address}/session/${sessionId}`);
  }

  close() {
    return ask("DELETE", this.#base);
  }

  /** Runs the body of a function in the page and returns what it returns. */
  run(script, ...args) {
    return this.#ask("POST", "execute/sync", { script, args });
  }

  /** The same for a body that calls its last argument when it is done. */
  runAsync(script, ...args) {
    return this.#ask("POST", "execute/async", { script, args });
  }

  #element(css) {
    return this.#ask("POST", "element", { using: "css selector", value: css });
  }

  async find(css) {
    const element = await this.#element(css);
    return new Element((method, path, body) =>
      this.#ask(method, `element/${element[ELEMENT]}/${path}`, body),
    );
  }

  /** Presses keys one after the other, wherever the focus is; a list inside presses them together. */
  async press(...keys) {
    const actions = keys.flatMap((key) => {
      const together = Array.isArray(key) ? key : [key];
      return [
        ...together.map((value) => ({ type: "keyDown", value })),
        ...together.toReversed().map((value) => ({ type: "keyUp", value })),
      ];
    });
    await this.#ask("POST", "actions", { actions: [{ type: "key", id: "keyboard", actions }] });
    await this.#ask("DELETE", "actions");
  }

  /** Drags with the mouse from the middle of one element to that of another. */
  async drag(from, to) {
    const ends = [await this.#element(from), await this.#element(to)];
    const move = (at) => ({ type: "pointerMove", origin: ends[at], x: 0, y: 0, duration: 100 });
    const actions = [move(0), { type: "pointerDown", button: 0 }, move(1), { type: "pointerUp", button: 0 }];
    const mouse = { type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions };
    await this.#ask("POST", "actions", { actions: [mouse] });
    await this.#ask("DELETE", "actions");
  }

  resize(width, height) {
    return this.#ask("POST", "window/rect", { width, height });
  }

  /** The page as PNG bytes. */
  async screenshot() {
    return Buffer.from(await this.#ask("GET", "screenshot"), "base64");
  }

  #ask(method, path, body) {
    return ask(method, `${this.#base}/${path}`, body);
  }
}

class Element {
  #ask;

  constructor(ask) {
    this.#ask = ask;
  }

  click = () => this.#ask("POST", "click", {});
  type = (text) => this.#ask("POST", "value", { text });
  text = () => this.#ask("GET", "text");
}

async function ask(method, url, body) {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(CALL_LIMIT_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const { value } = await response.json();
  if (!response.ok) throw new DriverError(value);
  return value;
}
