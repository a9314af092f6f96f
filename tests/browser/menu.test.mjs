// The account's menu on the phone, and what lies behind its buttons.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { openStage } from "./stage.mjs";

let stage;
let site;
before(async () => {
  stage = await openStage();
  site = http.createServer((request, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(`<!doctype html><title>站点</title><p id="who">${request.headers["user-agent"]}</p>`);
  });
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  await stage?.close();
  site?.close();
});
const scene = (options, play) => (t) => stage.scene(options, play)(t);

const menu = () => ({
  button: [
    { type: "click", name: "今日歌曲", key: "V1001_TODAY_MUSIC" },
    {
      name: "更多",
      sub_button: [
        { type: "view", name: "看网页", url: `http://127.0.0.1:${site.address().port}/hello` },
        { type: "miniprogram", name: "小程序", url: "https://example.com", appid: "wx286b93c14bbf93aa", pagepath: "pages/index" },
        { type: "scancode_waitmsg", name: "扫码", key: "SCAN_IT" },
        { type: "pic_sysphoto", name: "拍照", key: "PHOTO" },
        { type: "click", name: "赞", key: "V1001_GOOD" },
      ],
    },
  ],
});

test("a menu appears when the account makes one, and its buttons do what they say", scene({ as: "小明" }, async (phone, page) => {
  await page.getByRole("button", { name: "关注", exact: true }).click();
  await phone.sees("account", "欢迎关注");
  await stage.platform("menu/create", menu());
  await phone.menu.getByRole("button", { name: "今日歌曲" }).click();
  assert.deepEqual(await phone.rings(await phone.sees("person", "V1001_TODAY_MUSIC")), ["green success"]);

  const more = phone.menu.getByRole("button", { name: "更多" });
  await more.click();
  await phone.menu.getByRole("menuitem", { name: "赞" }).click();
  await phone.sees("person", "V1001_GOOD");
  assert.equal(await phone.menu.getByRole("menuitem").count(), 0, "the sub-menu is closed");

  await more.click();
  await phone.menu.getByRole("menuitem", { name: "小程序" }).click();
  const program = page.getByRole("dialog", { name: "小程序" });
  await program.getByText("wx286b93c14bbf93aa").waitFor();
  await page.keyboard.press("Escape");
  await program.waitFor({ state: "detached" });

  await more.click();
  await phone.menu.getByRole("menuitem", { name: "看网页" }).click();
  await page.frameLocator("[data-testid=browser]").getByText("MicroMessenger").waitFor();
  await page.keyboard.press("Escape");
}));

test("a button that scans tells the account what was scanned", scene({ as: "小红" }, async (phone, page) => {
  await page.getByRole("button", { name: "关注", exact: true }).click();
  await stage.platform("menu/create", menu());
  await phone.menu.getByRole("button", { name: "更多" }).click();
  await phone.menu.getByRole("menuitem", { name: "扫码" }).click();
  const sheet = page.getByRole("dialog", { name: /扫一扫/ });
  await sheet.getByRole("textbox").fill("6901234567892");
  await sheet.getByRole("button", { name: "扫描", exact: true }).click();
  await phone.sees("person", "SCAN_IT");
}));

test("a button that takes a photo sends one, and the sheet moves nothing", scene({ as: "小丽" }, async (phone, page) => {
  await page.getByRole("button", { name: "关注", exact: true }).click();
  await stage.platform("menu/create", menu());
  await phone.menu.getByRole("button", { name: "更多" }).click();
  await phone.menu.getByRole("menuitem", { name: "拍照" }).click();
  const sheet = page.getByRole("dialog", { name: "选择照片" });
  await sheet.getByRole("button", { name: "用示例图片" }).waitFor();
  const moved = () => ["html", ".app", ".screen"].map((one) => document.querySelector(one).scrollTop);
  assert.deepEqual(await page.evaluate(moved), [0, 0, 0]);
  await sheet.getByRole("button", { name: "用示例图片" }).click();
  await phone.sees("person", "PHOTO");
  await phone.sees("account", "image/jpeg");
  assert.equal(await phone.lines("person", "image").count(), 1);
}));

test("a QR code of the account is there to be scanned", scene({ as: "小华" }, async (phone, page) => {
  const order = { expire_seconds: 600, action_name: "QR_STR_SCENE", action_info: { scene: { scene_str: "lg_8f2c" } } };
  await stage.platform("qrcode/create", order);
  await page.getByRole("group", { name: "触发事件" }).getByRole("button", { name: "扫一扫" }).click();
  await page.getByRole("dialog", { name: /扫一扫/ }).getByRole("button", { name: /lg_8f2c/ }).click();
  await phone.sees("person", "lg_8f2c");
  await phone.sees("account", "欢迎关注");
}));
