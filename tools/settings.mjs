// The account's secrets on this machine: .dev.vars for `npm run dev`, throw-away ones for tests.
import { randomInt } from "node:crypto";
import fs from "node:fs";
import { at } from "./paths.mjs";

const LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX = "0123456789abcdef";

/** How the console's values look; any other secret is 32 letters and digits. */
const shapes = {
  APP_ID: () => `wx${random(HEX, 16)}`,
  APP_SECRET: () => random(HEX, 32),
  MINI_APP_ID: () => `wx${random(HEX, 16)}`,
  MINI_APP_SECRET: () => random(HEX, 32),
  OPEN_APP_ID: () => `wx${random(HEX, 16)}`,
  OPEN_APP_SECRET: () => random(HEX, 32),
  ENCODING_AES_KEY: () => random(LETTERS_AND_DIGITS, 43),
  MINI_ENCODING_AES_KEY: () => random(LETTERS_AND_DIGITS, 43),
};

/** What wx-sim and the Worker must agree on: of the account, its Mini Program, and its website application. */
export const accountSettings = [
  "WECHAT_TOKEN", "APP_ID", "APP_SECRET", "ENCODING_AES_KEY", "MINI_APP_ID", "MINI_APP_SECRET", "MINI_TOKEN",
  "MINI_ENCODING_AES_KEY", "OPEN_APP_ID", "OPEN_APP_SECRET",
];

/** A fresh value for a secret. */
export const secret = (name) => shapes[name]?.() ?? random(LETTERS_AND_DIGITS, 32);

/** What only the Worker has, and cannot do without. */
const workerSecrets = ["SUBJECT_SECRET"];

/** Fresh values for everything that wx-sim and the Worker must agree on, and for the Worker's own secrets. */
export const throwAwayAccount = () =>
  Object.fromEntries([...accountSettings, ...workerSecrets].map((name) => [name, secret(name)]));

/**
 * Writes .dev.vars from .dev.vars.example, without the paragraph about the copying and with fresh values for the example
 * ones; false if it is there already.
 */
export function makeDevVars(file = at(".dev.vars")) {
  if (fs.existsSync(file)) return false;
  const example = fs.readFileSync(at(".dev.vars.example"), "utf8");
  const body = example.slice(example.indexOf("\n\n") + 2);
  const filled = body.replace(/^([A-Z_]+)=replace-me.*$/gm, (_, name) => `${name}=${secret(name)}`);
  fs.writeFileSync(file, filled, { mode: 0o600 });
  return true;
}

function random(alphabet, length) {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
}
