// The menu and media of the management API on the built Worker: what is published is on the phone, and a tap arrives.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";

const ADMIN_TOKEN = "a-token-of-the-operator-only";

describe("management of menu and media", () => {
  let pair;
  before(async () => (pair = await startPair({ vars: { LANG: "en", ADMIN_TOKEN } })));
  after(() => pair.close());

  const raw = (method, path, init = {}) =>
    pair.stack.fetch(`/admin/${path}`, { method, ...init, headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...init.headers } });

  /** A call with JSON: what comes back, if it has this status. */
  async function call(status, method, path, body) {
    const init = body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const response = await raw(method, path, init);
    const text = await response.text();
    assert.equal(response.status, status, `${method} ${path}: ${text}`);
    return text && JSON.parse(text);
  }

  const calls = async (path) => (await pair.sim.get("/_sim/calls")).calls.filter((call) => call.path === path).length;

  const menu = {
    button: [
      { type: "click", name: "帮助 & more", key: "/help" },
      { name: "更多", sub_button: [{ type: "view", name: "Shop", url: "https://shop.example/?a=1&b=2" }, { type: "click", name: "State", key: "状态" }] },
    ],
  };

  test("a published menu is on the phone, and a tap on a key that is a command is answered", async () => {
    assert.deepEqual(await call(200, "GET", "menu"), { source: "none", menu: null, conditional: [], skipped: [] });
    assert.equal((await call(200, "POST", "menu/diff", menu)).changes.length, 4);
    assert.equal((await call(200, "PUT", "menu", menu)).history, 1);
    const shown = await pair.sim.get("/_sim/menu?as=reader");
    assert.deepEqual(shown.button.map(({ name }) => name), ["帮助 & more", "更多"]);
    assert.deepEqual((await call(200, "GET", "menu")).menu, menu);
    for (const [button, expected] of [["帮助 & more", /\/new/], ["State", /question/i]]) {
      const { report } = await pair.sim.post("/_sim/click", { as: "reader", button });
      assert.match(report.shown.map(({ text }) => text ?? "").join("\n"), expected, JSON.stringify(report));
    }
    assert.deepEqual((await call(200, "POST", "menu/diff", menu)).changes, []);
  });

  test("a rollback brings back what was there, word for word, and the console's shape is imported", async () => {
    const other = { button: [{ type: "click", name: "Other", key: "other" }] };
    assert.equal((await call(200, "PUT", "menu", other)).history, 2);
    assert.deepEqual((await call(200, "POST", "menu/import")).menu, other);
    const { history } = await call(200, "POST", "menu/history/1/rollback");
    assert.equal((await call(200, "GET", `menu/history/${history}`)).rollback_of, 1);
    assert.deepEqual((await call(200, "GET", "menu")).menu, menu);
    assert.deepEqual((await call(200, "POST", "menu/import")), { menu, skipped: [], errors: [] });
    // After a restart too.
    await pair.stack.restart();
    const { items } = await call(200, "GET", "menu/history");
    assert.deepEqual(items.map(({ number, state }) => `${number} ${state}`), ["3 published", "2 published", "1 published"]);
  });

  test("WeChat is not asked for what it would refuse, and what it refuses is told with its number", async () => {
    const before = await calls("/cgi-bin/menu/create");
    const long = { button: [{ type: "click", name: "seventeen letters", key: "x" }] };
    const { errors } = await call(422, "PUT", "menu", long);
    assert.equal(errors[0].pointer, "/button/0/name");
    assert.equal(await calls("/cgi-bin/menu/create"), before);
    // It exists nowhere, which only WeChat can know.
    const { errcode, rid } = await call(422, "PUT", "menu", { button: [{ type: "media_id", name: "x", media_id: "nowhere" }] });
    assert.equal(errcode, 40007);
    assert.ok(rid);
    assert.equal((await call(200, "GET", "menu/history")).items.length, 3);
  });

  test("who has an iPhone sees another menu", async () => {
    const some = { button: [{ type: "click", name: "Some", key: "s" }], matchrule: { client_platform_type: "1" } };
    const { menuid } = await call(201, "POST", "menu/conditional", some);
    const { items } = await call(200, "GET", "menu/conditional");
    assert.deepEqual(items, [{ ...some, menuid }]);
    for (const phone_system of ["ios", "android"]) {
      await pair.sim.post("/_sim/people", { name: phone_system, phone_system });
      await pair.sim.post("/_sim/send", { as: phone_system, event: { type: "subscribe" } });
      const matched = await call(200, "POST", "menu/conditional/match", { user_id: phone_system });
      assert.deepEqual(matched.menu.button, phone_system === "ios" ? some.button : menu.button);
    }
    await call(204, "DELETE", `menu/conditional/${menuid}`);
    assert.deepEqual((await call(200, "GET", "menu/conditional")).items, []);
  });

  /** A PNG, as far as its first bytes go. */
  const picture = (size) => Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), randomBytes(size - 8)]);
  const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

  async function upload(path, bytes, name = "picture.png", fields = {}) {
    const form = new FormData();
    form.append("media", new Blob([bytes]), name);
    for (const [field, value] of Object.entries(fields)) form.append(field, value);
    // fetch() itself says how long a form is.
    const response = await raw("POST", path, { body: form });
    return { status: response.status, answer: await response.json() };
  }

  test("10 MB go up and come down as they were", async () => {
    const bytes = picture(10 << 20);
    const { status, answer } = await upload("media?type=image&name=big", bytes);
    assert.equal(status, 201, JSON.stringify(answer));
    const response = await raw("GET", `media/${answer.media_id}`);
    assert.equal(response.headers.get("content-type"), "image/png");
    assert.match(response.headers.get("content-disposition"), /filename/);
    assert.equal(sha256(Buffer.from(await response.arrayBuffer())), sha256(bytes));
    const { items } = await call(200, "GET", "media");
    assert.deepEqual(items, [{ ...answer, expired: false }]);
    // A few bytes too many are hidden by the form, but not from WeChat.
    const { answer: refused } = await upload("media?type=image", picture((10 << 20) + 1));
    assert.equal(refused.errcode, 45001);
  });

  test("a form is not sent twice: after a new token it is asked for again", async () => {
    await pair.sim.post("/_sim/token", { invalidate: true });
    const first = await upload("media?type=image", picture(100));
    assert.equal(first.status, 503, JSON.stringify(first.answer));
    assert.equal((await upload("media?type=image", picture(100))).status, 201);
    // A download is repaired without anybody noticing.
    const { answer } = await upload("media?type=image", picture(200));
    await pair.sim.post("/_sim/token", { invalidate: true });
    const response = await raw("GET", `media/${answer.media_id}`);
    assert.equal((await response.arrayBuffer()).byteLength, 200);
  });

  test("material, a draft made of it, and its publication", async () => {
    const { answer: cover } = await upload("material?type=image", picture(1000));
    const { answer: inside } = await upload("articles/images", picture(1000));
    const page = await call(200, "GET", "material?type=image&limit=1");
    assert.equal(page.items[0].media_id, cover.media_id);
    assert.equal((await call(200, "GET", "material/count")).image_count, 1);
    const article = { title: "标题", content: `<p>正文</p><img src="${inside.url}">`, thumb_media_id: cover.media_id };
    const { media_id } = await call(201, "POST", "drafts", { articles: [article] });
    assert.equal((await call(200, "GET", `drafts/${media_id}`)).news_item[0].content, article.content);
    await call(204, "PUT", `drafts/${media_id}`, { index: 0, articles: { ...article, title: "新标题" } });
    assert.equal((await call(200, "GET", "drafts")).items[0].content.news_item[0].title, "新标题");
    const { publish_id } = await call(202, "POST", `drafts/${media_id}/publish`);
    const { article_id, publish_status } = await call(200, "GET", `publications/${publish_id}`);
    assert.equal(publish_status, 0);
    assert.equal((await call(200, "GET", "publications")).total, 1);
    assert.equal((await call(200, "GET", `publications/${article_id}/articles`)).news_item[0].title, "新标题");
    await call(204, "DELETE", `publications/${article_id}`);
    assert.equal((await call(200, "GET", "publications")).total, 0);
    const film = Buffer.concat([Buffer.from("00000018667479706d703432", "hex"), randomBytes(500)]);
    const { status, answer } = await upload("material?type=video", film, "a.mp4", { description: JSON.stringify({ title: "Film", introduction: "x" }) });
    assert.equal(status, 201, JSON.stringify(answer));
    assert.equal((await call(200, "GET", `material/${answer.media_id}`)).title, "Film");
    await call(204, "DELETE", `material/${answer.media_id}`);
    await call(422, "GET", `material/${answer.media_id}`);
  });
});
