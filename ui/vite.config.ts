import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // The same files are served by the window's own protocol and by the daemon's dashboard.
  base: "./",
  plugins: [svelte(), svelteTesting()],
  server: { host: "127.0.0.1", strictPort: true },
  build: {
    target: ["es2022", "safari16"],
    // The content security policy allows no data: addresses and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // public/.gitkeep comes back as dist/.gitkeep, which the tray's build needs in a fresh clone.
    emptyOutDir: true,
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.ts"],
    restoreMocks: true,
  },
});
