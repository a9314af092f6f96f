// The Mini Program of examples/miniprogram: its own files, on phones for Node, with the Worker and wx-sim.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { Phone } from "./miniprogram/phone.mjs";
import { timesAsked, until } from "./people.mjs";

const SESSION = "wxapi.session";
const CONVERSATION = "chat.conversation";
/** Characters of one, two, three and four bytes, so that pieces of any size cut some. */
const REPLY = "Zoë 问：“天气怎么样？” 答：☀️ 26 °C，很好 🎉🎉。再见！".repeat(6);

describe("the Mini Program", () => {
  const phones = [];
  let world;
  before(async () => (world = await startPair({ vars: { RATE_LIMIT: "23" } })));
  after(async () => {
    for (const phone of phones) phone.close();
    await world.close();
  });

  const model = (rule) => world.sim.post("/_sim/model", [rule]);
  /** A phone with the app open; each person starts with nothing. */
  const phoneOf = async (person, options = {}, url) => {
    const phone = new Phone({ world, person, ...options });
    phones.push(phone);
    await phone.open(url);
    return phone;
  };
  const posts = (phone, path = "/api/chat") => phone.requests.filter((request) => request.method === "POST" && request.path === path);
  const endSession = (phone) =>
    world.stack.fetch("/api/auth/logout", { method: "POST", headers: { "x-wx-session": phone.storage.get(SESSION) } });

  test("opens with examples, logs in once and silently, and shows an answer while it is written", async () => {
    await model({ match: "天气", reply: REPLY, chunk_ms: 15 });
    const phone = await phoneOf("anna", { piece: 5 });
    const { messages, t, canSend } = phone.page.data;
    assert.deepEqual([messages, canSend], [[], false]);
    assert.ok(t.examples.length >= 3 && t.hello);
    phone.say("天气怎么样？");
    assert.equal(phone.last.state, "waiting");
    assert.equal(phone.page.data.busy, true);
    assert.equal(phone.page.data.draft, "");
    await phone.until("done");
    assert.deepEqual(phone.lines, ["user: 天气怎么样？", `assistant: ${REPLY}`]);
    assert.equal(phone.page.data.busy, false);
    const drawn = phone.page.drawn.map((fields) => fields["messages[1].text"]).filter((text) => text !== undefined);
    const distinct = new Set(drawn);
    assert.ok(distinct.size >= 4, `${distinct.size} pictures`);
    for (const text of drawn) assert.ok(REPLY.startsWith(text), text);
    assert.ok(phone.page.drawn.some(({ scrollTop }) => scrollTop > 0), "it scrolls along");
    assert.equal(phone.logins, 0, "the login code is wx-sim's, as config.js says");
    assert.equal(posts(phone, "/api/auth/wx-login").length, 1, "the app and the question log in together");
    assert.equal(await timesAsked(world.sim, "天气怎么样"), 1);
  });

  test("goes on with a conversation, lists it, opens it again after a restart, and begins a new one", async () => {
    await model({ reply: "好的。" });
    const phone = await phoneOf("bo");
    phone.say("第一句");
    await phone.until("done");
    const first = phone.storage.get(CONVERSATION);
    phone.say("第二句");
    await phone.until("done");
    assert.equal(phone.storage.get(CONVERSATION), first);

    await phone.open();
    await phone.see(({ messages }) => messages.length === 4, "what was said before");
    assert.deepEqual(phone.lines, ["user: 第一句", "assistant: 好的。", "user: 第二句", "assistant: 好的。"]);
    phone.tap("newConversation");
    assert.deepEqual(phone.page.data.messages, []);
    phone.say("另一件事");
    await phone.until("done");
    const second = phone.storage.get(CONVERSATION);
    assert.notEqual(second, first);

    await phone.navigate("/pages/history/history");
    await phone.see(({ loading }) => !loading, "list");
    assert.deepEqual(phone.page.data.conversations.map(({ id }) => id), [second, first]);
    assert.match(phone.page.data.conversations[1].title, /第一句/);
    assert.match(phone.page.data.conversations[0].when, /^\d\d:\d\d$/);
    phone.tap("open", { id: first });
    await phone.see(({ messages }) => messages?.length === 4, "the first conversation");

    await phone.navigate("/pages/history/history");
    await phone.see(({ loading }) => !loading, "list");
    phone.agrees = false;
    await phone.tap("remove", { id: first, title: "第一句" });
    assert.equal(phone.page.data.conversations.length, 2, "who says no deletes nothing");
    phone.agrees = true;
    await phone.tap("remove", { id: first, title: "第一句" });
    assert.deepEqual(phone.page.data.conversations.map(({ id }) => id), [second]);
    assert.match(phone.modals.at(-1).title, /第一句/);
    phone.back();
    assert.deepEqual(phone.page.data.messages, [], "the chat does not show what was deleted");

    await phone.navigate("/pages/history/history");
    await phone.see(({ loading }) => !loading, "list");
    await phone.tap("clear");
    await phone.page.onPullDownRefresh();
    assert.deepEqual([phone.page.data.conversations, phone.refreshed], [[], true]);
  });

  test("an ended session: a silent login, and the question arrives", async () => {
    await model({ reply: "在。" });
    const phone = await phoneOf("chen");
    phone.say("在吗");
    await phone.until("done");
    const before = phone.storage.get(SESSION);
    assert.equal((await endSession(phone)).status, 200);
    phone.say("还在吗");
    await phone.until("done");
    assert.equal(phone.last.text, "在。");
    assert.notEqual(phone.storage.get(SESSION), before);
    assert.equal(posts(phone, "/api/auth/wx-login").length, 2);
    assert.equal(await timesAsked(world.sim, "还在吗"), 1);
  });

  test("several calls with an ended session: one login for all", async () => {
    const phone = await phoneOf("cleo");
    const { api } = phone.app;
    await api.session();
    await endSession(phone);
    const lists = await Promise.all([api.conversations(), api.conversations(), api.exportData()]);
    assert.equal(lists.length, 3);
    assert.equal(posts(phone, "/api/auth/wx-login").length, 2);
  });

  test("WeChat's own login code, where no simulator is set", async () => {
    const phone = await phoneOf("dora", { config: { simulator: null } });
    await phone.app.api.session();
    assert.equal(phone.logins, 1);
    assert.ok(phone.storage.get(SESSION));
  });

  test("many conversations come page by page; too fast: it says for how many seconds, and counts them", async () => {
    await model({ reply: "嗯" });
    const phone = await phoneOf("emil");
    for (let n = 1; n <= 23; n++) await phone.app.api.chat({ message: `第 ${n} 个`, conversationId: "new" }).answer;
    await phone.navigate("/pages/history/history");
    await phone.see(({ loading }) => !loading, "list");
    assert.equal(phone.page.data.conversations.length, 20);
    await phone.page.onReachBottom();
    const { conversations } = phone.page.data;
    assert.equal(new Set(conversations.map(({ id }) => id)).size, 23);
    assert.deepEqual(conversations.map(({ title }) => Number(/\d+/.exec(title)[0])), Array.from({ length: 23 }, (_, n) => 23 - n));
    await phone.page.onReachBottom();
    assert.equal(phone.page.data.conversations.length, 23);

    phone.tap("newConversation");
    await phone.see(({ messages }) => messages?.length === 0, "empty chat");
    phone.say("再来一句");
    const { error, retryIn, retryText } = await phone.until("failed");
    assert.equal(error, "发得太快了");
    assert.ok(retryIn > 0 && retryIn <= 60, `${retryIn}`);
    assert.match(retryText, new RegExp(`^${retryIn} 秒`));
    await phone.see(() => phone.last.retryIn === retryIn - 1, "countdown");
    assert.match(phone.last.retryText, new RegExp(`^${retryIn - 1} 秒`));
  });

  test("somebody whom WeChat thinks dangerous: no login, and it says so", async () => {
    const phone = await phoneOf("erik", { config: { simulator: null }, risky: true });
    phone.say("你好");
    const { error } = await phone.until("failed");
    assert.equal(error, "暂时无法登录");
    assert.equal(posts(phone).length, 0);
  });

  for (const [how, trouble, resumes] of [
    ["cut before the first word", { cutAfter: 1 }, false],
    ["cut early", { cutAfter: 600 }, true],
    ["cut in the middle", { cutAfter: 2_000 }, true],
    ["silent from the middle on, as on some iPhones", { silentAfter: 2_000 }, true],
    ["lost before anything of it came", { lost: true }, false],
  ]) {
    test(`a connection that is ${how}: the whole answer once`, async () => {
      const words = `断线 ${how}`;
      await model({ match: words, reply: REPLY, chunk_ms: 15 });
      const phone = await phoneOf(`fei ${how}`, { hurry: trouble.silentAfter ? 20 : 1 });
      phone.spoil(trouble);
      phone.say(words);
      await phone.until("done");
      assert.equal(phone.last.text, REPLY);
      const drawn = phone.page.drawn.map((fields) => fields["messages[1].text"]).filter((text) => text !== undefined);
      for (const text of drawn) assert.ok(REPLY.startsWith(text), text);
      assert.equal(await timesAsked(world.sim, words), 1);
      const [, second, ...more] = phone.requests.filter(({ path }) => path.startsWith("/api/chat"));
      assert.deepEqual([second.method, Boolean(second.header["last-event-id"]), more.length], resumes ? ["GET", true, 0] : ["POST", false, 0]);
    });
  }

  test("another app in front: the answer goes on when one comes back", async () => {
    await model({ match: "后台", reply: REPLY, chunk_ms: 30 });
    const phone = await phoneOf("gao");
    phone.trouble = ({ path }) => path.startsWith("/api/chat") && { cutAfter: 700 };
    phone.say("后台");
    await phone.until("resuming");
    phone.hide();
    const { length } = phone.requests;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.equal(phone.requests.length, length, "nothing is tried in the background");
    phone.trouble = () => undefined;
    phone.show();
    await phone.until("done");
    assert.equal(phone.last.text, REPLY);
    assert.equal(await timesAsked(world.sim, "后台"), 1);
  });

  test("a late answer: the app was closed, and finds it when it is opened again", async () => {
    await model({ match: "慢慢", reply: REPLY, delay_ms: 1_500, chunk_ms: 20 });
    const phone = await phoneOf("hana");
    phone.say("慢慢来");
    await phone.see(() => phone.storage.get(CONVERSATION), "beginning");
    await phone.open();
    await phone.until("waiting", "writing", "done");
    await phone.until("done");
    assert.deepEqual(phone.lines, ["user: 慢慢来", `assistant: ${REPLY}`]);
    assert.equal(await timesAsked(world.sim, "慢慢来"), 1);
  });

  test("a phone that cannot stream: the whole answer, and looks at growing intervals for one that is late", async () => {
    await model({ match: "老手机", reply: REPLY, delay_ms: 2_500 });
    const phone = await phoneOf("ivan", { streams: false });
    phone.say("老手机");
    await until(async () => (await timesAsked(world.sim, "老手机")) === 1, "the question");
    const { conversations } = await phone.app.api.conversations();
    assert.equal(conversations[0].status, "pending");
    await phone.open(`/pages/chat/chat?conversation=${conversations[0].id}`);
    await phone.until("done");
    assert.deepEqual(phone.lines, ["user: 老手机", `assistant: ${REPLY}`]);
    const looks = phone.requests.filter(({ method, path }) => method === "GET" && path.startsWith("/api/chat/"));
    assert.ok(looks.length >= 2 && looks.length <= 4, `${looks.length} looks`);
    assert.equal(looks.at(-2).status, 202);
    assert.ok(phone.requests.every(({ enableChunked }) => !enableChunked));
    await model({ match: "老手机", reply: REPLY });
    phone.say("老手机还好吗");
    await phone.until("done");
    assert.equal(phone.last.text, REPLY);
  });

  test("a computer that gives all chunks at the end, and no status", async () => {
    await model({ match: "电脑", reply: REPLY });
    const phone = await phoneOf("jun");
    await phone.app.api.session();
    phone.trouble = () => ({ atEnd: true });
    phone.say("电脑");
    await phone.until("done");
    assert.equal(phone.last.text, REPLY);
    await endSession(phone);
    phone.say("电脑二");
    await phone.until("done");
    assert.equal(phone.last.text, REPLY);
    assert.equal(await timesAsked(world.sim, "电脑"), 2);
  });

  test("no network: a button to try again, and one question only", async () => {
    await model({ match: "没网", reply: "有网了。" });
    const phone = await phoneOf("kim", { hurry: 20 });
    phone.network(false);
    phone.say("没网");
    const { error, retryable } = await phone.until("failed");
    assert.deepEqual([error, retryable], ["网络不可用，没有发出去", true]);
    phone.network(true);
    // The question arrives, but no answer to it gets through, until the phone gives up.
    phone.trouble = ({ path }) => {
      if (path !== "/api/chat") return undefined;
      phone.trouble = () => ({ fail: true });
      return { lost: true };
    };
    phone.tap("retry", { index: 1 });
    await phone.until("resuming");
    await phone.until("failed");
    phone.trouble = () => undefined;
    phone.tap("retry", { index: 1 });
    await phone.until("done");
    assert.deepEqual(phone.lines, ["user: 没网", "assistant: 有网了。"]);
    const names = posts(phone).map(({ data }) => data.message_id);
    assert.ok(names.length >= 3, `${names.length} tries`);
    assert.equal(new Set(names).size, 1);
    assert.equal(await timesAsked(world.sim, "没网"), 1);
  });

  test("a question that could not be sent is still there when the app is opened again", async () => {
    await model({ match: "明天再说", reply: "早。" });
    const phone = await phoneOf("kurt");
    phone.network(false);
    phone.say("明天再说");
    await phone.until("failed");
    await phone.open();
    await phone.until("failed");
    assert.deepEqual(phone.lines, ["user: 明天再说", "assistant: "]);
    phone.network(true);
    phone.tap("retry", { index: 1 });
    await phone.until("done");
    assert.deepEqual(phone.lines, ["user: 明天再说", "assistant: 早。"]);
    await phone.open();
    await phone.see(({ messages }) => messages.length === 2, "the conversation");
    assert.equal(await timesAsked(world.sim, "明天再说"), 1);

    // It belongs to this conversation and to no other one.
    const here = phone.storage.get(CONVERSATION);
    const { conversationId: other } = await phone.app.api.chat({ message: "别处", conversationId: "new" }).answer;
    phone.network(false);
    phone.say("还有一句");
    await phone.until("failed");
    phone.network(true);
    await phone.open(`/pages/chat/chat?conversation=${other}`);
    await phone.see(({ messages }) => messages.length === 2, "the other conversation");
    await phone.open(`/pages/chat/chat?conversation=${here}`);
    await phone.see(({ messages }) => messages.length === 4, "what was not sent");
    assert.equal(phone.last.state, "failed");
  });

  test("a Worker out of reach: tried again at growing intervals, until the network is back", async () => {
    await model({ match: "连不上", reply: "连上了。" });
    const phone = await phoneOf("lara");
    await phone.app.api.session();
    phone.trouble = () => ({ fail: true });
    phone.say("连不上");
    await until(() => posts(phone).length === 3, "the third try");
    assert.equal(phone.last.state, "resuming");
    phone.trouble = () => undefined;
    phone.network(true);
    await phone.until("done");
    assert.equal(phone.last.text, "连上了。");
    assert.equal(await timesAsked(world.sim, "连不上"), 1);
  });

  test("a model that fails: it says so, and the same question can be asked again", async () => {
    await model({ match: "坏了", fail: "always" });
    const phone = await phoneOf("mona");
    phone.say("坏了");
    const { error } = await phone.until("failed");
    assert.equal(error, "没有得到回答");
    const [{ data: first }] = posts(phone);

    await phone.open();
    await phone.until("failed");
    assert.equal(phone.last.error, "没有得到回答");
    await model({ match: "坏了", reply: "好了。" });
    phone.tap("retry", { index: 1 });
    await phone.until("done");
    assert.deepEqual(phone.lines, ["user: 坏了", "assistant: 好了。"]);
    assert.equal(posts(phone).at(-1).data.message_id, first.message_id);
    await phone.open();
    await phone.see(({ messages }) => messages.length === 2, "one question with its answer");
  });

  test("the Worker dies in the middle of an answer: it comes all the same, once", { timeout: 120_000 }, async () => {
    await model({ match: "断电", reply: REPLY, chunk_ms: 40 });
    const phone = await phoneOf("nora");
    phone.say("断电");
    await phone.see(() => phone.last.text.length > 10, "words");
    await world.stack.kill();
    await world.stack.restart();
    await phone.see(() => phone.last.state === "done", "answer", 90);
    assert.deepEqual(phone.lines, ["user: 断电", `assistant: ${REPLY}`]);
    await phone.open();
    await phone.see(({ messages }) => messages.length === 2, "the conversation");
    assert.equal(phone.last.text, REPLY);
  });

  test("stop: what was there stays, nothing more comes, and the next question works", async () => {
    await model({ match: "说个不停", reply: REPLY, chunk_ms: 40 });
    const phone = await phoneOf("nils");
    phone.say("说个不停");
    await phone.see(() => phone.last.text.length > 10, "words");
    phone.tap("stop");
    const { text } = await phone.until("stopped");
    assert.ok(text.length > 10 && text.length < REPLY.length && REPLY.startsWith(text), text);
    assert.equal(posts(phone)[0].aborted, true);
    assert.equal(phone.page.data.busy, false);
    await model({ match: "下一句", reply: "好。" });
    phone.say("下一句");
    await phone.until("done");
    assert.equal(phone.page.data.messages[1].text, text);
    assert.equal(phone.last.text, "好。");
    // The Worker has written it to its end.
    const wholeOne = async () => (await phone.app.api.conversation(phone.storage.get(CONVERSATION))).messages.map(({ content }) => content);
    await until(async () => (await wholeOne()).includes(REPLY), "the whole answer");
  });

  test("a conversation that was deleted elsewhere: trying again begins another one", async () => {
    await model({ reply: "好的。" });
    const phone = await phoneOf("olga");
    phone.say("一");
    await phone.until("done");
    const gone = phone.storage.get(CONVERSATION);
    await phone.app.api.deleteConversation(gone);
    phone.say("二");
    const { error } = await phone.until("failed");
    assert.match(error, /已被删除/);
    phone.tap("retry", { index: 3 });
    await phone.until("done");
    assert.notEqual(phone.storage.get(CONVERSATION), gone);
    await phone.open(`/pages/chat/chat?conversation=${gone}`);
    await phone.see(({ loading, messages }) => !loading && messages.length === 0, "empty chat");
  });

  test("by WebSocket: the same, also over a broken connection and an ended session", async () => {
    await model({ match: "套接字", reply: REPLY, chunk_ms: 15 });
    const phone = await phoneOf("pavel", { config: { socket: true } });
    let sockets = 0;
    phone.trouble = ({ method }) => (method === "SOCKET" && ++sockets === 1 ? { dropAfter: 12 } : undefined);
    phone.say("套接字一");
    await phone.until("done");
    assert.equal(phone.last.text, REPLY);
    assert.equal(phone.sockets.length, 2);
    assert.match(phone.sockets[1].sent[0], /"resume".*"last_event_id":"[^"]+"/);
    await endSession(phone);
    phone.tap("newConversation");
    phone.say("套接字二");
    await phone.until("done");
    assert.equal(phone.last.text, REPLY);
    assert.equal(posts(phone, "/api/auth/wx-login").length, 2);
    assert.equal(posts(phone).length, 0);
    assert.equal(await timesAsked(world.sim, "套接字一"), 1);
    assert.equal(await timesAsked(world.sim, "套接字二"), 1);
  });

  test("export, log out, forget me", async () => {
    await model({ reply: "记住了。" });
    const phone = await phoneOf("quinn");
    phone.say("记住我");
    await phone.until("done");
    await phone.navigate("/pages/me/me");
    await phone.see(({ service, loggedIn }) => service === "正常" && loggedIn, "status");
    await phone.tap("exportData");
    const [[name, text]] = phone.files;
    assert.deepEqual(phone.shared, [name]);
    assert.match(text, /记住我/);

    await phone.tap("logout");
    await phone.see(({ messages }) => messages?.length === 0, "empty chat");
    assert.equal(phone.storage.has(CONVERSATION), false);
    await phone.see(() => phone.toasts.includes("已退出登录"), "words");
    assert.equal((await phone.app.api.conversations()).conversations.length, 1, "who comes back finds it");

    await phone.navigate("/pages/me/me");
    phone.agrees = false;
    await phone.tap("forgetMe");
    assert.equal((await phone.app.api.conversations()).conversations.length, 1, "who says no keeps it");
    phone.agrees = true;
    await phone.tap("forgetMe");
    await phone.see(({ messages }) => messages?.length === 0, "empty chat");
    await phone.see(() => phone.toasts.includes("已全部清除"), "words");
    assert.equal(phone.storage.size, 0);
    assert.match(phone.modals.at(-1).content, /无法恢复/);
    assert.deepEqual((await phone.app.api.conversations()).conversations, []);
  });

  test("the phone number, and a subscribe message to oneself", async () => {
    const template = { kind: "mini_subscribe", template_id: "answer-ready", title: "回答提醒", content: "内容：{{thing1.DATA}}" };
    await world.sim.post("/_sim/template", template);
    const subscribe = { templateId: "answer-ready", data: { thing1: { value: "回答好了" } } };
    const phone = await phoneOf("rui", { config: { phoneNumber: true, subscribe } }, "/pages/me/me");
    const { offersPhone, offersSubscribe } = phone.page.data;
    assert.deepEqual([offersPhone, offersSubscribe], [true, true]);

    await phone.tap("linkPhone", {}, { errMsg: "getPhoneNumber:fail user deny" });
    assert.equal(phone.page.data.phone, "");
    const { code } = await world.sim.post("/_sim/phone_code", { as: "rui" });
    await phone.tap("linkPhone", {}, { code, errMsg: "getPhoneNumber:ok" });
    assert.match(phone.page.data.phone, /^手机号：1\d\d\*{4}\d\d$/);

    phone.agrees = false;
    await phone.tap("subscribe");
    phone.agrees = true;
    await phone.tap("subscribe");
    assert.deepEqual(phone.toasts, ["没有订阅", "已订阅"]);
    const { messages } = await world.sim.get("/_sim/inbox?as=rui&wait_ms=5000");
    assert.equal(messages.length, 1);
    assert.match(JSON.stringify(messages[0].shown), /回答好了/);
  });

  test("in English where WeChat is; a long press copies", async () => {
    await model({ reply: "Fine." });
    const phone = await phoneOf("rosa", { language: "en" });
    assert.equal(phone.title, "AI assistant");
    phone.tap("askExample", { text: phone.page.data.t.examples[0] });
    await phone.until("done");
    phone.tap("copy", { index: 1 });
    await phone.see(() => phone.clipboard, "copy");
    assert.equal(phone.clipboard, "Fine.");
    assert.deepEqual(phone.sheets.at(-1), ["Copy"]);
  });
});
