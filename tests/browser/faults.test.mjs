// What goes wrong when its switch is on, and what the person sees of it. The switches are the simulator's, not one
// page's, so these tests take turns.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openStage } from "./stage.mjs";

const ERROR = "该公众号提供的服务出现故障，请稍后再试";
let stage;
before(async () => (stage = await openStage()));
after(() => stage?.close());
const scene = (options, play) => (t) => stage.scene(options, play)(t);

const toggle = (page, name) => page.getByRole("switch", { name });

test("a wrong signature: three refusals, and WeChat's error line", scene({ as: "小明" }, async (phone, page) => {
  await toggle(page, "签名错误").check();
  const line = await phone.say("有人吗");
  await phone.errorLine.filter({ hasText: ERROR }).waitFor();
  assert.deepEqual(await phone.rings(line), ["red status", "red status", "red status"]);
  assert.equal(await phone.lines("account", "text").count(), 0);
  await toggle(page, "签名错误").uncheck();
  await phone.say("现在呢");
  await phone.sees("account", "现在呢");
}));

test("a slow network: three time-outs, and WeChat's error line", scene({ as: "小慢" }, async (phone, page) => {
  await toggle(page, "慢网络").check();
  const line = await phone.say("好慢");
  await phone.errorLine.filter({ hasText: ERROR }).waitFor({ timeout: 30_000 });
  assert.deepEqual(await phone.rings(line), ["red timeout", "red timeout", "red timeout"]);
  await toggle(page, "慢网络").uncheck();
}));

test("a connection that is cut once: the second delivery brings the same answer", scene({ as: "小断" }, async (phone, page) => {
  await toggle(page, "连接中断").check();
  const line = await phone.say("听得到吗");
  await phone.sees("account", "听得到吗");
  assert.deepEqual(await phone.rings(line), ["red cut", "green reply"]);
  assert.equal(await phone.lines("account").count(), 1);
  await toggle(page, "连接中断").uncheck();
}));

test("switches are independent of each other, and the same on every page", scene({}, async (_, page) => {
  const names = ["连接中断", "重复投递"];
  for (const state of [true, false]) {
    for (const name of names) {
      const answered = page.waitForResponse(/\/_sim\/network$/);
      await toggle(page, name).setChecked(state);
      await (await answered).finished();
    }
    await page.reload();
    for (const name of names) await page.getByRole("switch", { name, checked: state }).waitFor();
  }
}));

test("a fault of the platform hits the next call, and then its switch is off", scene({}, async (_, page) => {
  await stage.token();
  await toggle(page, "当日额度用尽 45009").check();
  await page.getByRole("switch", { name: "当日额度用尽 45009", checked: true }).waitFor();
  await assert.rejects(() => stage.platform("message/custom/typing", {}), /45009/);
  await page.getByRole("switch", { name: "当日额度用尽 45009", checked: false }).waitFor();
}));
