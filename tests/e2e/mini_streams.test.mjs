// The Mini Program's answers as they come: server-sent events and WebSockets in workerd, with a model that writes when it is
// told to. What is told here could all be seen by a Mini Program.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { bundleWith } from "./bundle.mjs";
import { MiniUser, shown, startWriter } from "./mini.mjs";
import { until } from "./people.mjs";

/** A Worker whose model is a writer. */
async function startWriting(options = {}) {
  const writer = await startWriter();
  const vars = { LANG: "en", AI_BASE_URL: writer.url, AI_MODEL: "writer" };
  const pair = await startPair({ vars, ...options });
  const close = async () => {
    writer.close();
    await pair.close();
  };
  return { ...pair, writer, close };
}

/** A bundle that says when a user's object comes to life, and when it finds that the reader of a stream is gone. */
function talkative() {
  const made = /constructor\(([\w$]+),[\w$]+\)\{(?=(?:(?!constructor).)*?miniuserobject_new)/;
  const left = /return (?=([\w$]+)\.leave=)/;
  return bundleWith(
    [made, `console.log("made: "+ARGUMENT.id.name);`],
    [left, `ARGUMENT.writer.closed.catch(()=>console.log("a reader is gone")),`],
  );
}

describe("answers as they come", { concurrency: true }, () => {
  let world;
  before(async () => (world = await startWriting({ build: talkative() })));
  after(() => world.close());

  const user = (name) => new MiniUser(world, name).logIn();

  test("the first words pass while the model still writes", async () => {
    const anna = await user("first words");
    const events = await anna.say("tell me about spruces");
    const { data } = await events.upTo("begin");
    const call = await world.writer.asked("about spruces");
    assert.equal(events.headers.get("content-type"), "text/event-stream; charset=utf-8");
    assert.equal(events.headers.get("cache-control"), "no-store");
    assert.equal(events.headers.get("x-accel-buffering"), "no");
    call.write("A spruce ");
    assert.deepEqual((await events.next()).data, { type: "delta", conversation_id: data.conversation_id, delta: "A spruce" });
    call.write("is a tree.");
    assert.equal((await events.next()).data.delta, " is a tree.");
    call.end(7);
    const rest = await events.rest();
    assert.deepEqual(rest.at(-1).data, {
      type: "done",
      conversation_id: data.conversation_id,
      reply: "A spruce is a tree.",
      tokens_used: 7,
    });
  });

  test("no character is cut, however the model's bytes come", async () => {
    const anna = await user("characters");
    const events = await anna.say("tell me about 云杉");
    const call = await world.writer.asked("云杉");
    const answer = "云杉🌲是一种常绿树👩‍👩‍👧，很高。";
    await events.upTo("begin");
    for (const [index, character] of [...answer].entries()) {
      await call.writeInTwo(character, 1 + (index % 2));
      if (index % 4 === 0) assert.ok(answer.startsWith(await events.next().then(() => events.shown)));
    }
    call.end();
    const seen = await events.rest();
    assert.equal(seen.at(-1).data.reply, answer);
    assert.equal(events.shown, answer);
  });

  test("whoever hangs up finds the answer later, and the model is asked once", async () => {
    const anna = await user("hangs up");
    const events = await anna.say("tell me about larches");
    const call = await world.writer.asked("about larches");
    const { conversation_id: id } = (await events.upTo("begin")).data;
    call.write("A larch sheds");
    const seen = await events.next();
    events.leave();
    // The next words find nobody there; that is no reason to stop.
    let words = "A larch sheds";
    await until(() => {
      call.write(" and sheds");
      words += " and sheds";
      return world.stack.logs.some(({ message }) => message === "a reader is gone");
    }, "that nobody reads was noticed");
    const early = await anna.api("GET", `chat/${id}`);
    assert.deepEqual([early.status, early.body], [202, { status: "pending", conversation_id: id }]);

    // They come back on another connection: what they saw is not told again.
    const again = await anna.resume(id, seen.id);
    await again.upTo("begin");
    call.write(" in autumn.");
    call.end(11);
    await again.rest();
    const back = [seen, ...again.seen];
    assert.ok(back.every(({ event }) => event !== "replace"), JSON.stringify(back));
    assert.equal(shown(back.map(({ data }) => data)), `${words} in autumn.`);

    const late = await anna.api("GET", `chat/${id}`);
    const reply = { reply: `${words} in autumn.`, conversation_id: id, tokens_used: 11 };
    assert.deepEqual([late.status, late.body], [200, reply]);
    const over = await (await anna.resume(id, seen.id)).rest();
    assert.deepEqual(over.map(({ data }) => data), [{ type: "done", ...reply }]);
    assert.equal(world.writer.calls.filter(({ question }) => question.includes("larches")).length, 1);
  });

  test("somebody who waits for the whole answer and two who read along get the same one", async () => {
    const anna = await user("three listeners");
    const first = await anna.say("tell me about yews", null, { message_id: "yew-1" });
    const call = await world.writer.asked("about yews");
    call.write("A yew ");
    assert.equal((await first.upTo("delta")).data.delta, "A yew");
    const [whole, second] = [anna.chat("tell me about yews", null, { message_id: "yew-1" }), await anna.say("tell me about yews", null, { message_id: "yew-1" })];
    await second.upTo("delta");
    call.write("lives long.");
    call.end();
    await Promise.all([first.rest(), second.rest()]);
    assert.equal((await whole).body.reply, "A yew lives long.");
    assert.deepEqual([first.shown, second.shown], ["A yew lives long.", "A yew lives long."]);
    assert.equal(world.writer.calls.filter(({ question }) => question.includes("yews")).length, 1);
  });

  test("a model that breaks off is asked again, and what was shown is replaced", async () => {
    const anna = await user("breaks off");
    const events = await anna.say("tell me about pines");
    const call = await world.writer.asked("about pines");
    call.write("A pine is a bush");
    await events.upTo("delta");
    call.cut();
    const again = await world.writer.asked("about pines", 2);
    again.write("<think>They saw");
    again.write(" something wrong.</think>A pine is a tree.");
    again.end();
    await events.rest();
    assert.equal(events.shown, "A pine is a tree.");
    assert.deepEqual(events.seen.map(({ event }) => event).filter((event) => event !== "delta"), ["begin", "replace", "done"]);
  });

  test("nothing is heard for a while but a beat", { timeout: 60_000 }, async () => {
    const anna = await user("beats");
    const response = await world.stack.fetch("/api/chat", {
      method: "POST",
      headers: { accept: "text/event-stream", "x-wx-session": anna.session },
      body: JSON.stringify({ message: "think for long about elms" }),
    });
    const pieces = response.body.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    assert.match((await pieces.next()).value, /^id: .*\nevent: begin\n/);
    assert.equal((await pieces.next()).value, ":\n\n");
    const call = await world.writer.asked("about elms");
    call.write("Elms.");
    call.end();
    assert.match((await pieces.next()).value, /"Elms/);
  });

  test("with nobody but an idle WebSocket, an object is put to sleep, and knows the session when it wakes", { timeout: 90_000 }, async () => {
    const anna = await user("sleeps");
    const wire = await anna.socket();
    const ask = async (words) => {
      wire.send({ type: "chat", message: words, conversation_id: "new" });
      const call = await world.writer.asked(words);
      call.write(`About ${words}.`);
      call.end();
      await wire.hears(({ reply }) => reply === `About ${words}.`, `the answer about ${words}`);
    };
    await ask("hedgehogs");
    const made = () => world.stack.logs.filter(({ message }) => message === `made: ${anna.session.split(".")[0]}`).length;
    assert.equal(made(), 1);
    await until(async () => {
      // workerd takes ten seconds to be sure that nothing goes on.
      await new Promise((resolve) => setTimeout(resolve, 12_000));
      await ask(`dormice after ${made()} lives, ${Date.now()}`);
      return made() > 1;
    }, "the sleep of the object");
    assert.equal(wire.closed, undefined);
  });

  test("a conversation by WebSocket, with a resumed answer", async () => {
    const anna = await user("by socket");
    const wire = await anna.socket();
    wire.send("ping");
    await wire.hears((message) => message === "pong", "the pong");
    wire.send({ type: "chat", message: "tell me about oaks", conversation_id: null, message_id: "oak" });
    const begin = await wire.hears(({ type }) => type === "begin", "the beginning");
    assert.equal(begin.message_id, "oak");
    const call = await world.writer.asked("about oaks");
    call.write("An oak 🌳");
    const seen = await wire.hears(({ type }) => type === "delta", "the first words");
    wire.leave();
    await until(() => wire.closed, "the end of the connection");

    const again = await anna.socket();
    again.send({ type: "resume", conversation_id: begin.conversation_id, last_event_id: seen.id });
    await again.hears(({ type }) => type === "begin", "the beginning again");
    call.write(" carries acorns.");
    call.end(5);
    const done = await again.hears(({ type }) => type === "done", "the end");
    assert.deepEqual({ ...done, id: "" }, {
      type: "done",
      conversation_id: begin.conversation_id,
      reply: "An oak 🌳 carries acorns.",
      tokens_used: 5,
      id: "",
    });
    assert.equal(shown(again.heard, seen.delta), "An oak 🌳 carries acorns.");
  });

  test("a WebSocket needs a session, and is closed when that ends", async () => {
    const stranger = new MiniUser(world, "a stranger");
    await assert.rejects(stranger.socket(), "nobody gets one without a session");
    const anna = await user("logs out");
    const wire = await anna.socket();
    wire.send("neither JSON nor ping");
    const refusal = await wire.hears(({ type }) => type === "error", "the refusal");
    assert.deepEqual(refusal, { type: "error", status: 400, error: "Invalid message" });
    assert.equal((await anna.api("POST", "auth/logout")).status, 200);
    wire.send({ type: "chat", message: "still there?", conversation_id: null });
    await until(() => wire.closed, "the end of the connection");
    assert.equal(wire.closed, 4401);
    await assert.rejects(anna.socket(), "nor with one that has ended");
  });
});

test("kill -9 in the middle of an answer: it is found after the restart", { timeout: 120_000 }, async (t) => {
  const world = await startWriting();
  t.after(world.close);
  const anna = await new MiniUser(world, "killed").logIn();
  const events = await anna.say("tell me about cedars");
  const { conversation_id: id } = (await events.upTo("begin")).data;
  (await world.writer.asked("about cedars")).write("A cedar smells");
  const seen = await events.upTo("delta");
  await world.stack.kill();
  await assert.rejects(events.rest());
  await world.stack.restart();

  // Whoever comes back is heard at once: that, and no alarm, brings the question back to work.
  const again = await anna.resume(id, seen.id);
  const call = await world.writer.asked("about cedars", 2);
  call.write("Cedars smell");
  call.write(" good.");
  call.end(3);
  await again.rest();
  // What they saw was of a text that nobody writes on.
  assert.equal(shown(again.seen.map(({ data }) => data), "A cedar smells"), "Cedars smell good.");
  const late = await anna.api("GET", `chat/${id}`);
  assert.deepEqual(late.body, { reply: "Cedars smell good.", conversation_id: id, tokens_used: 3 });
  assert.equal(world.writer.calls.length, 2);
});
