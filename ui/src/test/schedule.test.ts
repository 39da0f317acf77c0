// When this computer works for others: settings, the day and the snooze, on a cardboard daemon.

import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import App from "../App.svelte";
import { FakeTransport } from "./fake";
import { status } from "./samples";
import { rule, schedule, settable, timeline } from "./samples.schedule";

let fake: FakeTransport;
let kept: Map<string, unknown>;

document.documentElement.lang = "en";
Element.prototype.scrollIntoView = () => undefined;

beforeEach(() => {
  fake = new FakeTransport();
  fake.answer("GET /network/nearby", () => []);
  fake.answer("GET /schedule/timeline?hours=24", () => timeline());
});

afterEach(cleanup);

async function open(page: string, own: Record<string, unknown> = {}, now = status("waiting")) {
  kept = settable(fake, own);
  location.hash = page;
  render(App, { transport: fake });
  flushSync();
  fake.snapshot(now);
  flushSync();
  if (page === "#/settings") {
    await waitFor(() => one("input[name=preset]"));
    document.querySelectorAll<HTMLDetailsElement>(".page > details").forEach((fold) => (fold.open = true));
  }
}

const plain = (text: string | null) => (text ?? "").replaceAll("\u00a0", " ").replace(/\s+/g, " ").trim();
const setting = (name: string) => {
  const found = document.querySelector<HTMLElement>(`[data-setting="${name}"]`);
  return found ?? expect.fail(`no setting ${name}`);
};
const said = (name: string) => plain(setting(name).textContent);
const puts = () => fake.calls.filter(({ call }) => call.startsWith("PUT"));
// By role, a week of cells takes seconds to look through.
const one = <E extends Element>(css: string) => document.querySelector<E>(css) ?? expect.fail(`no ${css}`);
const cell = (name: string) => one<HTMLElement>(`td[role=gridcell][aria-label="${name}"]`);
const weekField = () => one<HTMLInputElement>("#week-hours");

describe("presets", () => {
  it("say what differs, in words and in numbers", async () => {
    await open("#/settings");
    const full = screen.getByRole("radio", { name: /^Full power/ });
    const about = document.getElementById(full.getAttribute("aria-describedby") ?? "");
    expect(plain(about?.textContent ?? "")).toMatch(/also while you use it.*80 %.*4 GB.*above 60 %.*85 °C/);
    expect(plain(document.getElementById("preset-quiet")?.textContent ?? "")).toContain("Never on battery");
  });

  it("are chosen at once, and what follows them follows", async () => {
    await open("#/settings");
    expect(said("cpu_percent")).toContain("25 %: 2 of 8 cores");
    await userEvent.click(screen.getByRole("radio", { name: /^Balanced/ }));
    await waitFor(() => expect(said("cpu_percent")).toContain("50 %: 4 of 8 cores"));
    expect(said("cpu_percent")).toContain("as Balanced");
    expect(puts()).toEqual([{ call: "PUT /config/schedule.preset", body: { value: "balanced" } }]);
  });

  it("stay where the daemon refuses another", async () => {
    await open("#/settings");
    fake.refuse("PUT /config/schedule.preset", "E1005", "The configuration cannot be used");
    await userEvent.click(screen.getByRole("radio", { name: /^Full power/ }));
    expect((await screen.findByRole("alert")).textContent).toContain("E1005");
    expect((screen.getByRole("radio", { name: /^Quiet/ }) as HTMLInputElement).checked).toBe(true);
  });

  it("are what everything can be set back to", async () => {
    await open("#/settings", { "schedule.cpu_percent": 60, "schedule.metered": true });
    expect(screen.getByText(/2 settings differ from Quiet/)).toBeTruthy();
    expect(said("cpu_percent")).toContain("60 %: 4.8 of 8 cores");
    await userEvent.click(within(setting("cpu_percent")).getByRole("button", { name: /^Back to Quiet: 25/ }));
    await waitFor(() => expect(said("cpu_percent")).toContain("as Quiet"));
    await userEvent.click(screen.getByRole("button", { name: "Set all back to Quiet" }));
    await waitFor(() => expect(kept.get("schedule.metered")).toBeNull());
    expect(screen.queryByText(/differ/)).toBeNull();
  });
});

describe("settings", () => {
  it("change when a slider is let go, and go back where that is refused", async () => {
    await open("#/settings");
    const slider = screen.getByRole<HTMLInputElement>("slider", { name: "Processor" });
    await fireEvent.input(slider, { target: { value: "40" } });
    expect(slider.getAttribute("aria-valuetext")).toMatch(/^40.%: 3\.2 of 8 cores$/);
    expect(puts()).toHaveLength(0);
    await fireEvent.change(slider, { target: { value: "40" } });
    await waitFor(() => expect(kept.get("schedule.cpu_percent")).toBe(40));

    fake.refuse("PUT /config/schedule.cpu_percent", "E1005", "The configuration cannot be used");
    await fireEvent.change(slider, { target: { value: "90" } });
    expect(plain((await within(setting("cpu_percent")).findByRole("alert")).textContent)).toMatch(
      /cannot be used.*Do something else.*stays as it was.*Code E1005/,
    );
    expect(slider.value).toBe("40");
  });

  it("step by whole minutes", async () => {
    await open("#/settings", { "schedule.idle_s": 90 });
    await userEvent.click(screen.getByRole("button", { name: "One minute more" }));
    await waitFor(() => expect(kept.get("schedule.idle_s")).toBe(120));
    await userEvent.click(screen.getByRole("button", { name: "One minute less" }));
    await waitFor(() => expect(kept.get("schedule.idle_s")).toBe(60));
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "One minute less" }).disabled).toBe(true);
  });

  it("say how each rule stands, and what it knows that from", async () => {
    await open("#/settings");
    expect(said("battery_percent")).toContain("Cannot be read here: no battery");
    expect(said("temperature_c")).toContain("Cannot be read here: no sensor");
    expect(said("media")).toContain("Blocks now");
    expect(said("calls")).toContain("Rule works");
    expect(said("others_percent")).toMatch(/other programs use 8 % \(procfs, told by tray-4242, 12 s ago\)/);
    await userEvent.click(screen.getByRole("switch", { name: "While a film or music plays" }));
    await waitFor(() => expect(said("media")).toContain("No rule"));
    expect(kept.get("schedule.media")).toBe(true);
  });

  it("say that the owner cannot be seen", async () => {
    const rules = [
      rule("owner", { applies: "cannot_tell", untold: "no_session" }),
      rule("owner_untold", { effect: "blocks" }),
    ];
    kept = settable(fake);
    fake.answer("GET /schedule", () => schedule({ rules }));
    location.hash = "#/settings";
    render(App, { transport: fake });
    flushSync();
    fake.snapshot(status("waiting"));
    await waitFor(() => expect(said("idle_s")).toContain("cannot tell whether you use the computer"));
  });

  it("are read again when the daemon tells of a change, and never by the clock", async () => {
    await open("#/settings");
    const reads = () => fake.calls.filter(({ call }) => call === "GET /schedule").length;
    const before = reads();
    await new Promise((done) => setTimeout(done, 600));
    expect(reads()).toBe(before);
    const sentence = "Ready: up to 2 of 8 cores.";
    fake.answer("GET /schedule", () => schedule({ sentence }));
    fake.change({ event: "status", data: status("working") });
    await waitFor(() => expect(screen.getByTestId("verdict").textContent).toBe(sentence));
    expect(reads()).toBe(before + 1);

    location.hash = "#/home";
    await screen.findByText("Try it");
    const left = reads();
    fake.change({ event: "status", data: status("waiting") });
    await new Promise((done) => setTimeout(done, 600));
    expect(reads()).toBe(left);
  });
});

describe("hours", () => {
  const evening = { "schedule.when": "hours", "schedule.hours": "mon-fri 18:00-23:00" };

  it("are drawn with the keyboard", async () => {
    await open("#/settings", evening);
    cell("Monday 18:00 to 18:30").focus();
    await userEvent.keyboard("{ArrowLeft}{ArrowLeft}");
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Monday 17:00 to 17:30");
    await userEvent.keyboard("{Shift>}{ArrowRight}{ArrowDown}{/Shift}");
    expect(screen.getByText("Monday to Tuesday, 17:00 to 18:00 marked")).toBeTruthy();
    await userEvent.keyboard(" ");
    const expected = "mon-tue 17:00-23:00, wed-fri 18:00-23:00";
    await waitFor(() => expect(kept.get("schedule.hours")).toBe(expected));
    expect(weekField().value).toBe(expected);
  });

  it("are drawn with the pointer, and erased where they were", async () => {
    await open("#/settings", evening);
    await fireEvent.pointerDown(cell("Saturday 09:00 to 09:30"), { button: 0 });
    await fireEvent.pointerOver(cell("Sunday 10:30 to 11:00"));
    expect(cell("Sunday 09:00 to 09:30").getAttribute("aria-selected")).toBe("true");
    expect(puts()).toHaveLength(0);
    await fireEvent.pointerUp(window);
    const both = "mon-fri 18:00-23:00, sat-sun 09:00-11:00";
    await waitFor(() => expect(kept.get("schedule.hours")).toBe(both));

    await fireEvent.pointerDown(cell("Monday 22:00 to 22:30"), { button: 0 });
    await fireEvent.pointerOver(cell("Friday 22:30 to 23:00"));
    await fireEvent.pointerUp(window);
    await waitFor(() => expect(kept.get("schedule.hours")).toBe("mon-fri 18:00-22:00, sat-sun 09:00-11:00"));
  });

  it("are written, and set back where they make no sense", async () => {
    await open("#/settings", evening);
    const refusal = () => setting("hours").querySelector("[role=alert]");
    await fireEvent.change(weekField(), { target: { value: "moon 10:00-12:00" } });
    await waitFor(() => expect(refusal()?.textContent).toContain("Write it so"));
    expect(weekField().value).toBe("mon-fri 18:00-23:00");
    await userEvent.click(screen.getByText("Nights"));
    await waitFor(() => expect(kept.get("schedule.hours")).toBe("mon-sun 22:00-07:00"));
    expect(refusal()).toBeNull();
    expect(cell("Monday 06:30 to 07:00").getAttribute("aria-selected")).toBe("true");
  });

  it("give way to always, and come back", async () => {
    await open("#/settings", evening);
    await userEvent.click(one("input[name=when][value=always]"));
    await waitFor(() => expect(kept.get("schedule.when")).toBe("always"));
    expect(kept.get("schedule.hours")).toBeNull();
    expect(document.querySelector("[role=alert]")).toBeNull();
    await userEvent.click(one("input[name=when][value=hours]"));
    await waitFor(() => expect(kept.get("schedule.hours")).toBe("mon-fri 18:00-23:00"));
  });
});

describe("the day", () => {
  it("stands behind the sentence", async () => {
    await open("#/home");
    await userEvent.click(screen.getByRole("link", { name: /connected to 4 other computers/i }));
    expect(await screen.findByText("The last 24 hours")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Home" }).getAttribute("aria-current")).toBe("true");
  });

  it("is read span by span with the keyboard", async () => {
    await open("#/activity");
    const band = await screen.findByRole("slider", { name: "Moment of the day" });
    expect(band.getAttribute("aria-valuetext")).toContain("Waiting: you are using the computer.");
    band.focus();
    await userEvent.keyboard("{ArrowLeft}{ArrowLeft}");
    expect(plain(screen.getByTestId("span").textContent)).toMatch(
      /1 h 6 min|1 h.*Paused by you until 16:00\./,
    );
    await userEvent.keyboard("{Home}{ArrowLeft}");
    expect(band.getAttribute("aria-valuenow")).toBe("0");
  });

  it("says the same in a table, the newest first", async () => {
    await open("#/activity");
    const rows = within(await screen.findByRole("table")).getAllByRole("row");
    expect(rows).toHaveLength(14);
    expect(plain(rows[1]?.textContent ?? "")).toMatch(/you are using the computer.*24 min so far$/);
    expect(screen.getByText("Battery, heat, load")).toBeTruthy();
  });

  it("says what will be there where nothing is", async () => {
    fake.answer("GET /schedule/timeline?hours=24", () => ({ ...timeline(), changes: [] }));
    await open("#/activity");
    expect(await screen.findByText(/appears here as it changes/)).toBeTruthy();
    expect(screen.getByTestId("span").textContent).toContain("Nothing is known of this time");
  });
});

describe("the snooze", () => {
  it.each([
    ["30 minutes", { for_ms: 1_800_000 }],
    ["2 hours", { for_ms: 7_200_000 }],
    ["Until tomorrow", { until_tomorrow: true }],
    ["Until I resume", {}],
  ])("pauses: %s", async (name, body) => {
    fake.answer("POST /node/pause", () => status("paused"));
    await open("#/home");
    await userEvent.click(screen.getByRole("button", { name: "Pause for" }));
    await userEvent.click(screen.getByRole("menuitem", { name }));
    await waitFor(() => expect(screen.getByTestId("sentence").textContent).toContain("Paused by you"));
    expect(fake.calls.at(-1)).toEqual({ call: "POST /node/pause", body });
  });

  it("is walked with the arrow keys, and left with Escape", async () => {
    await open("#/home");
    const button = screen.getByRole("button", { name: "Pause for" });
    button.focus();
    await userEvent.keyboard("{ArrowDown}");
    const name = () => document.activeElement?.textContent;
    await waitFor(() => expect(name()).toBe("30 minutes"));
    await userEvent.keyboard("{ArrowUp}");
    expect(name()).toBe("Until I resume");
    await userEvent.keyboard("{ArrowDown}{ArrowDown}");
    expect(name()).toBe("2 hours");
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByRole("menu")).toBeNull();
    expect(document.activeElement).toBe(button);
  });

  it("leaves the switch on where only the rules pause", async () => {
    const sentence = "Paused: on battery, 82 %. Resumes on mains power.";
    await open("#/home", {}, status("paused", { sentence, paused_by_hand: false }));
    expect(screen.getByRole("switch", { name: "Work for others" }).getAttribute("aria-checked")).toBe("true");
  });
});

describe("keyboard and screen reader", () => {
  it.each([
    ["settings", "#/settings", {}],
    ["hours", "#/settings", { "schedule.when": "hours", "schedule.hours": "mon-fri 18:00-23:00" }],
    ["the day", "#/activity", {}],
  ])(
    "find nothing to complain about on %s",
    async (_name, page, own) => {
      await open(page, own);
      if (page === "#/activity") await screen.findByRole("slider");
      // The cells of a week are all alike, and axe takes its time for each.
      document
        .querySelectorAll("tr:nth-child(n + 3) td[role=gridcell]:nth-child(n + 6)")
        .forEach((td) => td.remove());
      const found = await axe.run(document, { rules: { "color-contrast": { enabled: false } } });
      expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    },
    30_000,
  );

  it("find nothing to complain about in the open menu", async () => {
    await open("#/home");
    await userEvent.click(screen.getByRole("button", { name: "Pause for" }));
    const found = await axe.run(document, { rules: { "color-contrast": { enabled: false } } });
    expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  }, 30_000);
});
