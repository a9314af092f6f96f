// WeChat's API through the built Worker: another program calls it as if it were WeChat, wx-sim is behind it.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import { after, before, describe, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { say, until } from "./people.mjs";

const SEND = "/cgi-bin/message/custom/send";
const ADMIN_TOKEN = "an-admin-token-for-the-tests-only";
const SECRET = "a-secret-of-a-client";
const secret_sha256 = createHash("sha256").update(SECRET).digest("hex");
const client = (id, scopes, per_minute = 5000) => ({ id, secret_sha256, scopes, per_minute });
const API_CLIENTS = [client("shop", ["everything"]), client("cook", ["menu", "read"]), client("busy", ["read"], 5)];

describe("proxy", () => {
  let pair;
  before(async () => (pair = await startPair({ vars: { LANG: "en", ADMIN_TOKEN, API_CLIENTS } })));
  after(() => pair.close());

  const token = async (id) => {
    const response = await pair.stack.fetch(`/cgi-bin/token?grant_type=client_credential&appid=${id}&secret=${SECRET}`);
    const { access_token, ...rest } = await response.json();
    assert.ok(access_token, JSON.stringify(rest));
    return access_token;
  };
  /** A response to a client; `path` may have a query. */
  const call = async (id, path, init) => {
    const mark = path.includes("?") ? "&" : "?";
    return pair.stack.fetch(`${path}${mark}access_token=${await token(id)}`, init);
  };
  const ask = async (id, path, body, headers = {}) => {
    const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } };
    return (await call(id, path, init)).json();
  };
  /** How often WeChat got a call of `path`. */
  const reached = async (path) => (await pair.sim.get("/_sim/calls")).calls.filter((call) => call.path === path).length;
  const admin = async (path) => (await pair.stack.fetch(path, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })).json();
  const counted = async () => (await pair.stack.fetch("/metrics", { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })).text();
  /** Somebody who wrote, so that they can be written to. */
  const openid = async (person) => (await say(pair.sim, person, "hello")).openid;
  const text = (touser, content) => ({ touser, msgtype: "text", text: { content } });

  test("scopes, versions, escapes, strangers", async () => {
    const button = [{ type: "click", name: "\u83dc\u5355", key: "k" }];
    const escaped = JSON.stringify({ button }).replace("\u83dc", "\\u83dc");
    assert.match(escaped, /\\u83dc/);
    const created = await call("cook", "/v1/cgi-bin/menu/create", { method: "POST", body: escaped });
    assert.equal((await created.json()).errcode, 0);
    assert.match(JSON.stringify(await ask("cook", "/cgi-bin/menu/get")), /\u83dc\u5355/);
    assert.equal((await ask("cook", SEND, text("o", "x"))).errcode, 48001);
    assert.equal((await ask("shop", "/cgi-bin/clear_quota/v2", {})).errcode, 48001);
    const stranger = await (await pair.stack.fetch("/cgi-bin/menu/get?access_token=guess")).json();
    assert.equal(stranger.errcode, 40001);
    assert.equal(await reached(SEND), 0);
  });

  test("a client that calls too often is told when to come again", async () => {
    const access_token = await token("busy");
    const path = `/cgi-bin/getcallbackip?access_token=${access_token}`;
    // However the minutes lie, twelve calls are too many for two of them.
    const responses = await Promise.all(Array.from({ length: 12 }, () => pair.stack.fetch(path)));
    const limited = responses.filter((response) => response.headers.has("retry-after"));
    assert.ok(limited.length >= 2 && limited.length <= 7, `${limited.length} of 12`);
    for (const response of limited) assert.equal((await response.json()).errcode, 45011);
  });

  /** The most that workerd's memory grows by while `work` is done, bytes. */
  async function growth(work) {
    const status = `/proc/${pair.stack.workerdPid()}/status`;
    const resident = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(status, "utf8"))[1]) * 1024;
    const start = resident();
    let most = start;
    const timer = setInterval(() => (most = Math.max(most, resident())), 20);
    try {
      await work();
    } finally {
      clearInterval(timer);
    }
    return most - start;
  }

  const picture = (size) => Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), randomBytes(size - 8)]);
  const upload = (bytes, path = "/cgi-bin/media/upload?type=image") => {
    const body = new FormData();
    body.append("media", new Blob([bytes], { type: "image/png" }), "picture.png");
    return call("shop", path, { method: "POST", body });
  };
  const download = async (id) => {
    const response = await call("shop", `/cgi-bin/media/get?media_id=${id}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    return { response, bytes };
  };

  test("files of 10 MB pass in both directions, byte for byte, and none is held in memory", { timeout: 120_000 }, async () => {
    const bytes = picture(10 * 1024 * 1024);
    const { media_id } = await (await upload(bytes)).json();
    assert.ok(media_id);
    const { response, bytes: back } = await download(media_id);
    assert.equal(response.headers.get("content-type"), "image/png");
    assert.match(response.headers.get("content-disposition"), /filename=/);
    assert.ok(bytes.equals(back), `${back.length} bytes came back`);

    // Eight at once are 80 MB, of which workerd may hold what is on the way.
    const bound = 64 * 1024 * 1024;
    const all = (work) => () => Promise.all(Array.from({ length: 8 }, work));
    const up = await growth(all(async () => assert.ok((await (await upload(bytes)).json()).media_id)));
    const down = await growth(all(async () => assert.equal((await download(media_id)).bytes.length, bytes.length)));
    assert.ok(up < bound && down < bound, `it grew by ${up} bytes during uploads, by ${down} during downloads`);

    // The guides' name for it.
    const permanent = await (await upload(picture(2000), "/cgi-bin/material/upload?type=image")).json();
    assert.ok(permanent.media_id, JSON.stringify(permanent));
  });

  test("a download that breaks off looks like it, and whoever leaves in the middle harms nobody", async () => {
    const bytes = picture(4 * 1024 * 1024);
    const { media_id } = await (await upload(bytes)).json();
    await pair.sim.post("/_sim/faults", [{ path: "/cgi-bin/media/get", half: true }]);
    await assert.rejects(download(media_id), "half of a file is no file");
    const response = await call("shop", `/cgi-bin/media/get?media_id=${media_id}`);
    const reader = response.body.getReader();
    assert.ok((await reader.read()).value.length > 0);
    await reader.cancel();
    assert.ok((await download(media_id)).bytes.equals(bytes));
    const errors = pair.stack.logs.filter(({ level }) => level === "error");
    assert.deepEqual(errors, []);
  });

  test("an upload of unknown length is refused", async () => {
    const pieces = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.alloc(100));
        controller.close();
      },
    });
    const response = await call("shop", "/cgi-bin/media/upload?type=image", { method: "POST", body: pieces, duplex: "half" });
    assert.equal(response.status, 411);
    assert.equal((await response.json()).errcode, 44002);
  });

  test("a token that dies behind our back: small calls notice nothing, an upload is sent again by its client", async () => {
    await ask("shop", "/cgi-bin/getcallbackip");
    const before = await reached("/cgi-bin/stable_token");
    await pair.sim.post("/_sim/token", { invalidate: true });
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask("shop", "/cgi-bin/getcallbackip")));
    for (const answer of answers) assert.ok(answer.ip_list, JSON.stringify(answer));
    assert.equal(await reached("/cgi-bin/stable_token"), before + 1);
    await pair.sim.post("/_sim/token", { invalidate: true });
    assert.equal((await (await upload(picture(200_000))).json()).errcode, 42001);
    assert.ok((await (await upload(picture(200_000))).json()).media_id);
  });

  /** Codes that nobody but the client can do something about. */
  const forTheClient = {
    wait: [45011, 44991, 45033, 45066, 89501],
    harmless: [45072, 45080, 45081],
    stopForToday: [45009, 45028, 48006],
    drop: [45015, 45047, 43004, 43019, 43101, 43107, 43108, 40003, 46004, 50005, 48002],
    configuration: [48001, 48004, 50001, 50002, 50004, 50007, 40013, 40125, 40002, 40243, 40200],
    allowIp: [40164, 61004],
    awaitAdministrator: [89503, 89504, 89505, 89506, 89507],
    logins: [40029, 40163, 41008, 42003, 42002, 40030, 42007, 40226, 87009],
    request: [40007, 40033, 40035, 40037, 41030, 43001, 43002, 43003, 44002, 45002, 45008, 46001, 46003, 47001, 47003, 65301, 45157, 76021],
    unheardOf: [98765],
  };

  test("every class of reactions", async () => {
    const path = "/cgi-bin/getcallbackip";
    const fault = async (fault, tries) => {
      const before = await reached(path);
      await pair.sim.post("/_sim/faults", [{ path, ...fault }]);
      const answer = await ask("shop", path);
      assert.equal((await reached(path)) - before, tries, JSON.stringify([fault, answer]));
      return answer;
    };
    // The token is replaced.
    for (const errcode of [40001, 40014, 41001, 42001]) {
      await pair.sim.post("/_sim/token", { invalidate: true });
      assert.ok((await fault({ errcode }, 2)).ip_list);
    }
    // What may be repeated is, after a second.
    const troubles = [{ errcode: -1 }, { errcode: 61450 }, { http_status: 502 }, { cut: true }, { half: true }];
    for (const trouble of troubles) assert.ok((await fault(trouble, 2)).ip_list);
    // All others are for whoever asked, at once and as they are.
    for (const errcode of Object.values(forTheClient).flat()) assert.equal((await fault({ errcode }, 1)).errcode, errcode);
    assert.match(await counted(), /wxapi_api_calls_total\{errcode="45015"\} \d+/);
  });

  test("a send whose answer is lost is not sent twice", async () => {
    const touser = await openid("reader");
    for (const fault of [{ cut: true }, { half: true }, { http_status: 503 }, { errcode: -1 }]) {
      await pair.sim.post("/_sim/faults", [{ path: SEND, ...fault }]);
      const before = await reached(SEND);
      const answer = await ask("shop", SEND, text(touser, "once"));
      assert.equal(answer.errcode, 61450);
      assert.match(answer.errmsg, /outcome unknown, not repeated rid: /);
      assert.equal(await reached(SEND), before + 1);
    }
  });

  test("a key: one send, the same answer, also after kill -9", { timeout: 120_000 }, async () => {
    const touser = await openid("customer");
    const send = (key, content) => call("shop", SEND, { method: "POST", body: JSON.stringify(text(touser, content)), headers: { "idempotency-key": key } });
    const before = await reached(SEND);
    const first = await (await send("k-1", "your parcel")).json();
    assert.equal(first.errcode, 0);
    const again = await send("k-1", "your parcel");
    assert.equal(again.headers.get("idempotent-replayed"), "true");
    assert.deepEqual(await again.json(), first);
    assert.equal((await (await send("k-1", "another")).json()).errcode, 40035);

    await pair.sim.post("/_sim/faults", [{ path: SEND, delay_ms: 10_000 }]);
    const lost = send("k-2", "is on its way").then((response) => response.json()).catch((error) => error);
    const open = async () => (await admin("/admin/audit?client=shop&limit=1")).items[0];
    await until(async () => (await open()).outcome === "unknown", "the call is under way");
    assert.equal((await (await send("k-2", "is on its way")).json()).errcode, 45033);
    await pair.stack.kill();
    assert.ok((await lost) instanceof Error);
    await pair.stack.restart();
    assert.deepEqual(await (await send("k-1", "your parcel")).json(), first);
    for (let n = 0; n < 2; n++) {
      const answer = await (await send("k-2", "is on its way")).json();
      assert.equal(answer.errcode, 61450);
      assert.match(answer.errmsg, /not repeated/);
    }
    await pair.sim.post("/_sim/faults", []);
    // wx-sim may have seen the one that was killed, or not; nothing came after it.
    assert.ok((await reached(SEND)) - before <= 2);
  });

  test("the audit and the counters tell what happened, and no secret", async () => {
    const { items } = await admin("/admin/audit?limit=200");
    for (const outcome of ["ok", "refused", "unknown", "forbidden", "replayed", "busy", "key_conflict", "not_repeated"]) {
      assert.ok(items.some((item) => item.outcome === outcome), outcome);
    }
    const metrics = await counted();
    assert.match(metrics, /wxapi_proxy_calls_total\{client="shop",outcome="not_repeated"\} 2\n/);
    const told = JSON.stringify([items, pair.stack.logs, metrics]);
    const sent = [SECRET, ADMIN_TOKEN, pair.vars.APP_SECRET, "access_token=", "your parcel", await openid("customer")];
    for (const secret of sent) assert.ok(!told.includes(secret), secret);
  });
});
