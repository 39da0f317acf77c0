// The whole app on a cardboard daemon: what a person sees and does.

import { cleanup, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import App from "../App.svelte";
import type { Status, SubmitTask } from "../api/types";
import { FakeTransport, peerDetails, problem } from "./fake";
import { SELF, peer, status, task } from "./samples";

let fake: FakeTransport;

// What index.html says, and what jsdom, which has no layout, cannot do.
document.documentElement.lang = "en";
Element.prototype.scrollIntoView = () => undefined;

beforeEach(() => {
  location.hash = "";
  fake = new FakeTransport();
  fake.answer("GET /network/nearby", () => []);
});

afterEach(cleanup);

function open(now: Status | null = status("waiting"), page = "") {
  location.hash = page;
  render(App, { transport: fake });
  flushSync();
  if (now !== null) fake.snapshot(now);
  flushSync();
}

const sentence = () => screen.getByTestId("sentence").textContent.replace(/\s+/g, " ").trim();

async function submit(text = "The tomatoes came up early.") {
  await userEvent.type(screen.getByRole("textbox"), text);
  await userEvent.click(screen.getByRole("button", { name: "Run" }));
}

describe("Home", () => {
  it("says what the node does, in the node's own sentence", () => {
    open();
    expect(sentence()).toBe("Ready: connected to 4 other computers in our street. Waiting for a task.");
    fake.change({ event: "status", data: status("working") });
    flushSync();
    expect(sentence()).toBe("Working: 2 parts of tasks for other computers.");
    expect(screen.getByText("4 other computers connected")).toBeTruthy();
    expect(screen.getByText("12 pieces of work done for others")).toBeTruthy();
  });

  it("pauses and resumes with the one switch", async () => {
    fake.answer("POST /node/pause", () => status("paused"));
    fake.answer("POST /node/resume", () => status("waiting"));
    open();
    const toggle = screen.getByRole("switch", { name: "Work for others" });
    expect(toggle.getAttribute("aria-checked")).toBe("true");
    await userEvent.click(toggle);
    await waitFor(() => expect(sentence()).toContain("Paused by you"));
    expect(toggle.getAttribute("aria-checked")).toBe("false");
    await userEvent.click(toggle);
    await waitFor(() => expect(sentence()).toContain("Ready"));
  });

  it("leaves the keyboard on the switch while it moves", async () => {
    let answer: (now: Status) => void = () => undefined;
    fake.answer("POST /node/pause", () => new Promise<Status>((resolve) => (answer = resolve)));
    open();
    const toggle = screen.getByRole("switch");
    toggle.focus();
    await userEvent.keyboard(" ");
    await userEvent.keyboard(" ");
    expect(toggle.matches(":disabled")).toBe(false);
    answer(status("paused"));
    await waitFor(() => expect(sentence()).toContain("Paused by you"));
    expect(document.activeElement).toBe(toggle);
    expect(fake.calls).toHaveLength(1);
  });

  it("says why the switch did not move", async () => {
    fake.refuse("POST /node/pause", "E4006", "Too busy", "The node is too busy.");
    open();
    await userEvent.click(screen.getByRole("switch"));
    expect((await screen.findByRole("alert")).textContent).toContain("The node is too busy.");
    expect(screen.getByRole("switch").getAttribute("aria-checked")).toBe("true");
  });

  it("shows at most three things that need attention, twice the same included", () => {
    open(status("waiting", { warnings: ["No model.", "No model.", "b", "c"] }));
    expect(screen.getAllByText("No model.")).toHaveLength(2);
    expect(screen.queryByText("c")).toBeNull();
  });

  it("offers a network to who has none", async () => {
    open(status("alone"));
    expect(sentence()).toContain("Not in a network yet");
    await userEvent.click(screen.getByRole("link", { name: "Join or start a network" }));
    expect(await screen.findByRole("heading", { name: "Join with an invite" })).toBeTruthy();
  });
});

describe("while the daemon is away", () => {
  it("offers to start it", async () => {
    open(null);
    fake.link({ state: "unreachable", problem: problem("E1001", "No daemon is running") });
    flushSync();
    expect(sentence()).toContain("The node is not running");
    expect(screen.queryByRole("textbox")).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Start it" }));
    expect(fake.started).toBe(1);
  });

  it("says in a browser, which can start nothing, what to do", () => {
    fake.canStart = false;
    open(null);
    fake.link({ state: "unreachable" });
    flushSync();
    expect(screen.queryByRole("button", { name: "Start it" })).toBeNull();
    expect(screen.getByText(/p2p-agent up/)).toBeTruthy();
  });

  it("says why the door stays closed", () => {
    fake.canStart = false;
    open(null);
    fake.link({
      state: "unreachable",
      problem: problem("E4003", "This door needs a token", "There is no token."),
    });
    flushSync();
    expect(screen.getByRole("alert").textContent).toContain("There is no token.");
  });
});

describe("Try it", () => {
  it.each([
    ["Only here", "local"],
    ["People I chose", "trusted"],
    ["Anyone", "public"],
  ])("sends with %s what %s means", async (choice, privacy) => {
    fake.answer("POST /tasks", () => task(1));
    open();
    await userEvent.click(screen.getByRole("radio", { name: choice }));
    await submit();
    const body = fake.calls.find(({ call }) => call === "POST /tasks")?.body as SubmitTask;
    expect(body).toMatchObject({
      kind: "sentiment",
      privacy,
      where: "auto",
      texts: ["The tomatoes came up early."],
    });
  });

  it("keeps texts here unless the person says otherwise", async () => {
    fake.answer("POST /tasks", () => task(1));
    open();
    expect(screen.getByText("The text stays on this computer.")).toBeTruthy();
    await submit();
    expect((fake.calls.at(-1)?.body as SubmitTask).privacy).toBe("local");
  });

  it("shows the stages as they come, and the answer in words", async () => {
    fake.answer("POST /tasks", () => task(1));
    open();
    await submit();
    const stages = await screen.findByTestId("stages");
    const done = () =>
      within(stages)
        .getAllByRole("listitem")
        .filter((item) => item.classList.contains("done"));
    expect(done()).toHaveLength(1);
    expect(screen.getByText("Asking 4 other computers who can do it.")).toBeTruthy();

    fake.change({ event: "task", data: task(3) });
    flushSync();
    expect(done()).toHaveLength(3);
    expect(screen.getByText("…B7kM3d")).toBeTruthy();

    fake.change({ event: "task", data: task(4) });
    flushSync();
    expect(done()).toHaveLength(4);
    expect(screen.getByTestId("answer").textContent.replace(/\s+/g, " ").trim()).toBe(
      "Positive 97 % certain",
    );
    expect(screen.getByText(/Computed by another computer \(…B7kM3d\) in 84.ms/)).toBeTruthy();
  });

  it("says when the text stayed at home", async () => {
    fake.answer("POST /tasks", () => task(4, { providers: [SELF] }));
    open();
    await submit();
    expect(await screen.findByText(/Computed on this computer .* did not leave/)).toBeTruthy();
  });

  it("asks for a text before it sends anything", async () => {
    open();
    await userEvent.click(screen.getByRole("button", { name: "Run" }));
    expect(screen.getByRole("alert").textContent).toBe("Write a sentence first.");
    expect(document.activeElement).toBe(screen.getByRole("textbox"));
    expect(fake.calls).toEqual([]);
  });

  it("explains a refusal, and tries again with the same text", async () => {
    fake.refuse("POST /tasks", "E1012", "The worker could not do its work");
    open();
    await submit("Still here.");
    expect((await screen.findByRole("alert")).textContent).toMatch(
      /could not be done.*Your text is still here.*Code E1012/s,
    );
    fake.answer("POST /tasks", () => task(4));
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByTestId("answer")).toBeTruthy();
    expect((fake.calls.at(-1)?.body as SubmitTask).texts).toEqual(["Still here."]);
  });

  it("offers this computer when no other took it", async () => {
    const error = { code: "E2006", message: "No other computer took the task" };
    fake.answer("POST /tasks", (body) =>
      (body as SubmitTask).privacy === "local"
        ? task(4, { providers: [SELF] })
        : task(1, { state: "failed", error }),
    );
    open();
    await userEvent.click(screen.getByRole("radio", { name: "Anyone" }));
    await submit();
    await userEvent.click(await screen.findByRole("button", { name: "Run it here" }));
    expect(await screen.findByTestId("answer")).toBeTruthy();
    expect((screen.getByRole("radio", { name: "Only here" }) as HTMLInputElement).checked).toBe(true);
  });

  it("can be cancelled once it takes a moment", async () => {
    fake.answer("POST /tasks", () => task(3));
    fake.answer(`POST /tasks/${task(3).task_id}/cancel`, () => {
      const cancelled = task(3, { state: "cancelled" });
      cancelled.stages.push({
        stage: "cancelled",
        at_ms: 0,
        elapsed_us: 1,
        provider: null,
        detail: "Cancelled.",
      });
      return cancelled;
    });
    open();
    await submit();
    await userEvent.click(await screen.findByRole("button", { name: "Cancel" }));
    expect((await screen.findByRole("alert")).textContent).toContain("Cancelled.");
    expect(screen.getByRole("button", { name: "Run" })).toBeTruthy();
  });

  it("keeps text and answer while another page is looked at", async () => {
    fake.answer("POST /tasks", () => task(4));
    open();
    await submit("Kept.");
    await userEvent.click(screen.getByRole("link", { name: "Network" }));
    await screen.findByRole("table");
    await userEvent.click(screen.getByRole("link", { name: "Home" }));
    expect((await screen.findByRole<HTMLTextAreaElement>("textbox")).value).toBe("Kept.");
    expect(screen.getByTestId("answer")).toBeTruthy();
  });
});

describe("Network", () => {
  it("shows every computer in the picture and in the table", () => {
    open(status("waiting"), "#/network");
    expect(screen.getByRole("img").getAttribute("aria-label")).toContain("4 others around it, 4 connected");
    expect(within(screen.getByRole("table")).getAllByRole("row")).toHaveLength(5);
  });

  it("trusts a computer with its switch", async () => {
    const now = status("waiting");
    const other = now.peers[1];
    if (other === undefined) throw new Error("the sample has peers");
    fake.answer(`PUT /peers/${other.device_id}/trust`, () => ({
      ...peerDetails(now, other.device_id),
      trusted: true,
    }));
    open(now, "#/network");
    const toggle = screen.getByRole("switch", { name: `Trust computer …${other.device_id.slice(-6)}` });
    expect(toggle.getAttribute("aria-checked")).toBe("false");
    await userEvent.click(toggle);
    await waitFor(() => expect(toggle.getAttribute("aria-checked")).toBe("true"));
  });

  it("opens the details of a computer beside the list, and asks for them once", async () => {
    const now = status("waiting");
    for (const { device_id } of now.peers)
      fake.answer(`GET /peers/${device_id}`, () => peerDetails(now, device_id));
    open(now, "#/network");
    const [first] = within(screen.getByRole("table")).getAllByRole("button");
    if (first === undefined) throw new Error("the table has rows");
    await userEvent.click(first);
    expect(await screen.findByText("/ip4/192.168.1.23/tcp/9000")).toBeTruthy();
    fake.change({ event: "status", data: { ...now, guest_tasks_done: 13 } });
    flushSync();
    await userEvent.click(screen.getByRole("button", { name: "Close" }));
    expect(fake.calls.filter(({ call }) => call.startsWith("GET /peers/"))).toHaveLength(1);
  });

  it("makes an invite link that can be copied", async () => {
    fake.answer("POST /network/invite", () => ({
      link: "p2p-agent://invite/abc",
      expires_ms: 1_760_000_000_000,
    }));
    const user = userEvent.setup();
    open(status("waiting"), "#/network");
    await user.click(screen.getByRole("button", { name: "Invite somebody" }));
    expect((await screen.findByRole<HTMLInputElement>("textbox", { name: "Invite link" })).value).toBe(
      "p2p-agent://invite/abc",
    );
    await user.click(screen.getByRole("button", { name: "Copy" }));
    expect(await navigator.clipboard.readText()).toBe("p2p-agent://invite/abc");
    expect(await screen.findByRole("button", { name: "Copied" })).toBeTruthy();
  });

  it("asks before it leaves", async () => {
    fake.answer("POST /network/leave", () => null);
    fake.answer("GET /status", () => status("alone"));
    open(status("waiting"), "#/network");
    await userEvent.click(screen.getByRole("button", { name: "Leave this network" }));
    expect(fake.calls).toEqual([]);
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Stay" }));
    await userEvent.click(screen.getByRole("button", { name: "Leave" }));
    expect(fake.calls.map(({ call }) => call).slice(0, 2)).toEqual(["POST /network/leave", "GET /status"]);
    expect(await screen.findByRole("heading", { name: "Join with an invite" })).toBeTruthy();
  });

  it("joins by an invite, and says when it cannot be used", async () => {
    fake.refuse("POST /network/join", "E3003", "The invite cannot be used");
    open(status("alone"), "#/network");
    await userEvent.click(screen.getByRole("button", { name: "Join" }));
    expect(screen.getByText("Paste an invite link first.")).toBeTruthy();
    await userEvent.type(screen.getByRole("textbox", { name: "Invite link" }), " p2p-agent://invite/abc ");
    await userEvent.click(screen.getByRole("button", { name: "Join" }));
    expect(fake.calls.at(-1)).toEqual({
      call: "POST /network/join",
      body: { invite: "p2p-agent://invite/abc" },
    });
    expect((await screen.findByRole("alert")).textContent).toContain("Ask for a new one.");
  });

  it("starts a network of the chosen kind", async () => {
    fake.answer("POST /network/create", () => ({}));
    open(status("alone"), "#/network");
    await userEvent.type(screen.getByRole("textbox", { name: "Name" }), "our street");
    await userEvent.click(screen.getByRole("radio", { name: "Computers nearby" }));
    await userEvent.click(screen.getByRole("button", { name: "Start it" }));
    expect(fake.calls.at(-1)?.body).toEqual({ name: "our street", kind: "local" });
  });
});

describe("texts of strangers", () => {
  const HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>\u202egnp';

  it("stay text on every page", () => {
    const now = status("waiting", {
      sentence: `Waiting: ${HOSTILE}`,
      network: { id: "a", name: HOSTILE, kind: "open" },
      warnings: [HOSTILE],
      peers: [peer(1, { device_id: HOSTILE })],
    });
    open(now);
    expect(document.querySelector("main img, main script")).toBeNull();
    cleanup();
    open(now, "#/network");
    expect(document.querySelector("main img, main script")).toBeNull();
    expect((window as { hit?: number }).hit).toBeUndefined();
  });

  it("cannot name an answer at length", async () => {
    fake.answer("POST /tasks", () => task(4, { results: [{ label: "x".repeat(5_000), score: 0.5 }] }));
    open();
    await submit();
    expect((await screen.findByTestId("answer")).textContent.length).toBeLessThan(80);
  });
});

describe("keyboard and screen reader", () => {
  it("reach everything on Home in reading order", async () => {
    open();
    const names: string[] = [];
    for (let step = 0; step < 10; step++) {
      await userEvent.tab();
      const at = document.activeElement;
      names.push(at?.getAttribute("aria-label") ?? at?.textContent.trim() ?? "");
    }
    expect(names.slice(0, 4)).toEqual(["Home", "Wallet", "Network", "Settings"]);
    expect(names[4]).toMatch(/^Ready: connected/);
    expect(names.slice(5, 7)).toEqual(["Work for others", "Pause for"]);
    expect(names).toContain("Run");
  });

  it("run with Ctrl+Enter from the box", async () => {
    fake.answer("POST /tasks", () => task(4));
    open();
    await userEvent.type(screen.getByRole("textbox"), "Fine.{Control>}{Enter}{/Control}");
    expect(await screen.findByTestId("answer")).toBeTruthy();
    expect(document.activeElement).toBe(screen.getByRole("textbox"));
  });

  it.each([
    ["home", status("working"), ""],
    ["home, alone", status("alone"), ""],
    ["network", status("waiting"), "#/network"],
    [
      "network, many",
      status("waiting", { peers: Array.from({ length: 20 }, (_, index) => peer(index)) }),
      "#/network",
    ],
    ["network, none", status("alone"), "#/network"],
  ])("find nothing to complain about on %s", async (_name, now, page) => {
    open(now, page);
    const found = await axe.run(document, { rules: { "color-contrast": { enabled: false } } });
    expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  });
});
