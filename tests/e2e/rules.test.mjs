// Keyword rules on the built Worker: made by /admin, answered before the model, kept over a power cut.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { act, say, see, timesAsked } from "./people.mjs";

const ADMIN_TOKEN = "rules-test-admin-token-0123456789";
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

describe("rules", () => {
  let pair;
  before(async () => (pair = await startPair({ vars: { LANG: "en", ADMIN_TOKEN } })));
  after(() => pair.close());

  async function admin(method, path, body) {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
    const response = await pair.stack.fetch(path, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, etag: response.headers.get("etag"), body: text && JSON.parse(text) };
  }

  test("a rule made by /admin answers in the chat before the model", async () => {
    const rule = {
      name: "price",
      when: { texts: [{ match: "regex", text: "price of (\\w+)" }], events: [{ event: "click", key: "prices" }] },
      reply: { type: "text", text: "{1}: 10 yuan" },
    };
    const made = await admin("POST", "/admin/rules", rule);
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.equal(made.etag, '"1"');
    await see(pair.sim, "buyer", "what is the PRICE of tea", 1, /^tea: 10 yuan$/);
    assert.equal(await timesAsked(pair.sim, "PRICE of tea"), 0);
    await see(pair.sim, "buyer", "and of nothing", 1, /and of nothing/);
    assert.equal(await timesAsked(pair.sim, "and of nothing"), 1);
    const wrong = await admin("POST", "/admin/rules", { when: { texts: [{ match: "regex", text: "(" }] }, reply: {} });
    assert.deepEqual([wrong.status, wrong.body.errors.map(({ pointer }) => pointer)], [422, ["/when/texts/0/text", "/reply/type"]]);
  });

  test("WeChat's own automatic replies become rules", async () => {
    await pair.sim.post("/_sim/auto_replies", {
      is_add_friend_reply_open: 1,
      is_autoreply_open: 1,
      add_friend_autoreply_info: { type: "text", content: "Thanks for following" },
      keyword_autoreply_info: {
        list: [
          {
            rule_name: "hours",
            keyword_list_info: [{ type: "text", match_mode: "contain", content: "opening hours" }],
            reply_list_info: [{ type: "text", content: "Nine to five" }],
          },
          {
            rule_name: "film",
            keyword_list_info: [{ type: "text", match_mode: "equal", content: "film" }],
            reply_list_info: [{ type: "video", content: "http://127.0.0.1/film.mp4" }],
          },
        ],
      },
    });
    const { status, body } = await admin("POST", "/admin/rules/import");
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual([body.imported.map(({ name }) => name), body.welcome], [["hours"], true]);
    assert.ok(body.skipped.some(({ what, reason }) => what === "film" && /media_id/.test(reason)), JSON.stringify(body.skipped));
    await see(pair.sim, "buyer", "Opening hours?", 1, /^Nine to five$/);
    const followed = await act(pair.sim, "newcomer", { event: { type: "subscribe" } });
    assert.equal(followed.text, "Thanks for following");
  });

  test("a conversation goes to a person, and /new brings it back", async () => {
    const when = { texts: [{ match: "exact", text: "人工" }] };
    assert.equal((await admin("POST", "/admin/rules", { name: "human", when, reply: { type: "hand_over" } })).status, 201);
    for (const words of ["人工", "is anybody there"]) {
      assert.equal((await say(pair.sim, "worried", words)).shown[0].type, "transfer");
    }
    assert.equal(await timesAsked(pair.sim, "is anybody there"), 0);
    await see(pair.sim, "worried", "/new", 1, /fresh start/);
    await see(pair.sim, "worried", "hello again", 1, /hello again/);
  });

  test("echo and image exchange are ready, and stay over kill -9", { timeout: 120_000 }, async () => {
    for (const name of ["image-exchange", "echo"]) {
      assert.equal((await admin("POST", `/admin/rules/examples/${name}`)).status, 201);
    }
    const check = async (words) => {
      await see(pair.sim, "parrot", words, 1, new RegExp(`^${words}$`));
      await see(pair.sim, "parrot", "price of milk", 1, /^milk: 10 yuan$/);
      const { shown } = await act(pair.sim, "parrot", { image: PIXEL });
      assert.equal(shown[0].type, "image");
      assert.equal(await timesAsked(pair.sim, words), 0);
    };
    await check("hello parrot");
    await pair.stack.kill();
    await pair.stack.restart();
    await check("still there");
  });
});
