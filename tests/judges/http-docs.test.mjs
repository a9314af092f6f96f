// Every curl line of docs/http-api.md is run as it stands there, from top to bottom, and must answer in the shape that the
// page shows.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { at } from "../../tools/paths.mjs";
import { startPair } from "../../tools/stack.mjs";
import { captured } from "../../tools/steps.mjs";

let pair, env;

before(async () => {
  pair = await startPair();
  const code = async () => (await pair.sim.post("/_sim/login_code", { as: "Reader" })).code;
  const other = await pair.stack.fetch("/api/auth/wx-login", { method: "POST", body: JSON.stringify({ code: await code() }) });
  const { encryptedData, iv } = await pair.sim.post("/_sim/open_data", { as: "Reader", kind: "we_run" });
  const { code: phoneCode } = await pair.sim.post("/_sim/phone_code", { as: "Reader" });
  const template = { kind: "mini_subscribe", title: "Tea", content: "茶：{{thing1.DATA}}" };
  const { template_id } = await pair.sim.post("/_sim/template", template);
  await pair.sim.post("/_sim/subscribe", { as: "Reader", template_id, accept: true });
  const picture = path.join(os.tmpdir(), `wxapi-docs-${process.pid}.png`);
  env = { ENCRYPTED_DATA: encryptedData, IV: iv, PHONE_CODE: phoneCode, TEMPLATE: template_id, PICTURE: picture, W: pair.stack.url.origin, CODE: await code(), OTHER_SESSION: (await other.json()).sessionKey };
});

after(async () => {
  fs.rmSync(env?.PICTURE ?? "", { force: true });
  await pair?.close();
});

/** The commands of the page with what it shows below each. */
function examples() {
  const page = fs.readFileSync(at("docs/http-api.md"), "utf8");
  const blocks = [...page.matchAll(/```console\n(.*?)```/gs)].map(([, block]) => block);
  return blocks.flatMap((block) =>
    block.split(/^\$ /m).slice(1).map((text) => {
      const [command, ...shown] = text.trimEnd().split("\n");
      return { command, shown: shown.join("\n") };
    }),
  );
}

/** What of an answer must be as the page has it: names of members, texts of events, kinds of values. */
function shape(value) {
  if (Array.isArray(value)) return value.length ? [shape(value[0])] : [];
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  return Object.fromEntries(Object.entries(value).sort().map(([name, inner]) => [name, shape(inner)]));
}

/** The JSON that the page shows; an ellipsis may stand for what is left out. */
const parsed = (text) => JSON.parse(text.replaceAll("[…]", "[]").replaceAll("{…}", "null"));

function events(text) {
  return text.trim().split("\n\n").map((event) => {
    const fields = event.split("\n").map((line) => line.split(": "));
    return Object.fromEntries(fields.map(([name, ...rest]) => [name, rest.join(": ")]));
  });
}

/** Shapes are equal, but where the page left a list out, or has a null for what may be there. */
function assertShape(found, expected, where) {
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(found), where);
    if (expected.length && found.length) assertShape(found[0], expected[0], `${where}[]`);
  } else if (typeof expected === "object") {
    assert.deepEqual(Object.keys(found), Object.keys(expected), where);
    for (const [name, inner] of Object.entries(expected)) assertShape(found[name], inner, `${where}.${name}`);
  } else if (expected !== "null" && found !== "null") {
    assert.equal(found, expected, where);
  }
}

/** What later commands of the page go on with. */
function remember(answer) {
  if (answer.sessionKey) env.SESSION = answer.sessionKey;
  if (answer.conversation_id) env.CONVERSATION = answer.conversation_id;
}

test("the page's commands answer as the page says", async (t) => {
  const all = examples();
  assert.ok(all.length >= 19, `${all.length} commands`);
  for (const { command, shown } of all) {
    await t.test(command.slice(0, 90), async () => {
      assert.match(command, /^curl -/);
      const { code, output } = await captured("bash", ["-c", command], { env: { ...process.env, ...env } });
      assert.equal(code, 0, output);
      if (shown === "") {
        assert.equal(fs.readFileSync(env.PICTURE).subarray(1, 4).toString(), "PNG");
      } else if (shown.startsWith("id: ")) {
        const told = events(output);
        const example = events(shown).at(-1);
        const same = told.find(({ event }) => event === example.event);
        assertShape(shape(JSON.parse(same.data)), shape(parsed(example.data)), command);
        env.LAST = told.find(({ event }) => event === "delta")?.id ?? told[0].id;
      } else {
        const answer = JSON.parse(output);
        assertShape(shape(answer), shape(parsed(shown)), command);
        remember(answer);
      }
    });
  }
});
