// A website on this machine: the pages of frontend/examples/, for `npm run dev` and the tests.
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { frontendFiles, frontendSources } from "./frontend.mjs";

/** What the pages call the Worker, and where they expect themselves to be. */
const WORKER = "https://login.example.com";
const KINDS = { ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8" };
const FOLDER = path.join(frontendSources, "examples");

/** Serves the examples at http://localhost:<port>, which is another site than the Worker's 127.0.0.1. */
export async function serveExamples({ port, worker }) {
  const server = http.createServer(({ url }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    const name = pathname === "/" ? "index.html" : pathname.slice(1);
    const type = KINDS[path.extname(name)];
    // No name with a folder in it is served.
    if (!type || !fs.existsSync(FOLDER) || !fs.readdirSync(FOLDER).includes(name)) return response.writeHead(404).end("not found");
    // Browsers keep the script for an hour; an edited one has another address.
    const { mtimeMs } = fs.statSync(path.join(frontendFiles, "wx-auth.js"));
    const page = fs.readFileSync(path.join(FOLDER, name), "utf8");
    const text = page.replaceAll(`${WORKER}/wx-auth.js`, `${WORKER}/wx-auth.js?${mtimeMs}`).replaceAll(WORKER, worker);
    response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(text);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://localhost:${port}/`,
    close: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())),
  };
}
