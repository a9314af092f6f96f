// Messages to many, people and what is passed on, through the built Worker: only WeChat is played.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { until } from "./people.mjs";

const ADMIN_TOKEN = "an-admin-token-for-the-tests";
const TO_ALL = "/cgi-bin/message/mass/sendall";
const TO_LIST = "/cgi-bin/message/mass/send";

describe("many", { timeout: 180_000 }, () => {
  let pair;
  const openids = {};
  before(async () => {
    pair = await startPair({ vars: { LANG: "en", ADMIN_TOKEN, MASS_PER_HOUR: "3" } });
    for (const name of ["ada", "bob", "cyd"]) {
      await pair.sim.post("/_sim/send", { as: name, event: { type: "subscribe" } });
    }
    for (const { name, openid } of await pair.sim.get("/_sim/people")) openids[name] = openid;
  });
  after(() => pair.close());

  async function admin(method, path, body) {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
    const response = await pair.stack.fetch(`/admin/${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, ...(text ? JSON.parse(text) : {}) };
  }

  async function right(method, path, body) {
    const answer = await admin(method, path, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  const sends = async (path) => (await pair.sim.get("/_sim/calls")).calls.filter((call) => call.path === path);

  /** A job that waits for its second step: its id and what it needs. */
  async function confirmed(audience, content) {
    const { id } = await right("POST", "mass", { message: { msgtype: "text", text: { content } }, audience });
    await right("POST", `mass/${id}/check`);
    const { heads, confirmation } = await right("POST", `mass/${id}/confirm`);
    return { id, heads, confirmation };
  }

  const finished = (id) =>
    until(async () => {
      const job = await right("GET", `mass/${id}`);
      return job.parts[0].result?.total !== undefined && job;
    }, "the result");

  test("tags, remarks, templates, codes, agents and quotas are WeChat's, by way of the table", async () => {
    const { tag } = await right("POST", "tags", { name: "读者" });
    await right("POST", `tags/${tag.id}/members`, { openid_list: [openids.ada, openids.bob] });
    assert.deepEqual((await right("GET", `users/${openids.ada}/tags`)).tagid_list, [tag.id]);
    assert.equal((await right("GET", `tags/${tag.id}/members`)).count, 2);
    assert.equal((await right("PUT", `tags/${tag.id}`, { name: "Leser" })).status, 204);
    assert.ok((await right("GET", "tags")).tags.some(({ name }) => name === "Leser"));
    const code = { action_name: "QR_STR_SCENE", expire_seconds: 60, action_info: { scene: { scene_str: "here" } } };
    const { ticket, image } = await right("POST", "qrcodes", code);
    assert.equal(new URL(image).searchParams.get("ticket"), ticket);
    const { short_key } = await right("POST", "shortkeys", { long_data: "很长" });
    assert.equal((await right("GET", `shortkeys/${short_key}`)).long_data, "很长");
    await right("POST", "blacklist", { openid_list: [openids.cyd] });
    assert.deepEqual((await right("GET", "blacklist")).data.openid, [openids.cyd]);
    await right("POST", "blacklist/remove", { openid_list: [openids.cyd] });
    await right("POST", "agents", { kf_account: "a@test", nickname: "Ann" });
    assert.equal((await right("GET", "agents")).kf_list[0].kf_nick, "Ann");
    assert.equal((await right("DELETE", "agents/a@test")).status, 204);
    assert.ok((await right("GET", "quota?cgi_path=/cgi-bin/message/mass/sendall")).quota.daily_limit > 0);
    assert.ok((await right("GET", "addresses/callback")).ip_list.length > 0);
    const unknown = await admin("DELETE", "templates/nothing");
    assert.deepEqual([unknown.status, unknown.type], [422, "urn:wxapi:problem:wechat"]);
  });

  test("to a tag, in two steps; the event brings the counts", async () => {
    const { tags } = await right("GET", "tags");
    const tag_id = tags.find(({ name }) => name === "Leser").id;
    const { id, heads, confirmation } = await confirmed({ tag_id }, "to readers");
    assert.equal(heads, 2);
    assert.equal((await admin("POST", `mass/${id}/send`, { confirmation: "guess" })).status, 409);
    assert.equal((await right("POST", `mass/${id}/send`, { confirmation })).status, 200);
    const job = await finished(id);
    assert.deepEqual([job.stage, job.parts[0].result.total, job.parts[0].result.sent], ["done", 2, 2]);
    assert.equal((await sends(TO_ALL)).length, 1);
  });

  test("an answer that was cut, kill -9, the event meanwhile: sent once, and the result is there", async () => {
    const { id, confirmation } = await confirmed({ all: true }, "to everybody");
    const before = (await sends(TO_ALL)).length;
    await pair.sim.post("/_sim/faults", [{ path: TO_ALL, half: true }]);
    const acknowledged = new Promise((resolve) =>
      pair.stack.on("report", ({ message }) => /POST \/wechat\S* 200/.test(message) && resolve()),
    );
    const cut = await admin("POST", `mass/${id}/send`, { confirmation });
    assert.deepEqual([cut.status, cut.type, cut.job.stage], [502, "urn:wxapi:problem:unknown-outcome", "unknown"]);
    await acknowledged; // the event: nobody knows yet whose it is
    await pair.stack.kill();
    await pair.stack.restart();
    assert.equal((await right("GET", `mass/${id}`)).stage, "unknown");
    await right("POST", `mass/${id}/send`, { confirmation });
    const job = await finished(id);
    assert.deepEqual([job.stage, job.parts[0].result.sent], ["done", 3]);
    const asked = (await sends(TO_ALL)).slice(before);
    assert.deepEqual(asked.map(({ errcode }) => errcode), [0, 45065], "WeChat knew it again");
    assert.equal(new Set(asked.map(({ body }) => body.clientmsgid)).size, 1);
  });

  test("people are copied and completed, and a filter over them is sent as a list", async () => {
    const copied = await right("POST", "users/sync");
    assert.deepEqual([copied.done, copied.stored, copied.followers], [true, 3, 3]);
    for (const name of ["ada", "cyd"]) await right("PATCH", `users/${openids[name]}`, { gender: 2, city: "广州" });
    const { items } = await right("GET", "users?gender=2");
    assert.deepEqual(items.map(({ openid }) => openid).sort(), [openids.ada, openids.cyd].sort());
    const filter = { gender: 2 };
    const { id } = await right("POST", "mass", { message: { msgtype: "text", text: { content: "x" } }, audience: { filter } });
    const honest = await admin("POST", `mass/${id}/check`);
    assert.deepEqual([honest.status, honest.known, honest.unknown], [409, 2, 1]);
    const job = await confirmed({ filter: { ...filter, unknown: "skip" } }, "to two");
    await pair.sim.post("/_sim/faults", [{ path: TO_LIST, delay_ms: 4000 }]);
    const sending = admin("POST", `mass/${job.id}/send`, { confirmation: job.confirmation }).catch(() => {});
    await until(async () => (await right("GET", `mass/${job.id}`)).stage === "sending", "that it is stored before WeChat is asked");
    await pair.stack.kill();
    await sending;
    await pair.stack.restart();
    assert.equal((await right("GET", `mass/${job.id}`)).stage, "sending");
    assert.equal((await admin("POST", `mass/${job.id}/send`, { confirmation: job.confirmation })).status, 409, "too early to say");
  });

  test("who leaves is forgotten", async () => {
    await pair.sim.post("/_sim/send", { as: "cyd", event: { type: "unsubscribe" } });
    const { items } = await right("GET", "users");
    assert.ok(!items.some(({ openid }) => openid === openids.cyd));
    assert.equal(items.length, 2);
  });

  test("no openid and no token is in the log", () => {
    const log = pair.stack.logs.map(({ message }) => message).join("\n");
    for (const secret of [ADMIN_TOKEN, ...Object.values(openids)]) assert.ok(!log.includes(secret));
  });
});
