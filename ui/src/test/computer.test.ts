// What the work of this computer costs, on a cardboard daemon.

import { cleanup, render, screen, waitFor } from "@testing-library/svelte";
import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import App from "../App.svelte";
import { FakeTransport } from "./fake";
import { status } from "./samples";
import { computer } from "./samples.computer";
import { timeline } from "./samples.schedule";

let fake: FakeTransport;

document.documentElement.lang = "en";
Element.prototype.scrollIntoView = () => undefined;

beforeEach(() => {
  fake = new FakeTransport();
  fake.answer("GET /network/nearby", () => []);
  fake.answer("GET /schedule/timeline?hours=24", () => timeline());
});

afterEach(cleanup);

function open() {
  location.hash = "#/activity";
  render(App, { transport: fake });
  flushSync();
  fake.snapshot(status("waiting"));
  flushSync();
}

const plain = (text: string | null) => (text ?? "").replaceAll("\u00a0", " ").replace(/\s+/g, " ").trim();
const line = async () => plain((await screen.findByTestId("today")).textContent);
const asked = () => fake.calls.filter(({ call }) => call === "GET /computer").length;

describe("today's work", () => {
  it("is one line that calls an estimate an estimate", async () => {
    fake.answer("GET /computer", () => computer());
    open();
    expect(await line()).toBe("Today: 12 tasks, 3.1 Wh, about 0.00093 EUR (estimated: 6 W a busy core)");
    expect(plain(screen.getByTestId("today").getAttribute("title"))).toContain("0.3 EUR a kilowatt-hour");
  });

  it("says where it was measured, and what is too little to count", async () => {
    fake.answer("GET /computer", () =>
      computer({ method: "meter", tasks_today: 1, watt_hours_today: 0.0004, cost_today: 0.000001 }),
    );
    open();
    expect(await line()).toBe("Today: 1 task, under 0.001 Wh, under 0.00001 EUR (measured by the processor)");
  });

  it("is not there before there was any, nor where the node cannot tell", async () => {
    fake.answer("GET /computer", () => computer({ cpu_seconds_today: 0, tasks_today: 0 }));
    open();
    await waitFor(() => expect(asked()).toBe(1));
    expect(screen.queryByTestId("today")).toBeNull();
    cleanup();
    fake.refuse("GET /computer", "E4001", "There is no such thing");
    open();
    await waitFor(() => expect(asked()).toBe(2));
    expect(screen.queryByTestId("today")).toBeNull();
  });

  it("is asked again only when the node tells of a change", async () => {
    fake.answer("GET /computer", () => computer());
    open();
    await line();
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(asked()).toBe(1);
    fake.answer("GET /computer", () => computer({ tasks_today: 13 }));
    fake.change({ event: "status", data: status("waiting", { guest_tasks_done: 1 }) });
    flushSync();
    await waitFor(async () => expect(await line()).toContain("13 tasks"));
    expect(asked()).toBe(2);
  });
});
