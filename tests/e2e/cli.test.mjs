// `wx`, the real program, against the real Worker: what people see, what programs read, how it ends.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { wxBinary } from "../../tools/paths.mjs";
import { startPair } from "../../tools/stack.mjs";
import { until } from "./people.mjs";

const ADMIN_TOKEN = "the-token-of-whoever-runs-this";

describe("wx", { timeout: 180_000 }, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wxapi-cli-"));
  let pair;
  before(async () => (pair = await startPair({ vars: { LANG: "en", ADMIN_TOKEN, MASS_PER_HOUR: "3" } })));
  after(async () => {
    await pair?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a command in the folder: its exit code, and what it printed. `typed` is what somebody types. */
  function run(args, { typed = "", env = {} } = {}) {
    const child = spawn(wxBinary, args, { cwd: folder, env: { PATH: process.env.PATH, WX_URL: pair.stack.url.origin, ADMIN_TOKEN, ...env } });
    const printed = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (printed[name] += text));
    // A command that refuses at once does not wait for it.
    child.stdin.on("error", () => {});
    child.stdin.end(typed);
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        assert.ok(!JSON.stringify(printed).includes(ADMIN_TOKEN), "it printed the token");
        resolve({ code, ...printed, all: printed.stdout + printed.stderr });
      });
    });
  }

  /** A command that ends with `code`, 0 by default. */
  async function wx(args, { code = 0, ...options } = {}) {
    const ended = await run(args, options);
    assert.equal(ended.code, code, `wx ${args.join(" ")}: ${ended.all}`);
    return ended;
  }

  /** What a program reads of it. */
  const json = async (args, options) => JSON.parse((await wx([...args, "--json"], options)).stdout);

  const write = (name, content) => fs.writeFileSync(path.join(folder, name), typeof content === "string" ? content : JSON.stringify(content, null, 2));
  const calls = async (wanted) => (await pair.sim.get("/_sim/calls")).calls.filter((call) => call.path === wanted).length;

  test("the doctor's exit code says whether all is well", async () => {
    assert.equal((await json(["doctor", "--only", "storage,clock"])).healthy, true);
    const all = await run(["doctor", "--json"]);
    assert.equal(all.code, JSON.parse(all.stdout).healthy ? 0 : 1, all.all);
    assert.match((await wx(["doctor", "--only", "storage"])).stdout, /^✓ storage  /);
    await pair.sim.post("/_sim/faults", [{ path: "/cgi-bin/callback/check", errcode: 40201, times: 2 }]);
    const ill = await wx(["doctor", "--only", "callback_check,storage"], { code: 1 });
    assert.match(ill.stdout, /^✗ callback_check {2}.*\n {4}→ .*\n1 failed/m);
    assert.equal((await json(["doctor", "--only", "callback_check"], { code: 1 })).healthy, false);
    await pair.sim.post("/_sim/faults", []);
    assert.match((await wx(["doctor", "--only", "nonsense"], { code: 1 })).stderr, /invalid .*\n {2}only {2}must name checks; there are .*storage/);
  });

  test("a fault of a menu is shown in its file, and nothing is published", async () => {
    write("wrong.json", '{\n  "button": [\n    { "type": "click", "name": "这个名字太长了放不下", "key": "/help" }\n  ]\n}\n');
    for (const command of ["validate", "diff", "push"]) {
      const { stderr } = await wx(["menu", command, "wrong.json", ...(command === "push" ? ["--yes"] : [])], { code: 1 });
      assert.match(stderr, /wrong\.json:3:32 {2}\/button\/0\/name\n.*这个名字太长了放不下.*\n +\^ .*16/, command);
    }
    const problem = JSON.parse((await wx(["menu", "push", "wrong.json", "--yes", "--json"], { code: 1 })).stdout);
    assert.equal(problem.errors[0].pointer, "/button/0/name");
    write("broken.json", '{\n  "button": [,]\n}');
    assert.match((await wx(["menu", "push", "broken.json"], { code: 1 })).stderr, /broken\.json:2:14: expected value/);
    await wx(["menu", "push", "missing.json"], { code: 2 });
    assert.equal(await calls("/cgi-bin/menu/create"), 0);
  });

  test("a menu is published after its differences were shown, and comes back from the history", async () => {
    write("menu.json", { button: [{ type: "click", name: "帮助", key: "/help" }] });
    const asked = await wx(["menu", "push", "menu.json"], { code: 1, typed: "n\n" });
    assert.match(asked.stdout, /^\+ 帮助 {2}click \/help/);
    assert.match(asked.stderr, /Publish it\? \[y\/N\] .*nothing was changed/);
    assert.equal(await calls("/cgi-bin/menu/create"), 0);
    await wx(["menu", "push", "menu.json"], { typed: "y\n" });
    assert.match((await wx(["menu", "push", "menu.json"])).stdout, /nothing changes/);
    assert.equal(await calls("/cgi-bin/menu/create"), 1);
    assert.deepEqual((await pair.sim.get("/_sim/menu?as=reader")).button.map(({ name }) => name), ["帮助"]);
    const other = JSON.stringify({ button: [{ type: "click", name: "帮助", key: "/new" }] });
    assert.equal((await json(["menu", "push", "-", "--yes"], { typed: other })).history, 2);
    await wx(["menu", "push", "-"], { code: 2, typed: other });
    assert.match((await wx(["menu", "show"])).stdout, /帮助 {2}click {2}\/new/);
    assert.match((await wx(["menu", "rollback", "1", "--yes"])).stdout, /key: \/new → \/help[^]*history is 3/);
    assert.match((await wx(["menu", "history"])).stdout, /^3 .*帮助/m);
    await wx(["menu", "import", "live.json"]);
    assert.deepEqual(JSON.parse(fs.readFileSync(path.join(folder, "live.json"), "utf8")), { button: [{ type: "click", name: "帮助", key: "/help" }] });
    await wx(["menu", "import", "live.json"], { code: 2 });
    await wx(["menu", "delete", "--yes"]);
    assert.match((await wx(["menu", "show"])).stdout, /no menu/);
  });

  test("what WeChat refuses is told with its code, its words and the rid", async () => {
    await pair.sim.post("/_sim/faults", [{ path: "/cgi-bin/menu/create", errcode: 45009, times: 1 }]);
    const { stderr } = await wx(["menu", "push", "menu.json", "--yes"], { code: 1 });
    assert.match(stderr, /wechat {2}WeChat answered 45009: .*\n {2}rid: \S+[^]*in the log: \S+/);
    await pair.sim.post("/_sim/faults", []);
  });

  test("some megabytes go up and come down again, without a word where nobody looks", async () => {
    const picture = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), randomBytes(4_000_000)]);
    fs.writeFileSync(path.join(folder, "海报.png"), picture);
    const { stdout, stderr } = await wx(["media", "upload", "海报.png", "--type", "image", "--json"]);
    assert.equal(stderr, "");
    const { media_id: id, name } = JSON.parse(stdout);
    assert.equal(name, "海报.png");
    await wx(["media", "get", id, "-o", "down.png"]);
    const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");
    assert.equal(hash(fs.readFileSync(path.join(folder, "down.png"))), hash(picture));
    assert.ok(!fs.existsSync(path.join(folder, "down.png.part")));
    await wx(["media", "get", id, "-o", "down.png"], { code: 2 });
    assert.match((await wx(["media", "list"])).stdout, new RegExp(`^${id} +image +海报\\.png`, "m"));
    await wx(["media", "get", "nothing", "-o", "none.png"], { code: 1 });
    assert.ok(!fs.existsSync(path.join(folder, "none.png")));
    const { media_id: kept } = await json(["media", "upload", "海报.png", "--permanent"]);
    assert.match((await wx(["material", "list", "--type", "image"])).stdout, new RegExp(`^${kept} `, "m"));
    await wx(["material", "delete", kept, "--yes"]);
    await wx(["media", "upload", "none.png"], { code: 2 });
  });

  test("a message to many: draft, check, preview, and sent only to as many as were expected", async () => {
    for (const person of ["ada", "bob"]) await pair.sim.post("/_sim/send", { as: person, event: { type: "subscribe" } });
    const { openid } = (await pair.sim.get("/_sim/people")).find(({ name }) => name === "ada");
    write("news.json", { name: "news", message: { msgtype: "text", text: { content: "十一月的消息" } }, audience: { all: true } });
    const { id } = await json(["mass", "draft", "news.json"]);
    assert.match((await wx(["mass", "preview", id, "--to", openid], { code: 1 })).stderr, /conflict[^]*wx mass check/);
    const checked = await json(["mass", "check", id]);
    await wx(["mass", "preview", id, "--to", openid]);
    const preview = async () => JSON.stringify(await pair.sim.get("/_sim/inbox?as=ada")).includes("十一月的消息");
    await until(preview, "the preview");
    const heads = checked.heads;
    assert.ok(heads >= 2, JSON.stringify(checked));
    const wrong = await wx(["mass", "send", id, "--yes-send-to", `${heads + 1}`], { code: 1 });
    assert.match(wrong.all, /│ 十一月的消息[^]*nothing was sent/);
    await wx(["mass", "send", id], { code: 1, typed: "y\n" });
    assert.equal(await calls("/cgi-bin/message/mass/sendall"), 0);
    await wx(["mass", "send", id], { typed: `${heads}\n` });
    assert.equal(await calls("/cgi-bin/message/mass/sendall"), 1);
    assert.match((await wx(["mass", "list"])).stdout, new RegExp(`^${id} .*news`, "m"));
    await wx(["mass", "send", id, "--yes-send-to", `${heads}`], { code: 1 });
    assert.equal(await calls("/cgi-bin/message/mass/sendall"), 1);
  });

  test("an unknown outcome says how to send the same again, once", async () => {
    const openids = (await pair.sim.get("/_sim/people")).map(({ openid }) => openid).slice(0, 2);
    write("list.json", { message: { msgtype: "text", text: { content: "perhaps" } }, audience: { openids } });
    const { id } = await json(["mass", "draft", "list.json"]);
    await wx(["mass", "check", id]);
    await pair.sim.post("/_sim/faults", [{ path: "/cgi-bin/message/mass/send", cut: true, times: 1 }]);
    const before = await calls("/cgi-bin/message/mass/send");
    const { stderr } = await wx(["mass", "send", id, "--yes-send-to", "2"], { code: 1 });
    const command = /wx (mass send \S+ --again \S+)/.exec(stderr);
    assert.ok(command, stderr);
    await wx(command[1].split(" "));
    assert.equal(await calls("/cgi-bin/message/mass/send"), before + 2);
    await pair.sim.post("/_sim/faults", []);
  });

  test("rules are added from a file, tried out, and deleted", async () => {
    const rule = (word) => ({ name: word, when: { texts: [{ match: "exact", text: word }] }, reply: { type: "text", text: `you said ${word}` } });
    write("rules.json", [rule("one"), { ...rule("two"), reply: { type: "nonsense" } }]);
    assert.match((await wx(["rules", "add", "rules.json"], { code: 1 })).stderr, /rules\.json:\d+:\d+ {2}\/reply\/type[^]*1 rules before it were added/);
    const { items } = await json(["rules", "list"]);
    assert.equal(items.length, 1);
    const { stdout } = await wx(["rules", "test", "one"]);
    assert.match(stdout, /the rule one[^]*│ you said one/);
    assert.equal((await json(["rules", "test", "two"])).answers, "model");
    await wx(["rules", "delete", items[0].id, "--yes"]);
    assert.match((await wx(["rules", "list"])).stdout, /none/);
  });

  test("people, tags, token, quota, audit, metrics, and any other route", async () => {
    assert.equal((await json(["users", "sync"])).done, true);
    const { items } = await json(["users", "list"]);
    assert.ok(items.length >= 2, JSON.stringify(items));
    assert.match((await wx(["users", "show", items[0].openid])).stdout, /wechat\.subscribe +1/);
    const { tag } = await json(["tags", "create", "readers"]);
    await wx(["tags", "add", `${tag.id}`, items[0].openid]);
    assert.equal((await wx(["tags", "members", `${tag.id}`])).stdout.trim(), items[0].openid);
    assert.match((await wx(["tags", "list"])).stdout, /readers +1/);
    assert.equal((await json(["token", "status"])).access_token.lives, true);
    assert.match((await wx(["token", "status"])).stdout, /access_token\.lives +true/);
    assert.match((await wx(["quota", "/cgi-bin/menu/create"])).stdout, /quota\.daily_limit +\d/);
    assert.deepEqual((await json(["audit"])).items, []);
    assert.ok((await json(["metrics"])).samples.length > 0);
    assert.deepEqual(JSON.parse((await wx(["api", "get", "clients"])).stdout).items, []);
    assert.match((await wx(["api", "POST", "tags", '{"name": ""}'], { code: 1 })).stderr, /BODY:1:10 {2}\/name/);
    assert.equal((await wx(["api", "DELETE", `tags/${tag.id}`, "--json"])).stdout, "null\n");
  });

  test("whose token, to where, and who answers", async () => {
    const wrong = await wx(["token", "status"], { code: 1, env: { ADMIN_TOKEN: "a-wrong-token-that-is-long-enough" } });
    assert.match(wrong.stderr, /unauthorized[^]*not the ADMIN_TOKEN/);
    assert.ok(!wrong.all.includes("a-wrong-token"));
    await wx(["token", "status"], { code: 2, env: { ADMIN_TOKEN: "" } });
    write(".dev.vars", `ADMIN_TOKEN="${ADMIN_TOKEN}"\n`);
    await wx(["token", "status"], { env: { ADMIN_TOKEN: "" } });
    await wx(["token", "status", "--url", "https://wx.example.invalid"], { code: 2, env: { ADMIN_TOKEN: "" } });
    assert.match((await wx(["token", "status", "--url", "http://192.0.2.1"], { code: 2 })).stderr, /not https.*--allow-http/);
    assert.match((await wx(["token", "status", "--url", "http://127.0.0.1:1"], { code: 3 })).stderr, /npm run dev/);
    await wx(["token", "nonsense"], { code: 2 });
    await wx(["token", "status", "--token", "x"], { code: 2 });
    const chinese = await wx(["token", "status"], { code: 2, env: { LANG: "zh_CN.UTF-8", WX_URL: "http://192.0.2.1" } });
    assert.match(chinese.stderr, /不是 https/);
    // Something else is there: the simulator.
    await wx(["token", "status", "--url", pair.sim.url], { code: 1 });
  });
});
