// Credits in the window, on a cardboard daemon: what a person sees and does.

import { cleanup, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import App from "../App.svelte";
import { ProblemError } from "../api/transport";
import type { Quote, Status, Wallet, WalletRow } from "../api/types";
import { FakeTransport, problem } from "./fake";
import { WAITING, row, rows, status, wallet } from "./samples";

let fake: FakeTransport;

document.documentElement.lang = "en";
Element.prototype.scrollIntoView = () => undefined;

beforeEach(() => {
  location.hash = "";
  fake = new FakeTransport();
  fake.answer("GET /network/nearby", () => []);
});

afterEach(cleanup);

function open(
  page: string,
  now: Wallet | null = wallet({ rows: 3 }),
  list: WalletRow[] = rows(3),
  node: Status = status(now === null ? "alone" : "waiting"),
) {
  location.hash = page;
  render(App, { transport: fake });
  flushSync();
  fake.snapshot(node, now, list);
  flushSync();
}

function change(event: "wallet" | "row", data: Wallet | WalletRow) {
  fake.change({ event, data } as Parameters<FakeTransport["change"]>[0]);
  flushSync();
}

const plain = (text: string) => text.replaceAll("\u00a0", " ").replace(/\s+/g, " ").trim();
const said = (id: string) => plain(screen.getByTestId(id).textContent);
const credits = () => within(screen.getByRole("region", { name: "Credits" }));

describe("credits on Home", () => {
  it("show the balance, today's earnings, and what they are for", () => {
    open("");
    expect(said("balance")).toBe("12.4 credits");
    expect(screen.getByText(/2\.66.credits earned today/)).toBeTruthy();
    expect(screen.getByText("Credits buy AI work on this network and nothing else.")).toBeTruthy();
    expect(screen.queryByTestId("waiting")).toBeNull();
  });

  it("show the last five rows, live", () => {
    open("", wallet({ rows: 7 }), rows(7));
    expect(credits().getAllByRole("listitem")).toHaveLength(5);
    change("row", row(8, { direction: "out", amount: 1, detail: "Work by 3f3f…: 1 task" }));
    const [first] = credits().getAllByRole("listitem");
    expect(plain(first?.textContent ?? "")).toMatch(/^Work by 3f3f…: 1 task .*\u22120\.000001$/);
    change("wallet", wallet({ available: 13_730_000 }));
    expect(said("balance")).toBe("13.73 credits");
  });

  it("say what is pending and why", () => {
    open("", wallet({ pending: 1_330_000, waiting: WAITING }), [row(1, { state: "pending" })]);
    expect(said("waiting")).toBe(WAITING);
    expect(credits().getByText("Pending")).toBeTruthy();
    change("wallet", wallet({ pending: 1_000_000, waiting: null }));
    expect(said("waiting")).toBe("1 credit is pending.");
  });

  it("say that they arrive when they do", () => {
    open("", wallet({ rows: 0 }), []);
    expect(said("arrival")).toBe("");
    expect(screen.getByTestId("arrival").getAttribute("aria-live")).toBe("polite");
    expect(screen.getByText(/The first credits come when/)).toBeTruthy();
    change("row", row(1));
    expect(said("arrival")).toBe("1.33 credits arrived");
    expect(screen.getByText("Your first credits")).toBeTruthy();
  });

  it("are none outside a network, in a plain sentence", () => {
    open("", null, []);
    expect(credits().getByText("-")).toBeTruthy();
    expect(credits().getByText(/Credits move between the computers of a network/)).toBeTruthy();
  });

  it("are not shown while the daemon is away", () => {
    open("");
    fake.link({ state: "unreachable" });
    flushSync();
    expect(screen.queryByTestId("balance")).toBeNull();
  });
});

describe("Wallet", () => {
  it("shows the balance and its parts", () => {
    open("#/wallet", wallet({ held: 500_000, others: 3_250_000, daily_limit: 5_000_000 }));
    expect(plain(screen.getByRole("heading", { level: 1 }).textContent)).toBe(
      "Balance in our street 12.4 credits",
    );
    const part = (name: RegExp) =>
      plain(screen.getByText(name, { selector: "dt" }).parentElement?.textContent ?? "");
    expect(part(/^For any use/)).toMatch(/9\.33$/);
    expect(part(/^For tasks/)).toMatch(/2\.07$/);
    expect(part(/^Free today/)).toMatch(/ 1$/);
    expect(part(/^Set aside/)).toMatch(/0\.5$/);
    expect(part(/^Pending/)).toMatch(/ 0$/);
    expect(part(/^Your other computers/)).toMatch(/3\.25$/);
    expect(screen.getByText(/At most 5.credits a day/)).toBeTruthy();
  });

  it("lists rows with time, sentence, state in words and a signed amount", () => {
    const exact = { at_ms: Date.now() - 3 * 60_000 };
    open("#/wallet", wallet({ rows: 4 }), [
      row(4, exact),
      row(3, { ...exact, direction: "out", amount: 500_000, granted: 20_000, reason: "hold", state: "held" }),
      row(2, { ...exact, direction: "note", amount: 1_234, reason: "burnt", state: "burnt" }),
      row(1, { ...exact, id: "h/pending", state: "pending" }),
    ]);
    const text = within(screen.getByRole("table"))
      .getAllByRole("row")
      .slice(1)
      .map((line) =>
        within(line)
          .getAllByRole("cell")
          .map((cell) => plain(cell.textContent)),
      );
    expect(text).toEqual([
      ["3 min ago", "Settled", "+1.33"],
      ["3 min ago", "Set aside", "\u22120.5 0.02 of it for tasks"],
      ["3 min ago", "Burnt", "0.001234"],
      ["3 min ago", "Pending", "+1.33"],
    ]);
    const time = document.querySelector("tbody time");
    expect(time?.getAttribute("datetime")).toBe(new Date(exact.at_ms).toISOString());
    expect(time?.getAttribute("title")).toMatch(/\d+:\d\d:\d\d/);
  });

  it("brings older rows, and says why it cannot", async () => {
    open("#/wallet", wallet({ rows: 30 }), rows(20, 30));
    expect(screen.getByText("20 of 30 rows")).toBeTruthy();
    fake.refuse("GET /wallet/rows?limit=50&before=11", "E4006", "Too busy", "The node is too busy.");
    await userEvent.click(screen.getByRole("button", { name: "Older" }));
    expect((await screen.findByRole("alert")).textContent).toContain("The node is too busy.");
    fake.answer("GET /wallet/rows?limit=50&before=11", () => ({ rows: rows(10), next: null }));
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(within(screen.getByRole("table")).getAllByRole("row")).toHaveLength(31));
    expect(screen.queryByRole("button", { name: "Older" })).toBeNull();
    expect(screen.getByText("30 rows")).toBeTruthy();
  });

  it("exports every row as a file", async () => {
    open("#/wallet", wallet({ rows: 600 }), rows(20, 600));
    fake.answer("GET /wallet/rows?limit=500", () => ({ rows: rows(500, 600), next: 101 }));
    fake.answer("GET /wallet/rows?limit=500&before=101", () => ({ rows: rows(100, 100), next: null }));
    await userEvent.click(screen.getByRole("button", { name: "Export as CSV" }));
    expect(
      await screen.findByText(/^600 rows went to p2p-agent-wallet-.*, among your downloads\.$/),
    ).toBeTruthy();
    expect(fake.saved).toHaveLength(1);
    expect(fake.saved[0]?.name).toMatch(/^p2p-agent-wallet-\d{4}-\d\d-\d\d\.csv$/);
    expect(fake.saved[0]?.text.trimEnd().split("\n")).toHaveLength(601);
  });

  it("says why an export left no file", async () => {
    open("#/wallet");
    fake.answer("GET /wallet/rows?limit=500", () => ({ rows: rows(3), next: null }));
    fake.save = async () => {
      throw new ProblemError(problem("E1018", "The file was not written", "The disk is full."));
    };
    await userEvent.click(screen.getByRole("button", { name: "Export as CSV" }));
    expect((await screen.findByRole("alert")).textContent).toContain("The disk is full.");
    expect(screen.getByRole("button", { name: "Export as CSV" })).toBeTruthy();
  });

  it("stops an export that is not wanted any more, or would never end", async () => {
    open("#/wallet", wallet({ rows: 600 }), rows(20, 600));
    let answer: (page: unknown) => void = () => undefined;
    fake.answer("GET /wallet/rows?limit=500", () => new Promise((resolve) => (answer = resolve)));
    await userEvent.click(screen.getByRole("button", { name: "Export as CSV" }));
    expect(screen.getByText("Reading 0 of 600 rows")).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
    answer({ rows: rows(500, 600), next: 101 });
    expect(await screen.findByRole("button", { name: "Export as CSV" })).toBeTruthy();
    expect(fake.calls).toHaveLength(1);

    fake.answer("GET /wallet/rows?limit=500", () => ({ rows: rows(3), next: 900 }));
    fake.answer("GET /wallet/rows?limit=500&before=900", () => ({ rows: rows(3), next: 900 }));
    await userEvent.click(screen.getByRole("button", { name: "Export as CSV" }));
    await waitFor(() => expect(screen.queryByText(/^Reading/)).toBeNull());
    expect(fake.calls).toHaveLength(3);
  });

  it("checks the sums, and says in words whether they agree", async () => {
    const check = {
      agrees: true,
      certificates: 1,
      rows: 3,
      available: 12_400_000,
      held: 500_000,
      problems: [],
    };
    fake.answer("GET /wallet/verify", () => check);
    open("#/wallet");
    await userEvent.click(screen.getByRole("button", { name: "Check the sums" }));
    await screen.findByText("The sums agree.");
    expect(said("check")).toContain(
      "from 1 certificate and 3 rows: 12.4 credits to spend, 0.5 credits set aside.",
    );

    const problems = Array.from({ length: 7 }, (_, index) => `Order ${index} is missing.`);
    fake.answer("GET /wallet/verify", () => ({ ...check, agrees: false, problems }));
    await userEvent.click(screen.getByRole("button", { name: "Check the sums" }));
    await screen.findByText("The sums do not agree.");
    expect(said("check")).toContain("Order 4 is missing.");
    expect(said("check")).toContain("2 more are not listed.");
    expect(said("check")).not.toContain("Order 5");

    fake.refuse("GET /wallet/verify", "E5005", "The wallet does not add up");
    await userEvent.click(screen.getByRole("button", { name: "Check the sums" }));
    expect((await screen.findByRole("alert")).textContent).toContain("Keep its folder as it is.");
  });

  it("offers a network to who has none", () => {
    open("#/wallet", null, []);
    expect(screen.getByRole("link", { name: "Join or start a network" }).getAttribute("href")).toBe(
      "#/network",
    );
  });

  it("shows texts of strangers as text, and a time that is none as none", () => {
    const hostile = '<img src=x onerror="window.hit=1">';
    const odd = row(1, { detail: hostile, at_ms: Number.MAX_SAFE_INTEGER });
    for (const page of ["", "#/wallet"]) {
      open(page, wallet({ network: hostile, waiting: hostile }), [odd]);
      expect(document.querySelector("main img")).toBeNull();
      expect(screen.getAllByText(hostile, { exact: false }).length).toBeGreaterThan(0);
      cleanup();
    }
  });
});

describe("the price of a text", () => {
  const quote: Quote = {
    price: 20_000,
    texts: 1,
    bytes: 5,
    computers: 3,
    available: 12_400_000,
    enough: true,
    unpaid: false,
    detail: "",
  };
  const asked = () => fake.calls.filter(({ call }) => call === "POST /tasks/quote");

  async function type(choice: string, text = "Fine.") {
    await userEvent.click(screen.getByRole("radio", { name: choice }));
    await userEvent.type(screen.getByRole("textbox"), text);
  }

  it("is told before it runs, once the typing rests", async () => {
    fake.answer("POST /tasks/quote", () => quote);
    open("");
    await type("Anyone");
    await waitFor(() =>
      expect(said("price")).toBe("This costs 0.02 credits at most. At most 3 other computers see the text."),
    );
    expect(asked()).toHaveLength(1);
    expect(asked()[0]?.body).toMatchObject({ texts: ["Fine."], privacy: "public" });
  });

  it("is not asked for what stays here, nor outside a network", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    open("");
    await type("Only here");
    await vi.advanceTimersByTimeAsync(1_000);
    cleanup();
    open("", null, []);
    await type("Anyone");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked()).toEqual([]);
    expect(screen.queryByTestId("price")).toBeNull();
    vi.useRealTimers();
  });

  it("does not hold up the run", async () => {
    fake.answer("POST /tasks/quote", () => new Promise(() => undefined));
    fake.refuse("POST /tasks", "E5002", "There are not enough credits");
    open("");
    await type("People I chose");
    await waitFor(() => expect(asked()).toHaveLength(1));
    await userEvent.click(screen.getByRole("button", { name: "Run" }));
    expect((await screen.findByRole("alert")).textContent).toContain(
      "the first credits come within a minute",
    );
    expect(screen.getByRole("button", { name: "Run it here" })).toBeTruthy();
  });

  it("says in words what stands against it", async () => {
    fake.refuse("POST /tasks/quote", "E5004", "The network's notary cannot be reached");
    open("");
    await type("Anyone");
    await waitFor(() =>
      expect(said("price")).toMatch(/notary cannot be reached\..*Your text can run here\.$/),
    );
    fake.answer("POST /tasks/quote", () => ({ ...quote, available: 10_000, enough: false }));
    await userEvent.type(screen.getByRole("textbox"), " More.");
    await waitFor(() => expect(said("price")).toContain("0.02 credits at most, and you have 0.01."));
    fake.answer("POST /tasks/quote", () => ({ ...quote, available: 0, enough: false, unpaid: true }));
    await userEvent.type(screen.getByRole("textbox"), " More.");
    await waitFor(() => expect(said("price")).toContain("nothing as long as you have none"));
    fake.refuse("POST /tasks/quote", "E4001", "There is no such call");
    await userEvent.type(screen.getByRole("textbox"), " More.");
    await waitFor(() => expect(said("price")).toBe(""));
  });
});

describe("keyboard and screen reader", () => {
  it.each([
    ["home", wallet({ rows: 8, pending: 1_330_000, waiting: WAITING }), rows(8), ""],
    ["home, nothing yet", wallet(), [], ""],
    ["wallet", wallet({ rows: 30, waiting: WAITING }), rows(20, 30), "#/wallet"],
    ["wallet, nothing yet", wallet(), [], "#/wallet"],
    ["wallet, outside a network", null, [], "#/wallet"],
  ])("find nothing to complain about on %s", async (_name, now, list, page) => {
    open(page, now, list);
    if (now !== null) change("row", row(99));
    const found = await axe.run(document, { rules: { "color-contrast": { enabled: false } } });
    expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  });
});
