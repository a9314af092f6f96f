// What the built Worker counts, what its doctor finds, and what its log lines do not hold.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { at } from "../../tools/paths.mjs";
import { promtoolBinary } from "../../tools/promtool.mjs";
import { Attempt, Phone } from "./login.mjs";
import { startLogin } from "./login_world.mjs";
import { fetchAnswer, say, until } from "./people.mjs";

const ADMIN_TOKEN = "an-admin-token-of-letters-0123456789";
const bearer = { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } };

let world;
before(async () => (world = await startLogin({ vars: { ADMIN_TOKEN, DELIVERY: "push" } })));
after(() => world?.close());

/** The page, and the value of each series. */
async function metrics() {
  const response = await world.stack.fetch("/metrics", bearer);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const page = await response.text();
  const lines = page.split("\n").filter((line) => line && !line.startsWith("#"));
  const series = new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
  return { page, series };
}

/** Waits until a series has reached a value: objects bring what they counted every five seconds. */
const reaches = (name, least) => until(async () => ((await metrics()).series.get(name) ?? 0) >= least, `${name} ${least}`);

async function doctor(only = "") {
  const begin = Date.now();
  const response = await world.stack.fetch(`/admin/doctor${only}`, bearer);
  assert.equal(response.status, 200);
  assert.ok(Date.now() - begin < 10_000);
  const { healthy, checks } = await response.json();
  return { healthy, checks, line: (name) => checks.find((check) => check.name === name) };
}

/** What nobody may read in the log: filled while people do things. */
const secret = new Set();

/** A login by a code, until the website has its result: in the old form, which has the person's id and token at once. */
async function logIn(person) {
  const query = new URLSearchParams({ client_id: "blog", target: world.site.origin, mode: "popup", state: "s", method: "code" });
  const attempt = await Attempt.begin(new URL(`/oauth?${query}`, world.stack.url));
  const phone = new Phone(world.sim, person);
  const code = attempt.code;
  await phone.confirm(await phone.say(attempt.wording));
  await attempt.reaches("confirmed");
  const { message } = await attempt.finish();
  const { data, id_token } = JSON.parse(message);
  for (const one of [code, phone.openid, data, id_token]) secret.add(one);
}

test("the doctor finds all in order that this machine has", async () => {
  const { checks, line, healthy } = await doctor();
  const states = Object.fromEntries(checks.map(({ name, state }) => [name, state]));
  for (const name of ["secrets", "settings", "aes", "bindings", "objects", "storage", "clock", "model", "token", "mini_program", "rights", "quota", "callback_ips"]) {
    assert.equal(states[name], "ok", JSON.stringify(line(name)));
  }
  assert.equal(states.domain, "skip");
  assert.equal(healthy, true, JSON.stringify(checks.filter(({ state }) => state === "fail")));
});

test("the doctor names the address that WeChat refuses, and what the account may not", async () => {
  await world.sim.post("/_sim/account", { type: "personal" });
  const rights = (await doctor("?only=rights")).line("rights");
  assert.equal(rights.state, "warn", JSON.stringify(rights));
  assert.equal(rights.values.users, "48001");
  await world.sim.post("/_sim/account", { type: "service" });
});

test("messages, pushes, logins and refusals are counted", async () => {
  for (const text of ["what is a crane?", "and a private heron"]) {
    secret.add(text);
    secret.add((await say(world.sim, "counted", text)).openid);
  }
  await world.sim.get("/_sim/inbox?as=counted&count=2&wait_ms=20000");
  const send = "/cgi-bin/message/custom/send";
  await world.sim.post("/_sim/faults", [{ path: send, errcode: 45015, times: 1 }]);
  await say(world.sim, "unlucky", "a private egret");
  secret.add("a private egret");
  await fetchAnswer(world.sim, "unlucky", /private egret/);
  await logIn("visitor");
  const forged = await world.sim.post("/_sim/send", { as: "mallory", text: "a forged bittern", tamper: "signature" });
  secret.add("a forged bittern");
  const refused = forged.deliveries.length;
  await reaches('wxapi_messages_total{type="text",outcome="question"}', 3);
  await reaches('wxapi_answers_total{rung="push"}', 2);
  await reaches('wxapi_answers_total{rung="retrieve"}', 1);
  await reaches('wxapi_callback_refusals_total{reason="bad_msg_signature"}', refused);
  await reaches('wxapi_logins_total{method="code",result="confirmed"}', 1);
  await reaches('wxapi_logins_total{method="none",result="begun"}', 1);
  await reaches('wxapi_messages_total{type="text",outcome="login"}', 1);
  await reaches('wxapi_model_seconds_count{outcome="answered"}', 3);
  await reaches('wxapi_http_requests_total{family="login",status_class="2xx"}', 1);
});

test("promtool has nothing to say about /metrics", async () => {
  const { page } = await metrics();
  execFileSync(promtoolBinary(), ["check", "metrics"], { input: page, stdio: ["pipe", "pipe", "pipe"] });
  for (const [, name] of page.matchAll(/^(wxapi_[a-z_]+)/gm)) {
    const family = name.replace(/_(bucket|sum|count)$/, "");
    assert.match(page, new RegExp(`^# TYPE ${family} (counter|gauge|histogram)$`, "m"));
  }
});

test("promtool takes the scrape configuration and the alerts of the docs, and every metric in them exists", () => {
  const docs = fs.readFileSync(at("docs/operations.md"), "utf8");
  const [scrape, rules] = [...docs.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => yaml);
  const check = (what, yaml) => {
    const folder = fs.mkdtempSync("/tmp/wxapi-promtool-");
    try {
      fs.writeFileSync(`${folder}/${what}.yml`, yaml);
      return execFileSync(promtoolBinary(), ["check", what, ...(what === "config" ? ["--syntax-only"] : []), `${folder}/${what}.yml`], { encoding: "utf8", stdio: "pipe" });
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  };
  assert.match(check("rules", rules), /SUCCESS: \d\d rules found/);
  assert.match(check("config", scrape), /SUCCESS/);
  const table = docs.slice(docs.indexOf("## Metrics"), docs.indexOf("## Alerts"));
  for (const [, name] of rules.matchAll(/\b(wxapi_[a-z_]+?)(?:_bucket)?\b[{[]/g)) assert.ok(table.includes(`\`${name}\``), name);
});

test("kill -9 makes no counter smaller", { timeout: 120_000 }, async () => {
  // What was counted last is on its way for five seconds.
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  const { series: before } = await metrics();
  await world.stack.kill();
  await world.stack.restart();
  await say(world.sim, "counted", "/help");
  await reaches('wxapi_messages_total{type="text",outcome="command"}', (before.get('wxapi_messages_total{type="text",outcome="command"}') ?? 0) + 1);
  const { series: later } = await metrics();
  for (const [name, value] of before) if (!name.startsWith("wxapi_build_info")) assert.ok((later.get(name) ?? 0) >= value, `${name}: ${value}, then ${later.get(name)}`);
});

test("no log line holds an openid, a secret, a token, a code or what somebody wrote", async () => {
  const lines = world.stack.logs.map(({ message }) => message);
  const all = lines.join("\n");
  // It was a busy day: refusals, a failed push, and lines from requests as well as from objects.
  for (const event of ["request.refused", "push.failed"]) assert.ok(all.includes(event), `${event} in\n${all}`);
  // Asked like this, WeChat gives the token that the Worker has.
  const body = JSON.stringify({ grant_type: "client_credential", appid: world.vars.APP_ID, secret: world.vars.APP_SECRET });
  const { access_token: token } = await (await fetch(new URL("/cgi-bin/stable_token", world.sim.url), { method: "POST", body })).json();
  const { APP_ID: _public, MINI_APP_ID: _too, OPEN_APP_ID: _three, ...secrets } = world.vars;
  const values = Object.entries(secrets).filter(([name]) => /SECRET|TOKEN|KEY/.test(name)).map(([, value]) => value);
  const needles = [...secret, token, ...values, ADMIN_TOKEN].filter((needle) => needle !== "");
  assert.ok(needles.length > 15);
  for (const needle of needles) {
    assert.ok(needle.length >= 6, "what is so short would be found by chance");
    assert.ok(!all.includes(needle), `${needle} is in the log`);
  }
  for (const line of lines) {
    const { level, event, request, object, ...rest } = JSON.parse(line);
    assert.match(event, /^[a-z_]+\.[a-z_]+$/);
    assert.match(level, /^(info|warn|error)$/);
    assert.ok(event === "config.problem" || (request ?? object), line);
    assert.deepEqual(Object.keys(rest).filter((key) => key !== "reason"), []);
  }
  assert.ok(lines.some((line) => JSON.parse(line).object === "session"), "a line from an object names its class");
});
