import { defineConfig } from "vite";

/** For `npx vite` in this folder: the simulator that answers the page's calls. */
const SIMULATOR = "http://127.0.0.1:8788";

export default defineConfig({
  build: {
    // Nothing older has light-dark() or dialogs that close by themselves.
    target: ["chrome123", "edge123", "firefox128", "safari17.5"],
    // A data: address would need room in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/_sim": SIMULATOR, "/cgi-bin": SIMULATOR } },
});
