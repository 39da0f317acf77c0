import { afterEach, describe, expect, it, vi } from "vitest";

import { status } from "../test/samples";
import { HttpTransport } from "./http";
import { ProblemError } from "./transport";
import type { Link } from "./transport";
import type { DaemonEvent } from "./types";

afterEach(() => vi.unstubAllGlobals());

function stub(...answers: (() => Response)[]) {
  const fetch = vi.fn<(path: string, init: RequestInit) => Promise<Response>>(() => {
    const answer = answers.shift();
    return answer === undefined ? new Promise<Response>(() => undefined) : Promise.resolve(answer());
  });
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

describe("calls of the dashboard", () => {
  it("send JSON and read JSON", async () => {
    const fetch = stub(() => Response.json({ ok: 1 }));
    const answer = await new HttpTransport().call("POST", "/api/v1/tasks", { texts: ["a"] });
    expect(answer).toEqual({ ok: 1 });
    const [path, init] = fetch.mock.calls[0] ?? [];
    expect(path).toBe("/api/v1/tasks");
    expect(init?.body).toBe('{"texts":["a"]}');
    expect(new Headers(init?.headers).get("content-type")).toBe("application/json");
  });

  it("take an empty answer as none", async () => {
    stub(() => new Response(null, { status: 204 }));
    expect(await new HttpTransport().call("POST", "/api/v1/network/leave")).toBeNull();
  });

  it("carry the daemon's own explanation, cleaned", async () => {
    stub(() => Response.json({ code: "E2002", title: "No\u202etext", detail: "" }, { status: 400 }));
    const error = await new HttpTransport().call("GET", "/x").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProblemError);
    expect((error as ProblemError).problem).toMatchObject({ code: "E2002", title: "Notext" });
  });

  it("say so when nobody answers", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("refused")));
    const error = await new HttpTransport().call("GET", "/x").catch((thrown: unknown) => thrown);
    expect((error as ProblemError).problem.code).toBe("E1001");
  });
});

describe("events of the dashboard", () => {
  it("arrive in order, and the stream is opened again when it ends", async () => {
    vi.useFakeTimers();
    const one = { number: 1, event: "snapshot", data: { status: status("waiting"), tasks: [] } };
    const two = { number: 2, event: "status", data: status("paused") };
    const fetch = stub(
      () => new Response(`data: ${JSON.stringify(one)}\n\ndata: ${JSON.stringify(two)}\n\n`),
      () => Response.json({ code: "E4003", title: "This door needs a token" }, { status: 401 }),
    );
    const events: DaemonEvent[] = [];
    const links: Link[] = [];
    const stop = new HttpTransport().follow({
      event: (event) => events.push(event),
      link: (link) => links.push(link),
    });
    await vi.advanceTimersByTimeAsync(100);
    expect(events.map((event) => event.number)).toEqual([1, 2]);
    expect(links.map((link) => link.state)).toEqual(["open", "unreachable"]);

    await vi.advanceTimersByTimeAsync(1_000);
    expect(links.at(-1)).toMatchObject({ state: "unreachable", problem: { code: "E4003" } });

    await vi.advanceTimersByTimeAsync(2_000);
    expect(fetch).toHaveBeenCalledTimes(3);
    stop();
    vi.useRealTimers();
  });
});
