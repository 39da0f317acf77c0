import { describe, expect, it } from "vitest";

import { SseReader } from "./sse";

describe("the event stream", () => {
  it("is cut into events wherever the pieces break", () => {
    const stream = 'id: 1\ndata: {"a":1}\n\n: still here\n\nid: 2\r\ndata: {"b":\r\ndata: 2}\r\n\r\n';
    for (let at = 0; at <= stream.length; at++) {
      const reader = new SseReader();
      const events = [...reader.push(stream.slice(0, at)), ...reader.push(stream.slice(at))];
      expect(events, `broken at ${at}`).toEqual(['{"a":1}', '{"b":\n2}']);
    }
  });

  it("says nothing of an event that has not ended", () => {
    expect(new SseReader().push("data: half\n")).toEqual([]);
  });

  it("gives up on an event without an end", () => {
    const reader = new SseReader();
    expect(() => {
      for (let piece = 0; piece < 20; piece++) reader.push("x".repeat(1024 * 1024));
    }).toThrow();
  });
});
