// What a person sees and does in the window, in words.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { until } from "./stage.mjs";
import { Key } from "./webdriver.mjs";

const AXE = readFileSync(new URL("../../ui/node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

export class Page {
  constructor(session) {
    this.session = session;
  }

  /** The sentence at the top, as it is written. */
  sentence() {
    return this.session.run(
      "return document.querySelector('[data-testid=sentence]')?.textContent.replace(/\\s+/g, ' ').trim() ?? ''",
    );
  }

  says(pattern) {
    return until(`the window says ${pattern}`, async () => pattern.test(await this.sentence()));
  }

  /** Everything that can be read. */
  text() {
    return this.session.run("return document.body.innerText");
  }

  shows(pattern, limit) {
    return until(`the window shows ${pattern}`, async () => pattern.test(await this.text()), limit);
  }

  async goto(name) {
    await (await this.session.find(`nav a[href="#/${name}"]`)).click();
  }

  /** Presses the button that is called so. */
  async press(name) {
    const script = `
      const button = [...document.querySelectorAll("button, a.button")].find((each) => each.textContent.trim() === arguments[0]);
      button?.setAttribute("data-pressed", "");
      return button !== undefined;`;
    await until(`there is a button ${name}`, () => this.session.run(script, name));
    const button = await this.session.find("[data-pressed]");
    await this.session.run("document.querySelector('[data-pressed]').removeAttribute('data-pressed')");
    await button.click();
  }

  async write(css, text) {
    const field = await this.session.find(css);
    // As a person does it: the driver's own way of clearing tells the page nothing.
    await field.click();
    await this.session.press([Key.control, "a"], Key.delete);
    if (text !== "") await field.type(text);
  }

  async choose(value) {
    await (await this.session.find(`input[value="${value}"]`)).click();
  }

  /** How far the line of stages is filled, as the names of the reached steps. */
  stages() {
    return this.session.run(
      "return [...document.querySelectorAll('[data-testid=stages] li.done .label')].map((each) => each.textContent.trim())",
    );
  }

  /** The answer that stands under the line, once it does. */
  answer() {
    const script =
      "return document.querySelector('[data-testid=answer]')?.textContent.replace(/\\s+/g, ' ').trim() ?? ''";
    return until("there is an answer", () => this.session.run(script));
  }

  /** Nothing that keeps somebody out: what axe finds in the page as it stands. */
  async isAccessible(what) {
    await this.session.run(AXE);
    const found = await this.session.runAsync(
      `const done = arguments[arguments.length - 1];
       axe.run(document).then(
         ({ violations }) => done(violations.map(({ id, impact, nodes }) => impact + ": " + id + ": " + nodes[0].html)),
         (error) => done([String(error)]));`,
    );
    assert.deepEqual(found, [], what);
  }

  /** Where the keyboard is, as a screen reader would name it. */
  focused() {
    return this.session.run(`
      const at = document.activeElement;
      const label = at.labels?.[0]?.textContent.trim();
      return at.getAttribute("aria-label") ?? label ?? at.textContent.trim();`);
  }
  /** Goes back with the keyboard to what is called so. */
  async tabBack(name) {
    const seen = [];
    do {
      await this.session.press([Key.shift, Key.tab]);
      seen.push(await this.focused());
    } while (seen.at(-1) !== name && seen.length < 12);
    assert.equal(seen.at(-1), name, `the keyboard went back over ${seen}`);
  }

  /** Opens what is folded under these words. */
  async unfold(words) {
    const script = `
      const folds = [...document.querySelectorAll("summary")];
      const fold = folds.find((each) => each.textContent.trim().startsWith(arguments[0]));
      fold?.scrollIntoView({ block: "center" });
      if (fold !== undefined && !fold.parentElement.open) fold.click();
      return fold !== undefined;`;
    await until(`there is a fold ${words}`, () => this.session.run(script, words));
  }
}
