// What the page says about every request, and its settings of the account.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { openStage } from "./stage.mjs";

let stage;
before(async () => (stage = await openStage()));
after(() => stage?.close());
const scene = (options, play) => (t) => stage.scene(options, play)(t);

const detail = (page) => page.getByTestId("detail");
const tab = (page, name) => detail(page).getByRole("tab", { name, exact: true });

/** Says something and shows its delivery in full. */
async function inspect(phone, text) {
  const line = await phone.say(text);
  await phone.rings(line);
  await line.locator("[data-state]").last().click();
}

test("a delivery is shown plain, sealed, and answered, with the rules that it keeps", scene({ as: "detail" }, async (phone, page) => {
  await inspect(phone, "看看明文");
  await detail(page).getByText("看看明文").waitFor();
  await detail(page).getByTestId("check").first().waitFor();
  const rules = await detail(page).getByTestId("check").evaluateAll((all) => all.map(({ dataset }) => [dataset.rule, dataset.ok]));
  assert.deepEqual(rules.filter(([, ok]) => ok !== "true"), []);
  const names = rules.map(([rule]) => rule);
  for (const rule of ["msg_signature", "encrypted", "addresses", "text_size"]) assert.ok(names.includes(rule), `${rule}: ${names}`);
  await tab(page, "密文").click();
  await detail(page).getByText("Encrypt").first().waitFor();
  assert.equal(await detail(page).locator("pre").getByText("看看明文").count(), 0, "sealed is sealed");
  await tab(page, "响应").click();
  await detail(page).getByText("MsgSignature").first().waitFor();
  await tab(page, "头部").click();
  await detail(page).getByText("text/xml").first().waitFor();
}));

test("whose message it was is said, and that of the phone shown comes first", scene({ as: "mine" }, async (phone, page) => {
  await inspect(phone, "我自己的话");
  await stage.sim.post("/_sim/send", { as: "another", text: "别人的话" });
  const row = (text) => page.getByTestId("exchange").filter({ hasText: text }).filter({ hasText: "/wechat" });
  await row("别人的话").locator(".who").getByText("another").waitFor();
  assert.equal(await row("我自己的话").locator(".who").count(), 0);
  await page.reload();
  await row("别人的话").waitFor();
  await detail(page).getByText("我自己的话").waitFor();
}));

test("its cURL does again what WeChat did", scene({ as: "curl" }, async (phone, page) => {
  await inspect(phone, "再来一次");
  await tab(page, "cURL").click();
  const command = await detail(page).locator("pre").innerText();
  const { stdout } = await promisify(execFile)("sh", ["-c", command], { timeout: 20_000 });
  assert.match(stdout, /^HTTP\/1.1 200 OK[^]*<xml><Encrypt>/, command);
}));

test("a delivery is sent once more on request, and gets the same answer", scene({ as: "again" }, async (phone, page) => {
  await inspect(phone, "原样重发");
  await detail(page).getByRole("button", { name: "重发" }).click();
  const deliveries = page.getByTestId("exchange").filter({ hasText: "原样重发" });
  await deliveries.nth(1).waitFor();
  await phone.lines("account").nth(1).waitFor();
  const [first, second] = await phone.lines("account").locator(".bubble").allInnerTexts();
  assert.equal(second, first);
}));

test("requests to the platform and the model are there, secrets are not", scene({ as: "calls" }, async (phone, page) => {
  await inspect(phone, "模型呢");
  await stage.platform("message/custom/typing", { touser: (await stage.sim.get("/_sim/inbox?as=calls")).openid, command: "Typing" });
  await page.getByRole("radio", { name: "← 微信接口" }).check();
  await page.getByTestId("exchange").filter({ hasText: "/cgi-bin/message/custom/typing" }).getByRole("button").click();
  await detail(page).getByText("touser").waitFor();
  await page.getByTestId("exchange").filter({ hasText: "/cgi-bin/token" }).getByRole("button").click();
  await detail(page).getByText("grant_type").first().waitFor();
  assert.ok(!(await page.content()).includes(stage.vars.APP_SECRET), "the AppSecret is not on the page");
  await page.getByRole("radio", { name: "← 模型" }).check();
  await page.getByTestId("exchange").filter({ hasText: "llama" }).first().waitFor();
  assert.equal(await page.getByTestId("exchange").filter({ hasText: "/cgi-bin/" }).count(), 0);
}));

test("the console's check of the URL says that it passed", scene({}, async (_, page) => {
  await page.getByTestId("target").click();
  await page.locator("[data-testid=target][data-ok=true]").filter({ hasText: "接入验证通过" }).waitFor();
}));

test("the account's type decides what answers 48001", scene({}, async (_, page) => {
  const type = page.getByRole("combobox", { name: "账号类型" });
  await type.selectOption({ label: "个人号（未认证）" });
  await page.getByText("客服消息、菜单、二维码等接口返回 48001").waitFor();
  await assert.rejects(() => stage.platform("menu/create", { button: [] }), /48001/);
  await type.selectOption({ label: "服务号（已认证）" });
  await page.getByText("接口最全").waitFor();
}));

test("people come by the page, each with a chat of their own", scene({ as: "first" }, async (phone, page) => {
  await phone.say("我是第一个");
  await phone.sees("account", "我是第一个");
  await page.getByRole("textbox", { name: "名字" }).fill("阿花");
  await page.keyboard.press("Enter");
  await page.getByRole("radio", { name: "阿花", checked: true }).waitFor();
  await page.getByText("这里还没有消息").or(page.getByText("你还没有关注")).first().waitFor();
  assert.equal(await phone.lines("person").count(), 0);
  await phone.pick("first");
  await phone.sees("person", "我是第一个");
}));

test("pictures are drawn, and what looks like HTML stays text", scene({ as: "picture" }, async (phone, page) => {
  await page.getByRole("group", { name: "触发事件" }).getByRole("button", { name: "图片" }).click();
  const line = phone.lines("person", "image").last();
  await line.waitFor();
  const img = line.locator("img");
  await img.evaluate((element) => element.decode());
  assert.ok((await img.evaluate((element) => element.naturalWidth)) > 0);
  const hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
  await phone.say(hostile);
  await phone.sees("account", hostile);
  assert.equal(await page.title(), "wx-sim");
}));

test("what is done on the page is recorded, and done again", scene({ as: "record" }, async (phone, page) => {
  await page.getByRole("button", { name: "录制" }).click();
  await page.getByRole("button", { name: "停止录制（0 步）" }).waitFor();
  await phone.say("录下来");
  await phone.sees("account", "录下来");
  await page.getByRole("button", { name: "停止录制（1 步）" }).click();
  const window = page.getByRole("dialog", { name: "录制的场景" });
  await window.getByText("录下来").first().waitFor();
  await window.getByRole("button", { name: "重放" }).click();
  await window.getByRole("region", { name: "重放的结果" }).getByText("1 步都符合预期").waitFor();
  await page.keyboard.press("Escape");
}));

test("time passes when it is told to, and all is forgotten when that is confirmed", scene({ as: "reset" }, async (phone, page) => {
  await phone.say("会被忘记");
  await phone.sees("account", "会被忘记");
  await page.getByRole("button", { name: "前进 2 小时" }).click();
  await page.getByText("快 2 小时").waitFor();
  await page.getByRole("button", { name: "重置", exact: true }).click();
  await page.getByRole("button", { name: "确定清空？" }).click();
  await page.getByText("真实时间").waitFor();
  await phone.lines("person").waitFor({ state: "detached" });
  assert.equal(await page.getByTestId("exchange").count(), 0);
}));
