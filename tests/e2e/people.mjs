// People who use the account, by way of wx-sim.
import assert from "node:assert/strict";

/** What a person sees after doing something: the report of wx-sim, and the texts on their screen. */
export async function act(sim, person, message) {
  const report = await sim.post("/_sim/send", { as: person, ...message });
  const broken = report.checks.filter(({ ok }) => !ok);
  assert.deepEqual(broken, [], `rules of WeChat broken for ${JSON.stringify(message)}`);
  return { ...report, text: report.shown.map(({ text }) => text ?? "").join("\n") };
}

/** A person types something. */
export const say = (sim, person, text, more = {}) => act(sim, person, { text, ...more });

/** A person types something and sees `expected` on that delivery. */
export async function see(sim, person, text, delivery, expected) {
  const seen = await say(sim, person, text);
  assert.match(seen.text, expected, JSON.stringify(seen.deliveries));
  assert.equal(seen.deliveries.length, delivery, JSON.stringify(seen.deliveries));
  return seen;
}

/** A person asks for their answer until it is there. */
export const fetchAnswer = (sim, person, expected) =>
  until(async () => expected.test((await say(sim, person, "/retrieve")).text), `${person}'s ${expected}`);

/** How often the model was asked something that contains `words`. */
export async function timesAsked(sim, words) {
  const { calls } = await sim.get("/_sim/model");
  return calls.filter((call) => JSON.stringify(call).includes(words)).length;
}

/** Asks again and again, until `question` gives something true. */
export async function until(question, what, seconds = 60) {
  for (const end = Date.now() + seconds * 1000; ; ) {
    const answer = await question();
    if (answer) return answer;
    assert.ok(Date.now() < end, `${what} did not come true within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
