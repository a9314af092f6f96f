// npm run bench: what a message costs, as ratios to the least that a Worker can do in the same workerd.
// docs/performance.md says how to read it. `npm run bench -- --quick` takes one round instead of five.
import { execFile } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import os from "node:os";
import { promisify } from "node:util";
import { at, fastSimBinary } from "../../tools/paths.mjs";
import { throwAwayAccount } from "../../tools/settings.mjs";
import { startSim } from "../../tools/sim.mjs";
import { startServer, withManyFiles } from "./server.mjs";

const rounds = process.argv.includes("--quick") ? 1 : 5;
const account = throwAwayAccount();
/** Each object on disk is three open files, and a usual limit is 20,000. */
const USERS = 5_000;
const here = (name) => new URL(`workers/${name}`, import.meta.url).pathname;

const vars = { ...account, AI_BASE_URL: "http://model/v1", AI_MODEL: "bench", RATE_LIMIT: "1000" };
const plainVars = { ...vars, ENCODING_AES_KEY: "" };
const wxapi = (vars, { disk = false, model = {} } = {}) =>
  startServer({
    modules: { "index.js": at("build/index.js"), "index_bg.wasm": at("build/index_bg.wasm") },
    objects: { SESSION_OBJECT: "SessionObject", ACCOUNT_OBJECT: "AccountObject", METRICS_OBJECT: "MetricsObject", MINI_USER_OBJECT: "MiniUserObject" },
    model: { file: here("model.js"), vars: model },
    vars,
    disk,
  });

/** Servers, started afresh for each measurement: storage and heap of one case must not burden the next. */
const servers = {
  hello: () => startServer({ modules: { "hello.js": here("hello.js") } }),
  object: () => startServer({ modules: { "object.js": here("object.js") }, objects: { HELLO: "HelloObject" } }),
  plain: () => wxapi(plainVars),
  // With an ADMIN_TOKEN, everything is counted.
  counted: () => wxapi({ ...plainVars, ADMIN_TOKEN: "an-admin-token-of-the-benchmark" }),
  aes: () => wxapi(vars),
  plainDisk: () => wxapi(plainVars, { disk: true }),
  aesDisk: () => wxapi(vars, { disk: true }),
};

/** What is measured: a name, a server, and the load. Loads for a yardstick are the same as for what it measures. */
const cases = [
  { name: "hello", server: "hello", kind: "verify", requests: 40_000 },
  { name: "object", server: "object", kind: "text", requests: 10_000 },
  { name: "verify", server: "plain", kind: "verify", requests: 30_000 },
  { name: "event plain", server: "plain", kind: "event", requests: 30_000 },
  { name: "event secure", server: "aes", kind: "event", mode: "aes", requests: 20_000 },
  { name: "chat plain, memory", server: "plain", kind: "text", requests: 5_000 },
  { name: "chat plain, memory, counted", server: "counted", kind: "text", requests: 5_000 },
  { name: "chat secure, memory", server: "aes", kind: "text", mode: "aes", requests: 5_000 },
  { name: "chat plain, disk", server: "plainDisk", kind: "text", requests: 5_000 },
  { name: "chat secure, disk", server: "aesDisk", kind: "text", mode: "aes", requests: 5_000 },
  { name: "chat plain, disk, 100 users", server: "plainDisk", kind: "text", requests: 5_000, users: 100 },
  { name: "object, 100 users", server: "object", kind: "text", requests: 10_000, users: 100 },
  { name: "hello, 1 connection", server: "hello", kind: "verify", requests: 6_000, connections: 1 },
  { name: "object, 1 connection", server: "object", kind: "text", requests: 4_000, connections: 1 },
  { name: "verify, 1 connection", server: "plain", kind: "verify", requests: 6_000, connections: 1 },
  { name: "chat plain, disk, 1 connection", server: "plainDisk", kind: "text", requests: 2_000, connections: 1 },
  { name: "chat secure, disk, 1 connection", server: "aesDisk", kind: "text", mode: "aes", requests: 2_000, connections: 1 },
];

/** Ratios of processor time per request, with the budget and what we aim at. */
const ratios = [
  ["verify", "hello", 2.0, 1.5],
  ["event plain", "hello", 3.0, 2.0],
  ["event secure", "hello", 3.5, 2.3],
  ["chat plain, memory", "object", 3.5, 2.5],
  ["chat plain, memory, counted", "chat plain, memory", 1.1, 1.05],
  ["chat plain, disk", "object", 7.5, 5],
  ["chat secure, memory", "chat plain, memory", 1.3, 1.1],
  ["chat plain, disk", "chat plain, disk, 100 users", 1.5, 1.1],
];

async function load(url, { kind, mode = "plain", connections = 32, requests, users = USERS }) {
  const target = `${url}/wechat`;
  const args = ["load", "--target", target, "--kind", kind, "--mode", mode, "--connections", connections, "--requests", requests, "--users", users];
  // It fails on wrong answers, which a yardstick gives every time; whoever asked looks at the numbers.
  // Not in the project's folder: there it would read .dev.vars first.
  const options = { cwd: at("tools"), env: { ...process.env, ...account } };
  const run = promisify(execFile)(...withManyFiles(fastSimBinary, args.map(String)), options);
  const { stdout } = await run.catch((error) => (error.stdout ? error : Promise.reject(error)));
  return JSON.parse(stdout);
}

async function measure(one) {
  const server = await servers[one.server]();
  try {
    // Once to each user: what is measured is a message to somebody known, not the making of their object.
    await load(server.url, { ...one, connections: 32, requests: one.users ?? USERS });
    const before = server.cpu();
    const result = await load(server.url, one);
    const yardstick = one.server === "hello" || one.server === "object";
    if (!yardstick && (result.errors > 0 || result.wrong > 0)) throw new Error(`${one.name}: ${JSON.stringify(result)}`);
    return { cpu: ((server.cpu() - before) * 1e6) / result.requests, rps: result.rps, p50: result.p50_ms, p99: result.p99_ms };
  } finally {
    await server.close();
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const results = Object.fromEntries(cases.map(({ name }) => [name, []]));
for (let round = 1; round <= rounds; round++) {
  for (const one of cases) {
    process.stderr.write(`\rround ${round} of ${rounds}: ${one.name.padEnd(40)}`);
    results[one.name].push(await measure(one));
  }
}
process.stderr.write("\r".padEnd(60) + "\r");

const of = (name, key) => median(results[name].map((result) => result[key]));
console.log(`${os.cpus()[0].model}, ${os.cpus().length} cores, ${os.type()} ${os.release()}, Node ${process.version}`);
console.log(`release build, bare workerd, medians of ${rounds} interleaved rounds, model delay 0, 32 connections and ${USERS} users unless said\n`);
console.log("| case | CPU µs per request | requests/s | p50 ms | p99 ms |\n|---|---|---|---|---|");
for (const { name } of cases) {
  console.log(`| ${name} | ${of(name, "cpu").toFixed(0)} | ${of(name, "rps").toFixed(0)} | ${of(name, "p50").toFixed(2)} | ${of(name, "p99").toFixed(1)} |`);
}
console.log("\n| ratio of CPU | measured | budget | aim |\n|---|---|---|---|");
for (const [name, yardstick, budget, aim] of ratios) {
  const ratio = of(name, "cpu") / of(yardstick, "cpu");
  console.log(`| ${name} / ${yardstick} | ${ratio.toFixed(2)} | ≤ ${budget} | ${aim} |`);
}

console.log("\n| more | measured | budget | aim |\n|---|---|---|---|");
await addedLatency();
await firstWords();
await waitingUsers();
await startUp();

/** What we add to the model's own time, at 32 connections. */
async function addedLatency() {
  const delay = 200;
  const server = await wxapi(plainVars, { model: { DELAY: delay } });
  await load(server.url, { kind: "text", requests: 2_000, users: 2_000 });
  const { p50_ms } = await load(server.url, { kind: "text", requests: 2_000, users: 2_000 });
  await server.close();
  console.log(`| latency added to a model of ${delay} ms, p50 | ${(p50_ms - delay).toFixed(1)} ms | ≤ 10 ms | 5 ms |`);
}

/**
 * When the first words of a streamed answer are there, against when the same model says them to whoever asks it directly.
 * After them the model pauses: who waited for the end would be late by that.
 */
async function firstWords() {
  const model = { DELAY: 200, PAUSE: 200 };
  const direct = await startServer({ modules: { "model.js": here("model.js") }, vars: model });
  const server = await wxapi(plainVars, { model });
  // Of Node's two clients this one adds less of its own.
  const agent = new http.Agent({ keepAlive: true });
  const post = async (url, headers, body) => {
    const request = http.request(url, { method: "POST", agent, headers }).end(JSON.stringify(body));
    return (await once(request, "response"))[0].setEncoding("utf8");
  };
  let login = "";
  for await (const piece of await post(`${server.url}/api/auth/wx-login`, {}, { code: "a-reader" })) login += piece;
  const headers = { accept: "text/event-stream", "x-wx-session": JSON.parse(login).sessionKey };
  const ask = {
    model: (content) => post(direct.url, {}, { messages: [{ role: "user", content }] }),
    wxapi: (message) => post(`${server.url}/api/chat`, headers, { message, conversation_id: "new" }),
  };
  const times = { model: [], wxapi: [] };
  for (let n = 0; n < (rounds === 1 ? 40 : 160); n++) {
    for (const [name, asked] of Object.entries(ask)) {
      const start = performance.now();
      const response = await asked(`the number ${n}`);
      let [text, first] = ["", undefined];
      for await (const piece of response) {
        text += piece;
        if (text.includes("You said")) first ??= performance.now() - start;
      }
      if (!text.includes("That is all")) throw new Error(`${name}: ${text}`);
      // Of the first ones much is compiled.
      if (n >= 10) times[name].push(first);
    }
  }
  agent.destroy();
  await Promise.all([direct.close(), server.close()]);
  const [own, ours] = [median(times.model), median(times.wxapi)];
  const measured = `${ours.toFixed(1)} ms, the model's own ${own.toFixed(1)} ms: ${(ours / own).toFixed(3)} times, ${(ours - own).toFixed(1)} ms more`;
  console.log(`| first words of a streamed answer of a model of ${model.DELAY} ms, p50 | ${measured} | ≤ 10 ms more | 5 ms |`);
}

/**
 * How many users can wait at once on a model of 4 s: they all write at the same moment, and WeChat's three deliveries
 * are theirs. Each is four open files, so more users than here need a higher limit.
 */
async function waitingUsers() {
  for (const users of [1_000, 2_000]) {
    const server = await wxapi(plainVars, { model: { DELAY: 4_000 } });
    const [command, args] = withManyFiles(fastSimBinary, []);
    const sim = await startSim({ vars: plainVars, target: `${server.url}/wechat`, binary: command, before: args });
    const people = Array.from({ length: users }, (_, index) => `waiting${index}x`);
    const send = (person) => sim.post("/_sim/send", { as: person, text: `I am ${person}` });
    const seen = await Promise.all(people.map(send));
    const right = ({ shown }, index) => JSON.stringify(shown).includes(`I am ${people[index]}`);
    const on = (delivery) => seen.filter((report, index) => right(report, index) && report.deliveries.length === delivery).length;
    const memory = server.memory();
    await Promise.all([server.close(), sim.close()]);
    const answered = [1, 2, 3].map(on);
    const lost = users - answered.reduce((a, b) => a + b);
    console.log(`| ${users} users waiting at once on a model of 4 s | ${answered.join(" + ")} answered on delivery 1, 2, 3; ${lost} not; ${memory} MB | 2,000 without an error | 10,000 |`);
  }
}

/** The first answer after the start of the process, beyond that of hello. */
async function startUp() {
  const times = { hello: [], plain: [] };
  for (let run = 0; run < 10; run++) {
    for (const name of Object.keys(times)) {
      const server = await servers[name]();
      times[name].push(server.firstAnswer);
      await server.close();
    }
  }
  const added = median(times.plain) - median(times.hello);
  console.log(`| start-up: first answer, less that of hello | ${added.toFixed(1)} ms | ≤ 12 ms | 5 ms |`);
}
