import { describe, expect, it } from "vitest";

import { peer, peers } from "../test/samples";
import { HALF, MOST_DOTS, dotsOf, radiusOf } from "./picture";

const from = ({ x, y }: { x: number; y: number }) => Math.hypot(x, y);

describe("the picture of the network", () => {
  it("puts the faster nearer", () => {
    const dots = dotsOf([peer(1, { latency_ms: 200 }), peer(2, { latency_ms: 2 })]);
    const by = new Map(dots.map((dot) => [dot.peer.latency_ms, from(dot)]));
    expect(by.get(2)).toBeLessThan(by.get(200) ?? 0);
    expect(by.get(2)).toBeCloseTo(radiusOf(2));
  });

  it("leaves nobody out of the frame, however fast or slow", () => {
    for (const latency_ms of [0, 0.001, 1e9, null]) {
      for (const dot of dotsOf([peer(1, { latency_ms })])) expect(from(dot) + dot.r).toBeLessThan(HALF);
    }
  });

  it("puts who is not connected at the edge", () => {
    const [away] = dotsOf([peer(1, { connected: false, latency_ms: 1 })]);
    expect(away && from(away)).toBeGreaterThan(radiusOf(400));
  });

  it("moves nobody when the order of the list changes", () => {
    const list = peers(9);
    expect(dotsOf([...list].reverse())).toEqual(dotsOf(list));
  });

  it("draws at most so many, the connected first", () => {
    const many = [...peers(700)];
    const dots = dotsOf(many);
    expect(dots).toHaveLength(MOST_DOTS);
    expect(dots.every((dot) => dot.peer.connected)).toBe(true);
  });
});
