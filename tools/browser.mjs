// Opening a page in the browser of whoever sits at this terminal.
import { spawn } from "node:child_process";
import { platform } from "node:process";

const openers = { darwin: ["open"], win32: ["cmd", "/c", "start", ""], linux: ["xdg-open"] };

/** Opens it if there is a screen to open it on; `BROWSER=none` keeps it from doing so. */
export function openPage(url, { env = process.env, isTerminal = process.stdout.isTTY } = {}) {
  const opener = openerFor({ env, isTerminal });
  if (!opener) return false;
  const [command, ...first] = opener;
  // No browser is no trouble: the address is printed, too.
  spawn(command, [...first, url], { stdio: "ignore", detached: true }).on("error", () => {}).unref();
  return true;
}

function openerFor({ env, isTerminal }) {
  const remote = env.SSH_CONNECTION || env.CI || env.BROWSER === "none";
  if (!isTerminal || remote) return undefined;
  if (platform === "linux" && !env.DISPLAY && !env.WAYLAND_DISPLAY) return undefined;
  return env.BROWSER ? [env.BROWSER] : openers[platform];
}
