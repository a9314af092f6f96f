// Models that fail, cut off, listen and look: by the AI binding and by an OpenAI-compatible endpoint.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startPair, startStack } from "../../tools/stack.mjs";
import { act, say, see, timesAsked } from "./people.mjs";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const AMR = Buffer.from("#!AMR\nnot much of a sound").toString("base64");

/** The same promises, whichever way the model is reached. */
function promises(name, settings) {
  describe(name, { concurrency: true }, () => {
    let pair;
    before(async () => {
      pair = await startPair({ vars: { LANG: "en" } });
      await pair.stack.reload({ ...pair.vars, LANG: "en", ...settings(pair.sim.url) });
    });
    after(() => pair.close());

    test("a provider that fails twice is asked a third time", async () => {
      const { text, deliveries } = await say(pair.sim, "twice", "third time lucky fail=2");
      assert.match(text, /third time lucky/);
      // On a slow machine the pauses between the attempts may take longer than the first delivery.
      assert.ok(deliveries.length <= 2, JSON.stringify(deliveries));
      assert.equal(await timesAsked(pair.sim, "third time lucky"), 3);
    });

    test("a provider that fails for good leaves a graceful answer", async () => {
      const { text } = await say(pair.sim, "forgood", "never fail=always");
      assert.match(text, /Sorry, I could not answer/);
    });

    test("a stream that breaks off is asked for anew, and no half answer is shown", async () => {
      await pair.sim.post("/_sim/model", [{ match: "broken off", cut: true, length: 400 }]);
      const { text } = await say(pair.sim, "cut", "broken off");
      assert.match(text, /Sorry, I could not answer/);
      assert.equal(await timesAsked(pair.sim, "broken off"), 3);
    });

    test("a picture is looked at", async () => {
      const { text } = await act(pair.sim, "photographer", { image: PNG });
      assert.match(text, /70 bytes, image\/png/, "the model says what it was shown");
    });

    test("a voice message is heard", async () => {
      const { text } = await act(pair.sim, "speaker", { voice: { data: AMR, format: "amr" } });
      assert.match(text, /audio\/amr/, "the transcription says what it was made of");
      const recognised = await act(pair.sim, "speaker2", {
        voice: { data: AMR, format: "amr", recognition: "what is tea" },
      });
      assert.match(recognised.text, /what is tea/);
    });

    test("a question without context is answered from the cache", async () => {
      await see(pair.sim, "first", "opening hours, please", 1, /opening hours/);
      await see(pair.sim, "second", "opening hours, please", 1, /opening hours/);
      assert.equal(await timesAsked(pair.sim, "opening hours, please"), 1);
    });
  });
}

promises("the AI binding", () => ({}));
promises("an OpenAI-compatible endpoint", (sim) => ({
  AI_BASE_URL: `${sim}/v1`,
  AI_MODEL: "talker",
  AI_VISION_MODEL: "seer",
  AI_SPEECH_MODEL: "listener",
}));

test("the next model of the chain answers when the provider of the first is gone", async (t) => {
  const pair = await startPair({ vars: { LANG: "en", AI_MODEL: "@cf/first, @cf/second" } });
  t.after(pair.close);
  await pair.sim.post("/_sim/model", [{ match: "chained", fail: 3 }]);
  await see(pair.sim, "chained", "chained", 1, /chained/);
  const { calls } = await pair.sim.get("/_sim/model");
  assert.deepEqual(
    calls.map(({ model }) => model),
    ["@cf/first", "@cf/first", "@cf/first", "@cf/second"],
  );
});
