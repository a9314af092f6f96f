// Reads WXML as strictly as WeChat's compiler does.
import assert from "node:assert/strict";

/** The elements of a page in their order: `{ name, attributes, parents, before }`, and the texts between them. */
export function parseWxml(text, file) {
  const elements = [];
  const texts = [];
  const open = [];
  const before = [undefined];
  const token = /<!--[^]*?-->|<(\/?)([a-z][\w-]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>|([^<]+)/gy;
  for (;;) {
    const start = token.lastIndex;
    const match = token.exec(text);
    if (!match) {
      assert.equal(start, text.length, `${file}: not WXML at ${JSON.stringify(text.slice(start, start + 60))}`);
      break;
    }
    const [whole, closing, name, attributes, selfClosing, words] = match;
    if (words?.trim()) texts.push({ text: words, parents: [...open] });
    if (!name) continue;
    if (closing) {
      assert.equal(open.pop()?.name, name, `${file}: ${whole} closes something else`);
      before.pop();
      continue;
    }
    const element = { name, attributes: pairs(attributes, file), parents: [...open], before: before.at(-1) };
    elements.push(element);
    before[before.length - 1] = element;
    if (selfClosing) continue;
    open.push(element);
    before.push(undefined);
  }
  assert.deepEqual(open, [], `${file}: never closed`);
  return { elements, texts };
}

function pairs(text, file) {
  const found = new Map();
  for (const [, name, value] of text.matchAll(/([\w:-]+)(?:="([^"]*)")?/g)) {
    assert.ok(!found.has(name), `${file}: ${name} twice`);
    found.set(name, value);
  }
  return found;
}

/** The expressions of `{{…}}` in a text. */
export const expressions = (text = "") => [...text.matchAll(/\{\{([^]*?)\}\}/g)].map(([, expression]) => expression);

/** The names that an expression begins with: of `a.b ? 'c' : d[e]`, `a`, `d` and `e`. With what follows them by dots. */
export function names(expression) {
  const bare = expression.replace(/'[^']*'|"[^"]*"/g, "''");
  const paths = [...bare.matchAll(/(?<![\w$.])[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*/g)].map(([path]) => path.split("."));
  return paths.filter(([name]) => !["true", "false", "null", "undefined"].includes(name));
}

/** The names that `wx:for` gives to an element and to what is in it. */
export function loopNames({ parents, attributes }) {
  const loops = [...parents.map((parent) => parent.attributes), attributes].filter((of) => of.has("wx:for"));
  return loops.flatMap((of) => [of.get("wx:for-item") ?? "item", of.get("wx:for-index") ?? "index"]);
}
