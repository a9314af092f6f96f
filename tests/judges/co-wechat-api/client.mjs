// co-wechat-api against wx-sim, or a proxy before it: as it comes from npm, but for its base URLs. One function for
// each area.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import API from "co-wechat-api";
import { follows, does, file, received, refused } from "../people.mjs";

function client({ sim, proxy = sim, vars }) {
  const api = new API(vars.APP_ID, vars.APP_SECRET);
  const prefixes = ["prefix", "snsPrefix", "fileServerPrefix", "customservicePrefix", "wxaPrefix"];
  const detour = (name, { url }) => (api[name] = new URL(new URL(api[name]).pathname, url).href);
  for (const name of prefixes) detour(name, proxy);
  detour("mpPrefix", sim);
  return api;
}

export async function token(world) {
  const api = client(world);
  assert.ok((await api.getIp()).ip_list.length > 0);
  const first = api.store.accessToken;
  await world.sim.post("/_sim/token", { invalidate: true });
  assert.ok((await api.getIp()).ip_list.length > 0, "an invalid token is replaced, and the call repeated");
  assert.equal(api.store.accessToken === first, Boolean(world.proxy), "a proxy's token does not die with the account's");
  await world.sim.post("/_sim/clock", { advance_s: 7201 });
  assert.ok((await api.getIp()).ip_list.length > 0, "so is an expired one");
  const stranger = client({ ...world, vars: { ...world.vars, APP_SECRET: "0".repeat(32) } });
  await refused(40125, () => stranger.getIp());
}

const MENU = {
  button: [
    { type: "click", name: "今日歌曲", key: "V1001_TODAY_MUSIC" },
    { name: "菜单", sub_button: [{ type: "view", name: "搜索", url: "http://www.soso.com/" }] },
  ],
};

export async function menu(world) {
  const api = client(world);
  await refused(46003, () => api.getMenu());
  assert.equal((await api.createMenu(MENU)).errcode, 0);
  const { menu: { button } } = await api.getMenu();
  assert.deepEqual(button.map(({ name }) => name), ["今日歌曲", "菜单"]);
  assert.equal(button[1].sub_button[0].url, "http://www.soso.com/");
  const config = await api.getMenuConfig();
  assert.equal(config.selfmenu_info.button[1].sub_button.list[0].name, "搜索");
  const { tag } = await api.createTags("会员");
  const openid = await follows(world.sim, "小红");
  await api.batchTagging([openid], tag.id);
  const { menuid } = await api.addConditionalMenu({ button: MENU.button.slice(0, 1), matchrule: { tag_id: `${tag.id}` } });
  assert.equal((await api.tryConditionalMenu(openid)).button.length, 1);
  await api.delConditionalMenu(menuid);
  assert.equal((await api.tryConditionalMenu(openid)).button.length, 2);
  assert.equal((await api.removeMenu()).errcode, 0);
  await refused(46003, () => api.getMenu());
}

export async function media(world) {
  const api = client(world);
  const picture = await api.uploadMedia(file("pixel.png"), "image");
  assert.equal(picture.type, "image");
  assert.deepEqual(await api.getMedia(picture.media_id), fs.readFileSync(file("pixel.png")));
  const buffer = await api.uploadMedia(fs.readFileSync(file("silence.amr")), "voice", "silence.amr", "audio/amr");
  assert.deepEqual(await api.getMedia(buffer.media_id), fs.readFileSync(file("silence.amr")));
  const film = await api.getMedia((await api.uploadVideoMedia(file("film.mp4"))).media_id);
  assert.match(String(film.video_url), /^http/);
  assert.ok((await api.uploadThumbMedia(file("pixel.jpg"))).thumb_media_id);
  assert.match((await api.uploadImage(file("pixel.png"))).url, /^http/);
  await refused(40007, () => api.getMedia("nobody"));
}

export async function large(world) {
  const api = client(world);
  api.setOpts({ timeout: 60_000 });
  const pixel = fs.readFileSync(file("pixel.png"));
  const picture = Buffer.concat([pixel, randomBytes(10 * 1024 * 1024 - pixel.length)]);
  const { media_id } = await api.uploadMedia(picture, "image", "large.png", "image/png");
  assert.ok(picture.equals(await api.getMedia(media_id)), "10 MB come back, byte by byte");
}

export async function material(world) {
  const api = client(world);
  const picture = await api.uploadImageMaterial(file("pixel.png"));
  assert.match(picture.url, /^http/);
  assert.deepEqual(await api.getMaterial(picture.media_id), fs.readFileSync(file("pixel.png")));
  const film = await api.uploadVideoMaterial(file("film.mp4"), { title: "片名", introduction: "说明" });
  const described = await api.getMaterial(film.media_id);
  assert.deepEqual([described.title, described.description], ["片名", "说明"]);
  assert.match(described.down_url, /^http/);
  const counts = await api.getMaterialCount();
  assert.deepEqual([counts.image_count, counts.video_count], [1, 1]);
  const listed = await api.getMaterials("image", 0, 20);
  assert.deepEqual([listed.total_count, listed.item[0].media_id], [1, picture.media_id]);
  await api.removeMaterial(picture.media_id);
  await refused(40007, () => api.getMaterial(picture.media_id));
}

export async function qrcode(world) {
  const api = client(world);
  for (const scene of [42, "lg_8f2c"]) {
    const code = await api.createTmpQRCode(scene, 1800);
    assert.equal(code.expire_seconds, 1800);
    const picture = await fetch(api.showQRCodeURL(encodeURIComponent(code.ticket)));
    assert.match(picture.headers.get("content-type"), /^image\//);
    const forever = await api.createLimitQRCode(scene);
    assert.ok(forever.ticket && forever.url && !("expire_seconds" in forever));
  }
}

export async function user(world) {
  const api = client(world);
  const people = [await follows(world.sim, "小明"), await follows(world.sim, "小红")];
  const followers = await api.getFollowers();
  assert.deepEqual([followers.total, new Set(followers.data.openid)], [2, new Set(people)]);
  assert.equal((await api.getFollowers(followers.next_openid)).count, 0, "nobody after the last one");
  await api.updateRemark(people[0], "老客户");
  const one = await api.getUser(people[0]);
  assert.deepEqual([one.subscribe, one.openid, one.remark], [1, people[0], "老客户"]);
  const { user_info_list } = await api.batchGetUsers(people);
  assert.deepEqual(user_info_list.map(({ openid }) => openid), people);
  await refused(40003, () => api.getUser("o".repeat(28)));
}

export async function tag(world) {
  const api = client(world);
  const openid = await follows(world.sim, "小明");
  const { tag: made } = await api.createTags("广东");
  await api.updateTag(made.id, "广州");
  assert.ok((await api.getTags()).tags.some(({ id, name }) => id === made.id && name === "广州"));
  await api.batchTagging([openid], made.id);
  assert.deepEqual((await api.getIdList(openid)).tagid_list, [made.id]);
  assert.deepEqual((await api.getUsersFromTag(made.id)).data.openid, [openid]);
  await api.batchUnTagging([openid], made.id);
  assert.deepEqual((await api.getIdList(openid)).tagid_list, []);
  await api.deleteTag(made.id);
  assert.ok(!(await api.getTags()).tags.some(({ id }) => id === made.id));
}

export async function mass(world) {
  const api = client(world);
  const people = [await follows(world.sim, "小明"), await follows(world.sim, "小红")];
  const { tag: made } = await api.createTags("会员");
  await api.batchTagging([people[0]], made.id);
  const { media_id } = await api.uploadImageMedia(file("pixel.png"));
  const sent = [
    await api.massSendText("名单", people),
    await api.massSendText("所有人", true),
    await api.massSendText("标签", made.id),
    await api.massSendImage(media_id, people),
  ];
  for (const { msg_id } of sent) {
    assert.match(String((await api.getMassMessageStatus(msg_id)).msg_status), /^SEND/);
  }
  assert.equal((await api.previewText(people[0], "预览")).errcode, 0);
  assert.equal(new Set(sent.map(({ msg_id }) => String(msg_id))).size, sent.length);
  const seen = JSON.stringify(await received(world.sim, "小红", 3));
  assert.match(seen, /名单.*所有人/);
  assert.doesNotMatch(seen, /标签/, "she has not that tag");
}

export async function custom(world) {
  const api = client(world);
  const openid = await follows(world.sim, "小明");
  await world.sim.post("/_sim/clock", { advance_s: 61 });
  await refused(45015, () => api.sendText(openid, "你好"));
  await does(world.sim, "小明", { text: "在吗" });
  const { media_id } = await api.uploadImageMedia(file("pixel.png"));
  const film = await api.uploadVideoMedia(file("film.mp4"));
  const { thumb_media_id } = await api.uploadThumbMedia(file("pixel.jpg"));
  await api.sendText(openid, "<b> & 表情 😀");
  await api.sendImage(openid, media_id);
  await api.sendVideo(openid, film.media_id, thumb_media_id);
  await api.sendMusic(openid, { title: "歌名", musicurl: "http://example.com/m.mp3", hqmusicurl: "http://example.com/hq.mp3", thumb_media_id });
  await api.sendNews(openid, [{ title: "标题", description: "摘要", url: "https://example.com/", picurl: "https://example.com/a.png" }]);
  await refused(45047, () => api.sendText(openid, "太多"));
  const kinds = (await received(world.sim, "小明", 5)).map(({ body }) => body.msgtype);
  assert.deepEqual(kinds, ["text", "image", "video", "music", "news"]);
}

export async function template(world) {
  const api = client(world);
  const openid = await follows(world.sim, "小明");
  const { template_id } = await api.addTemplate("TM00001");
  const { template_list } = await api.getAllPrivateTemplate();
  assert.ok(template_list.some((listed) => listed.template_id === template_id));
  const fields = { first: { value: "你好" }, amount: { value: "9.90元" }, product: { value: "一杯咖啡" } };
  const sent = await api.sendTemplate(openid, template_id, "https://example.com/", "#FF0000", fields);
  assert.ok(sent.msgid);
  assert.equal((await api.delPrivateTemplate(template_id)).errcode, 0);
  await refused(40037, () => api.sendTemplate(openid, template_id, "", "", fields));
}

export async function jsapi(world) {
  const api = client(world);
  const config = await api.getJsConfig({ url: "https://example.com/", jsApiList: ["scanQRCode"] });
  assert.match(config.signature, /^[0-9a-f]{40}$/);
  assert.equal((await api.ensureTicket()).ticket, (await api.getLatestTicket()).ticket, "it is kept");
}
