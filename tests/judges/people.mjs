// What the judges of the platform have in common: people who do something, and what they see.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

/** The path of a file to upload. */
export const file = (name) => fileURLToPath(new URL(`files/${name}`, import.meta.url));

/** Somebody does something; resolves with their openid. */
export async function does(sim, name, what) {
  const { openid } = await sim.post("/_sim/send", { as: name, ...what });
  return openid;
}

/** Somebody follows the account; resolves with their openid. */
export const follows = (sim, name) => does(sim, name, { event: { type: "subscribe" } });

/** The messages that somebody got without asking, once there are `count`. */
export async function received(sim, name, count) {
  const query = new URLSearchParams({ as: name, count, wait_ms: 10_000 });
  const { messages } = await sim.get(`/_sim/inbox?${query}`);
  return messages;
}

/** The SDK throws the error that WeChat's code stands for. */
export const refused = (code, call) => assert.rejects(call, (error) => assert.equal(error.code, code, error) ?? true);
