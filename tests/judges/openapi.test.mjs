// The OpenAPI document and the Worker say the same: Schemathesis, from PyPI, makes requests of the document, and judges
// the answers by it. That both have the same routes, tests/it/openapi.rs sees.
import { execFile } from "node:child_process";
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { at } from "../../tools/paths.mjs";
import { python } from "../../tools/python.mjs";
import { startPair } from "../../tools/stack.mjs";

const run = promisify(execFile);
const TOKEN = "an-admin-token-for-the-judge";
const settings = at("tests/judges/openapi");

let pair, folder;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "wxapi-openapi-"));
  pair = await startPair({ vars: { ADMIN_TOKEN: TOKEN, MASS_PER_HOUR: "100", MASS_PER_DAY: "100" } });
});

after(async () => {
  await pair?.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

const served = async () => (await fetch(new URL("/openapi.json", pair.stack.url))).json();

test("what is served is a valid document of OpenAPI 3.1", async () => {
  const file = path.join(folder, "openapi.json");
  fs.writeFileSync(file, JSON.stringify(await served()));
  await run(python, ["-m", "openapi_spec_validator", "--schema", "3.1.0", file]);
});

test("every operation has a name, a summary and its problems", async () => {
  const { paths } = await served();
  const names = new Set();
  for (const [route, item] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(item).filter(([name]) => name !== "parameters")) {
      const what = `${method} ${route}`;
      assert.ok(operation.operationId && !names.has(operation.operationId), `${what} has a name of its own`);
      names.add(operation.operationId);
      assert.ok(operation.summary, `${what} says what it does`);
      for (const status of ["401", "503"]) assert.ok(operation.responses[status] ?? operation.responses.default, `${what} ${status}`);
    }
  }
});

test("the Worker does as the document says, whatever it is sent", { timeout: 280_000 }, async () => {
  const { origin, href } = new URL("/openapi.json", pair.stack.url);
  const judge = ["-m", "schemathesis.cli", "--config-file", path.join(settings, "schemathesis.toml"), "run", href, "--url", origin];
  const args = [...judge, "--no-color", "--header", `Authorization: Bearer ${TOKEN}`];
  const env = { ...process.env, PYTHONPATH: settings, KNOWN: JSON.stringify(await known()) };
  await run(python, args, { cwd: folder, env, maxBuffer: 1 << 26 }).catch(({ stdout, stderr }) => assert.fail(`${stdout}\n${stderr}`.slice(-12_000)));
});

/** Fills the account; what is there, for hooks.py. */
async function known() {
  for (const name of ["ada", "bob", "cyd"]) await pair.sim.post("/_sim/send", { as: name, event: { type: "subscribe" } });
  const openid = (await pair.sim.get("/_sim/people"))[0].openid;
  const media_id = await picture();
  const draft = async () => (await make("drafts", { articles: [{ title: "标题", content: "<p>正文</p>", thumb_media_id: media_id }] })).media_id;
  const { tag } = await make("tags", { name: "读者" });
  const { template_id } = await make("templates", { template_id_short: "TM00001" });
  const { id } = await make("mass", { message: { msgtype: "text", text: { content: "大家好" } }, audience: { all: true } });
  await make(`mass/${id}/check`);
  await make("agents", { kf_account: "ann@test", nickname: "Ann" });
  const paths = {
    "/admin/drafts/{media_id}": { media_id: await draft() },
    "/admin/drafts/{media_id}/publish": { media_id: await draft() },
    "/admin/material/{media_id}": { media_id: await picture() },
    "/admin/mass/{id}": { id },
    "/admin/menu/history/{n}": { n: 1 },
    "/admin/menu/history/{n}/rollback": { n: 1 },
    "/admin/subscribe/library/{tid}": { tid: 401 },
    "/admin/tags/{id}": { id: tag.id },
    "/admin/tags/{tagid}/members": { tagid: tag.id },
    "/admin/tags/{tagid}/members/remove": { tagid: tag.id },
    "/admin/templates/{template_id}": { template_id },
    "/admin/users/{openid}": { openid },
    "/admin/users/{openid}/tags": { openid },
  };
  for (const step of ["check", "preview", "confirm", "send", "stop"]) paths[`/admin/mass/{id}/${step}`] = { id };
  for (const end of ["", "/invite", "/sessions"]) paths[`/admin/agents/{kf_account}${end}`] = { kf_account: "ann@test" };
  const members = { touser: openid, openid, user_id: openid, openid_list: [openid], template_id, thumb_media_id: media_id };
  return { paths, members };
}

async function make(what, body = {}) {
  const headers = { authorization: `Bearer ${TOKEN}`, ...(body instanceof FormData ? {} : { "content-type": "application/json" }) };
  const sent = body instanceof FormData ? body : JSON.stringify(body);
  const response = await pair.stack.fetch(`/admin/${what}`, { method: "POST", headers, body: sent });
  assert.equal(response.ok, true, `${what}: ${response.status}`);
  return response.status === 204 ? {} : response.json();
}

async function picture() {
  const form = new FormData();
  form.append("media", new Blob([fs.readFileSync(at("tests/judges/files/pixel.png"))]), "pixel.png");
  return (await make("material?type=image", form)).media_id;
}
