// One person, one conversation: in the Official Account's chat and in the Mini Program, on the built Worker.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { act, say, see, until } from "./people.mjs";

/** Somebody's Mini Program. */
class Phone {
  constructor({ stack, sim }, name) {
    Object.assign(this, { stack, sim, name });
  }

  async logIn() {
    const { code } = await this.sim.post("/_sim/login_code", { as: this.name });
    const { status, body } = await this.call("POST", "auth/wx-login", { code });
    assert.equal(status, 200, JSON.stringify(body));
    this.session = body.sessionKey;
    return this;
  }

  async call(method, target, body) {
    const headers = { "content-type": "application/json", ...(this.session && { "x-wx-session": this.session }) };
    const response = await this.stack.fetch(`/api/${target}`, { method, headers, body: body && JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  }

  async chat(message) {
    const { status, body } = await this.call("POST", "chat", { message, conversation_id: null });
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }

  /** What was asked where, in all conversations, the latest conversation first. */
  async asked() {
    const { body } = await this.call("GET", "conversations");
    const all = [];
    for (const { id } of body.conversations) {
      const { messages } = (await this.call("GET", `conversations/${id}`)).body;
      all.push(messages.filter(({ role }) => role === "user").map(({ content, source = "app" }) => `${content} (${source})`));
    }
    return all;
  }
}

/** What the model was told before `question`, when it was asked that last. */
async function told(sim, question) {
  const { calls } = await sim.get("/_sim/model");
  const { messages } = calls.findLast((call) => call.question === question);
  return messages.slice(1, -1).filter(({ role }) => role === "user").map(({ content }) => content);
}

/** The conversation in the account's chat and the one in the Mini Program are known to be one person's. */
const linked = (phone) =>
  until(async () => (await phone.call("GET", "export")).body.official_account_openid, "the two have found each other");

async function start(t) {
  const pair = await startPair({ vars: { LANG: "en", ACCOUNT_TYPE: "service_verified", ADMIN_TOKEN: "an-admin-token-that-is-long" } });
  t.after(pair.close);
  return pair;
}

test("whoever goes from one window to the other goes on with the conversation", { timeout: 120_000 }, async (t) => {
  const pair = await start(t);
  const { stack, sim } = pair;

  // First in the chat, then in the Mini Program.
  await see(sim, "anna", "What is a spruce?", 1, /spruce/);
  const anna = await new Phone(pair, "anna").logIn();
  await linked(anna);
  await until(async () => (await anna.asked()).length === 1, "what was said before came along");
  await anna.chat("And a fir?");
  assert.deepEqual(await told(sim, "And a fir?"), ["What is a spruce?"]);
  await see(sim, "anna", "Which is taller?", 1, /taller/);
  assert.deepEqual(await told(sim, "Which is taller?"), ["What is a spruce?", "And a fir?"]);
  const all = ["What is a spruce? (official_account)", "And a fir? (app)", "Which is taller? (official_account)"];
  await until(async () => (await anna.asked())[0].length === 3, "the Mini Program shows all");
  assert.deepEqual(await anna.asked(), [all]);
  await say(sim, "anna", "/new");
  await see(sim, "anna", "And a yew?", 1, /yew/);
  assert.deepEqual(await told(sim, "And a yew?"), []);
  await until(async () => (await anna.asked()).length === 2, "a new conversation there too");

  // First in the Mini Program, then in the chat.
  const ben = await new Phone(pair, "ben").logIn();
  await ben.chat("What is an oak?");
  await see(sim, "ben", "hello", 1, /hello/);
  await linked(ben);
  await see(sim, "ben", "And a beech?", 1, /beech/);
  assert.deepEqual((await told(sim, "And a beech?")).toSorted(), ["What is an oak?", "hello"].toSorted());
  await until(async () => (await ben.asked())[0].length === 3, "the Mini Program shows all");

  const lines = stack.logs.map(({ message }) => message).join("\n");
  for (const secret of ["spruce", "beech", (await sim.post("/_sim/login_code", { as: "anna" })).openid]) {
    assert.ok(!lines.includes(secret), `${secret} in the log`);
  }
});

test("a power cut between the answer and its way to the Mini Program loses nothing", { timeout: 120_000 }, async (t) => {
  const pair = await start(t);
  const { stack, sim } = pair;
  await say(sim, "anna", "hello");
  const anna = await new Phone(pair, "anna").logIn();
  await linked(anna);
  await see(sim, "anna", "What is a spruce?", 1, /spruce/);
  await stack.kill();
  await stack.restart();
  await see(sim, "anna", "And a fir?", 1, /fir/);
  assert.deepEqual((await told(sim, "And a fir?")).at(-1), "What is a spruce?");
  await until(async () => (await anna.asked())[0].length === 3, "the Mini Program shows all, once");
});

test("whoever wants to be forgotten in one window is forgotten in the other", { timeout: 120_000 }, async (t) => {
  const pair = await start(t);
  const { sim } = pair;
  const people = [];
  for (const name of ["anna", "ben", "carl"]) {
    await say(sim, name, "hello");
    const phone = await new Phone(pair, name).logIn();
    await linked(phone);
    await phone.chat("What is a spruce?");
    people.push(phone);
  }
  const [anna, ben, carl] = people;
  await say(sim, "anna", "/forget");
  await until(async () => (await anna.call("GET", "conversations")).status === 401, "anna's sessions are gone");

  assert.equal((await ben.call("POST", "forget-me")).status, 200);
  await until(async () => /Turns remembered: 0/.test((await say(sim, "ben", "/status")).text), "ben's conversation is gone");
  await see(sim, "ben", "And a fir?", 1, /fir/);
  assert.deepEqual(await told(sim, "And a fir?"), []);

  // Who only leaves the account keeps what they have in the Mini Program.
  await act(sim, "carl", { event: { type: "unsubscribe" } });
  await until(async () => (await carl.call("GET", "export")).body.official_account_openid === null, "carl is unlinked");
  assert.deepEqual((await carl.asked()).flat().at(-1), "What is a spruce? (app)");
});
