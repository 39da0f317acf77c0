// Where each computer stands in the picture of the network. Pure: the same peers give the same picture.

import type { PeerSummary } from "../api/types";

/** Never more dots than this. */
export const MOST_DOTS = 500;
/** Half the side of the picture, and how far the nearest and the farthest computer stand from its middle. */
export const HALF = 140;
const NEAR = 44;
const FAR = 132;
const LEAST_MS = 0.5;
const MOST_MS = 500;
/** The delays that are drawn as circles. */
export const RINGS_MS = [1, 10, 100] as const;

export interface Dot {
  peer: PeerSummary;
  x: number;
  y: number;
  r: number;
}

/** Connected computers by their delay on a logarithmic scale; those out of reach at the edge. */
export function dotsOf(peers: readonly PeerSummary[]): Dot[] {
  const shown = [...peers]
    .sort((a, b) => Number(b.connected) - Number(a.connected) || compare(a.device_id, b.device_id))
    .slice(0, MOST_DOTS)
    .sort((a, b) => compare(a.device_id, b.device_id));
  const r = shown.length <= 12 ? 7 : shown.length <= 60 ? 5 : 2.5;
  return shown.map((peer, index) => {
    // Half a step off: the circles carry their labels straight above the middle.
    const angle = ((index + 0.5) / shown.length) * 2 * Math.PI - Math.PI / 2;
    const distance = distanceOf(peer);
    return { peer, x: distance * Math.cos(angle), y: distance * Math.sin(angle), r };
  });
}

/** The distance of a delay from the middle. */
export function radiusOf(ms: number): number {
  const bounded = Math.min(Math.max(ms, LEAST_MS), MOST_MS);
  const share = Math.log(bounded / LEAST_MS) / Math.log(MOST_MS / LEAST_MS);
  return NEAR + share * (FAR - NEAR);
}

function distanceOf(peer: PeerSummary): number {
  if (!peer.connected) return FAR;
  return peer.latency_ms === null || peer.latency_ms === undefined ? radiusOf(30) : radiusOf(peer.latency_ms);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
