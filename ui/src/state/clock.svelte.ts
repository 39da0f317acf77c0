// The time as the page knows it: good enough for "3 min ago".

import { onMount } from "svelte";

const TICK_MS = 20_000;

/** Ticks while the component that asked for it is shown. */
export function clock(): { readonly now: number } {
  let now = $state(Date.now());
  onMount(() => {
    const timer = setInterval(() => (now = Date.now()), TICK_MS);
    return () => clearInterval(timer);
  });
  return {
    get now() {
      return now;
    },
  };
}
