// SDKs that know nothing of the Worker use WeChat's API through it: with its base URL, and a client's name and secret in
// the place of the account's. What they do is what they do at wx-sim itself, in platform.test.mjs.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { after, before, beforeEach, describe, test } from "node:test";
import { promisify } from "node:util";
import { at } from "../../tools/paths.mjs";
import { python } from "../../tools/python.mjs";
import { startPair } from "../../tools/stack.mjs";
import * as coWechatApi from "./co-wechat-api/client.mjs";
import * as easywechat from "./easywechat/client.mjs";
import { runPython } from "./servers.mjs";

const SECRET = "the client's secret";
const secret_sha256 = createHash("sha256").update(SECRET).digest("hex");
const client = (id, scopes) => ({ id, secret_sha256, scopes, per_minute: 5000 });
const API_CLIENTS = [client("shop", ["everything"]), client("reader", ["read"])];

/** All but `oauth`, which needs the account's own secret. */
const areasOfWechatpy = [
  "token", "menu", "media", "large", "material", "qrcode", "user", "tag", "blacklist", "mass", "custom",
  "template", "subscribe", "jsapi", "agents",
];
/** What they do while the account's token dies again and again. */
const areasWithDeath = ["token", "menu", "media", "user", "mass"];

let pair;

before(async () => (pair = await startPair({ vars: { API_CLIENTS } })));
after(() => pair?.close());
// wx-sim forgets the account's token as well, so that the Worker needs a new one: a form of 10 MB is none to find that out.
beforeEach(async () => {
  await pair.sim.post("/_sim/reset");
  const asked = new URLSearchParams({ grant_type: "client_credential", appid: "shop", secret: SECRET });
  const { access_token } = await (await pair.stack.fetch(`/cgi-bin/token?${asked}`)).json();
  const { ip_list } = await (await pair.stack.fetch(`/cgi-bin/getcallbackip?access_token=${access_token}`)).json();
  assert.ok(ip_list);
});

const settings = (id) => ({ APP_ID: id, APP_SECRET: SECRET });

const wechatpy = (area, id, more = {}) =>
  runPython("wechatpy/client.py", { ...settings(id), SIM_URL: pair.sim.url, API_URL: pair.stack.url.origin, ...more }, area);

const world = (id, sim = pair.sim) => ({ sim, proxy: pair.stack, vars: settings(id) });

/** wx-sim, where the account's token dies whenever something happens. */
function deadly(sim) {
  const post = async (path, body) => {
    const answer = await sim.post(path, body);
    await sim.post("/_sim/token", { invalidate: true });
    return answer;
  };
  return { url: sim.url, get: (path) => sim.get(path), post };
}

describe("wechatpy through the Worker", () => {
  const done = async (area, more) => {
    const { stdout, stderr } = await wechatpy(area, "shop", more);
    assert.match(stdout, /^done$/m, stdout + stderr);
  };
  for (const area of areasOfWechatpy) test(area, () => done(area));
  for (const area of areasWithDeath) test(`${area}, while the account's token dies`, () => done(area, { INVALIDATE: "1" }));

  test("without the scope it gets 48001", async () => {
    const { stdout, stderr } = await wechatpy("menu", "reader");
    assert.match(stdout, /^ok no menu at first$/m, "it may read");
    assert.match(stderr, /WeChatClientException: Error code: 48001/);
  });
});

for (const [name, judge] of [["co-wechat-api", coWechatApi], ["node-easywechat", easywechat]]) {
  describe(`${name} through the Worker`, () => {
    for (const [area, look] of Object.entries(judge)) test(area, () => look(world("shop")));
    for (const area of areasWithDeath) test(`${area}, while the account's token dies`, () => judge[area](world("shop", deadly(pair.sim))));
  });
}

test("co-wechat-api without the scope gets 48001", async () => {
  await assert.rejects(coWechatApi.user(world("reader")), { code: 48001 });
});

/** Where the Worker is in what the documentation shows. */
const EXAMPLE = "https://wx.example.com";

/** The example of docs/proxy.md in this language. */
function example(language) {
  const [, code] = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "s").exec(fs.readFileSync(at("docs/proxy.md"), "utf8"));
  assert.ok(code.includes(EXAMPLE));
  return code;
}

/** A menu for the examples to read. */
async function makeMenu() {
  const asked = new URLSearchParams({ grant_type: "client_credential", appid: "shop", secret: SECRET });
  const { access_token } = await (await fetch(new URL(`/cgi-bin/token?${asked}`, pair.stack.url))).json();
  const body = JSON.stringify({ button: [{ type: "click", name: "Songs", key: "songs" }] });
  const made = await fetch(new URL(`/cgi-bin/menu/create?access_token=${access_token}`, pair.stack.url), { method: "POST", body });
  assert.equal((await made.json()).errcode, 0);
}

for (const [name, interpreter, code] of [["wechatpy", [python, "-c"], example("python")], ["co-wechat-api", [process.execPath, "--input-type=module", "-e"], example("js")]]) {
  test(`the documentation's lines for ${name}`, async () => {
    await makeMenu();
    const [command, ...args] = interpreter;
    const run = promisify(execFile)(command, [...args, code.replaceAll(EXAMPLE, pair.stack.url.origin)], { cwd: at("tests"), timeout: 30_000 });
    assert.match((await run).stdout, /Songs/);
  });
}
