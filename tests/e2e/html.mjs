// What a test reads in a page of ours without a browser: links, forms, marked places, the QR code.
import decodeQR from "qr/decode.js";

/** The text of markup. */
export const plain = (markup) => unescape(markup.replace(/<(style|script|svg)\b[^]*?<\/\1>/g, "").replace(/<[^>]*>/g, " ")).replace(/\s+/g, " ").trim();

/** The text of the first element with this attribute, as `class="number"`. */
export function textOf(html, attribute) {
  const found = new RegExp(`<(\\w+)\\b[^>]*\\s${attribute}[^>]*>([^]*?)</\\1>`).exec(html);
  return found && plain(found[2]);
}

/** The value of a `data-…` attribute. */
export const marked = (html, name) => {
  const value = new RegExp(`\\sdata-${name}="([^"]*)"`).exec(html)?.[1];
  return value && unescape(value);
};

/** The addresses of the links. */
export function links(html) {
  const all = [...html.matchAll(/<a\b([^>]*)>/g)].map(([, tag]) => attribute(tag, "href"));
  return all.filter((href) => href !== undefined);
}

/** Every form: `{ method, action, fields, inputs, buttons }`; `fields` are filled in already, `inputs` are to be. */
export function forms(html) {
  return [...html.matchAll(/<form\b([^>]*)>([^]*?)<\/form>/g)].map(([, tag, body]) => {
    const inputs = [...body.matchAll(/<input\b([^>]*)>/g)].map(([, input]) => input);
    const hidden = inputs.filter((input) => attribute(input, "type") === "hidden");
    const typed = inputs.filter((input) => ["text", "number", "tel"].includes(attribute(input, "type") ?? "text"));
    const buttons = [...body.matchAll(/<button\b([^>]*)>([^]*?)<\/button>/g)].map(([, button, text]) => ({
      name: attribute(button, "name"),
      value: attribute(button, "value") ?? "",
      text: plain(text),
    }));
    return {
      method: (attribute(tag, "method") ?? "get").toUpperCase(),
      action: attribute(tag, "action") ?? "",
      fields: Object.fromEntries(hidden.map((input) => [attribute(input, "name"), attribute(input, "value") ?? ""])),
      inputs: typed.map((input) => attribute(input, "name")),
      buttons,
    };
  });
}

/** What the QR code in an SVG of the page says; undefined without one. */
export function qrText(html) {
  for (const [svg, tag] of html.matchAll(/<svg\b([^>]*)>[^]*?<\/svg>/g)) {
    if (!/class="qr"/.test(tag)) continue;
    const size = Number(/viewBox="0 0 (\d+) \d+"/.exec(tag)[1]);
    return read(modulesOf(svg, size), size);
  }
  return undefined;
}

/** The dark modules of a drawing: strokes of one module's height, from left to right. */
function modulesOf(svg, size) {
  const dark = new Uint8Array(size * size);
  const [, path] = /<path\b[^>]*?\sd="([^"]*)"/.exec(svg);
  let [x, y] = [0, 0];
  for (const [, letter, rest] of path.matchAll(/([Mmh])([^A-Za-z]*)/g)) {
    const numbers = rest.match(/-?\d*\.?\d+/g).map(Number);
    if (letter === "M") [x, y] = numbers;
    if (letter === "m") [x, y] = [x + numbers[0], y + numbers[1]];
    if (letter === "h") {
      const start = Math.floor(y) * size + x;
      dark.fill(1, start, start + numbers[0]);
      x += numbers[0];
    }
  }
  return dark;
}

function read(modules, size) {
  const scale = 4;
  const side = size * scale;
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const [column, row] = [x, y].map((pixel) => Math.floor(pixel / scale));
      if (modules[row * size + column]) data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
    }
  }
  return decodeQR({ width: side, height: side, data }, { effort: 10, timeLimit: 2000 });
}

function attribute(tag, name) {
  const found = new RegExp(`(?:^|\\s)${name}(?:="([^"]*)"|=([^\\s">]+))?(?=\\s|$|/)`).exec(tag);
  return found ? unescape(found[1] ?? found[2] ?? "") : undefined;
}

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#x27": "'", nbsp: " " };

function unescape(text) {
  return text.replace(/&(#?\w+);/g, (whole, name) => ENTITIES[name] ?? whole);
}
