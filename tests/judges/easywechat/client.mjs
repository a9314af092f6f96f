// node-easywechat's client against wx-sim, or a proxy before it: as it comes from npm, but for its base URL. One function
// for each area.
import assert from "node:assert/strict";
import fs from "node:fs";
import easywechat from "node-easywechat";
import { file, follows, received } from "../people.mjs";

const { FormData, OfficialAccount } = easywechat;

/** The application of its manual, with a cache that forgets when the process ends. */
function app({ sim, proxy = sim, vars }, settings = {}) {
  const { APP_ID: app_id, APP_SECRET: secret } = vars;
  const made = new OfficialAccount({ app_id, secret, http: { baseURL: new URL("/", proxy.url).href }, ...settings });
  const kept = new Map();
  made.setCache({
    get: async (key) => kept.get(key),
    set: async (key, value) => Boolean(kept.set(key, value)),
    has: async (key) => kept.has(key),
    delete: async (key) => kept.delete(key),
  });
  return made;
}

async function get(client, path, params = {}) {
  return (await client.get(path, { params })).toObject();
}

async function post(client, path, json) {
  return (await client.post(path, { json })).toObject();
}

async function upload(client, path, name, params) {
  const form = new FormData();
  form.append("media", fs.readFileSync(file(name)), { filename: name });
  return (await client.post(path, { params, formData: form })).toObject();
}

export async function token(world) {
  for (const use_stable_access_token of [false, true]) {
    const token = app(world, { use_stable_access_token }).getAccessToken();
    const first = await token.getToken();
    assert.equal(await token.getToken(), first, "it is kept");
    const again = await token.refresh();
    const same = use_stable_access_token && !world.proxy;
    assert.equal(again === first, same, "only WeChat's stable one stays the same");
  }
  const stranger = app({ ...world, vars: { ...world.vars, APP_SECRET: "0".repeat(32) } });
  await assert.rejects(() => stranger.getAccessToken().getToken(), /40125/);
}

export async function menu(world) {
  const client = app(world).getClient();
  const button = [{ name: "菜单", sub_button: [{ type: "click", name: "赞", key: "V1001_GOOD" }] }];
  const created = await client.post("cgi-bin/menu/create", { json: { button } });
  assert.equal(created.toObject().errcode, 0);
  assert.equal((await get(client, "cgi-bin/menu/get")).menu.button[0].sub_button[0].key, "V1001_GOOD");
  await get(client, "cgi-bin/menu/delete");
  assert.equal((await get(client, "cgi-bin/menu/get")).errcode, 46003);
}

export async function media(world) {
  const client = app(world).getClient();
  const { media_id } = await upload(client, "cgi-bin/media/upload", "pixel.png", { type: "image" });
  const answer = await client.get("cgi-bin/media/get", { params: { media_id }, responseType: "arraybuffer" });
  assert.ok(answer.is("image"));
  assert.deepEqual(answer.getContent(), fs.readFileSync(file("pixel.png")));
  const kept = await upload(client, "cgi-bin/material/add_material", "pixel.png", { type: "image" });
  assert.match(kept.url, /^http/);
}

export async function qrcode(world) {
  const client = app(world).getClient();
  const order = { expire_seconds: 604800, action_name: "QR_SCENE", action_info: { scene: { scene_id: 123 } } };
  const code = await post(client, "cgi-bin/qrcode/create", order);
  assert.deepEqual([code.expire_seconds, typeof code.ticket, typeof code.url], [604800, "string", "string"]);
}

export async function user(world) {
  const client = app(world).getClient();
  const openid = await follows(world.sim, "小明");
  assert.deepEqual((await get(client, "cgi-bin/user/get")).data.openid, [openid]);
  assert.equal((await get(client, "cgi-bin/user/info", { openid, lang: "zh_CN" })).subscribe, 1);
  const { tag } = await post(client, "cgi-bin/tags/create", { tag: { name: "会员" } });
  await post(client, "cgi-bin/tags/members/batchtagging", { openid_list: [openid], tagid: tag.id });
  assert.deepEqual((await get(client, "cgi-bin/user/info", { openid })).tagid_list, [tag.id]);
}

export async function mass(world) {
  const client = app(world).getClient();
  await follows(world.sim, "小明");
  const order = { filter: { is_to_all: true }, text: { content: "大家好" }, msgtype: "text" };
  const sent = await post(client, "cgi-bin/message/mass/sendall", order);
  assert.ok(sent.errcode === 0 && sent.msg_id);
  assert.match(JSON.stringify(await received(world.sim, "小明", 1)), /大家好/);
}

export async function custom(world) {
  const client = app(world).getClient();
  const touser = await follows(world.sim, "小明");
  const sent = await post(client, "cgi-bin/message/custom/send", { touser, msgtype: "text", text: { content: "你好" } });
  assert.equal(sent.errcode, 0);
  assert.equal((await received(world.sim, "小明", 1))[0].body.text.content, "你好");
}

export async function jsapi(world) {
  const utils = app(world).getUtils();
  const config = await utils.buildJsSdkConfig("https://example.com/", ["scanQRCode"]);
  assert.match(config.signature, /^[0-9a-f]{40}$/);
  assert.equal(config.appId, world.vars.APP_ID);
}
