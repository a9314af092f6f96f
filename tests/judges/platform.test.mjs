// The stand-in for api.weixin.qq.com is judged by SDKs that know nothing of it: unmodified but for the base URL. What
// it tells the account afterwards is read by wechatpy, too.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { startSim } from "../../tools/stack.mjs";
import { throwAwayAccount } from "../../tools/settings.mjs";
import { until } from "../e2e/people.mjs";
import * as coWechatApi from "./co-wechat-api/client.mjs";
import * as easywechat from "./easywechat/client.mjs";
import { runPython, startEcho } from "./servers.mjs";

const areasOfWechatpy = [
  "token", "menu", "media", "large", "material", "qrcode", "user", "tag", "blacklist", "mass", "custom",
  "template", "subscribe", "jsapi", "agents", "oauth",
];
const vars = throwAwayAccount();
let world;

before(async () => {
  const echo = await startEcho("wechatpy", vars);
  world = { vars, echo, sim: await startSim({ vars, target: echo.url }) };
});

after(() => Promise.all([world?.echo.close(), world?.sim.close()]));

beforeEach(() => world.sim.post("/_sim/reset"));

/** wechatpy's server heard of a job's end, under the id that wechatpy's client was given. */
async function heardOf(event, id) {
  const heard = () => world.echo.lines.map((line) => JSON.parse(line)).find((one) => one.event === event && one.MsgID === id);
  return until(heard, `${event} ${id}`, 20);
}

describe("wechatpy finds what it expects", () => {
  for (const area of areasOfWechatpy) {
    test(area, async () => {
      const { stdout, stderr } = await runPython("wechatpy/client.py", { ...vars, SIM_URL: world.sim.url }, area);
      assert.match(stdout, /^done$/m, stdout + stderr);
      for (const [, job, id] of stdout.matchAll(/^(mass|template) (\d+)$/gm)) {
        const { Status } = await heardOf(`${job}sendjobfinish`, id);
        assert.match(Status, job === "mass" ? /^send ?success$/ : /^success$/);
      }
    });
  }
});

for (const [name, judge] of [["co-wechat-api", coWechatApi], ["node-easywechat", easywechat]]) {
  describe(`${name} finds what it expects`, () => {
    for (const [area, look] of Object.entries(judge)) test(area, () => look(world));
  });
}
