// Ports of 127.0.0.1 for servers that must know each other's address before either runs.
import { once } from "node:events";
import net from "node:net";

/** Below the range from which systems take the ports of outgoing connections, so that none is taken meanwhile. */
const FIRST = 20_000;
const COUNT = 12_000;

/** A port that nothing listens on: `wanted` if it is free. */
export async function freePort(wanted) {
  if (wanted !== undefined && (await isFree(wanted))) return wanted;
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
}

async function isFree(port) {
  const server = net.createServer();
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
