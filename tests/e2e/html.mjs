// What a test reads in a page of ours without a browser: links, forms, marked places, the QR code.
import assert from "node:assert/strict";
import decodeQR from "qr/decode.js";

/** The text of markup. */
export const plain = (markup) => unescape(markup.replace(/<(style|script|svg)\b[^]*?<\/\1>/g, "").replace(/<[^>]*>/g, " ")).replace(/\s+/g, " ").trim();

/** What the element with this `data-…` attribute tells: the attribute's value, or the element's text if it has none. */
export function marked(html, name) {
  const found = new RegExp(`<(\\w+)[^>]*?\\sdata-${name}(?:="([^"]*)")?(?=[\\s>/])[^>]*>([^]*?)</\\1>`).exec(html);
  if (!found) return undefined;
  return unescape(found[2] ?? "") || plain(found[3]);
}

/** The addresses of the links whose text matches. */
export function links(html, label = /(?:)/) {
  const all = [...html.matchAll(/<a\b([^>]*)>([^]*?)<\/a>/g)].map(([, tag, text]) => ({ href: attribute(tag, "href"), text: plain(text) }));
  return all.filter(({ href, text }) => href !== undefined && label.test(text)).map(({ href }) => href);
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
    const size = Number(/viewBox="\s*\S+\s+\S+\s+(\d+)/.exec(tag)?.[1]);
    // The smallest code has 21 modules on a side; pictures beside the text are smaller.
    if (size >= 21 && size < 400) {
      const modules = modulesOf(svg, size);
      if (modules) return read(modules, size);
    }
  }
  return undefined;
}

/** The dark modules of a drawing whose paths are rectangles, or strokes of one module's height. */
function modulesOf(svg, size) {
  const dark = new Uint8Array(size * size);
  const fill = (x, y, width) => {
    const start = Math.floor(y) * size + x;
    dark.fill(1, start, start + width);
  };
  for (const [, path] of svg.matchAll(/<path\b[^>]*?\sd="([^"]*)"/g)) {
    let [x, y] = [0, 0];
    for (const [, letter, rest] of path.matchAll(/([MmHhVvZz])([^A-Za-z]*)/g)) {
      const numbers = (rest.match(/-?\d*\.?\d+/g) ?? []).map(Number);
      if (letter === "M") [x, y] = numbers;
      if (letter === "m") [x, y] = [x + numbers[0], y + numbers[1]];
      // The first side of a rectangle tells its width; all of ours are one module high.
      if (letter === "h" && numbers[0] > 0) {
        fill(x, y, numbers[0]);
        x += path.includes("z") ? 0 : numbers[0];
      }
      if (letter === "H" && numbers[0] > x) fill(x, y, numbers[0] - x);
    }
  }
  return dark.includes(1) ? dark : undefined;
}

function read(modules, size) {
  const [scale, quiet] = [4, 4];
  const side = (size + 2 * quiet) * scale;
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const [column, row] = [x, y].map((pixel) => Math.floor(pixel / scale) - quiet);
      const inside = column >= 0 && row >= 0 && column < size && row < size;
      if (inside && modules[row * size + column]) data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
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

/** The only form of a page, or the one that has a button of this text. */
export function theForm(html, label) {
  const all = forms(html);
  const fitting = label ? all.filter(({ buttons }) => buttons.some(({ text, value }) => label.test(text) || label.test(value))) : all;
  assert.equal(fitting.length, 1, `one form with ${label}: ${JSON.stringify(all)}\n${plain(html)}`);
  return fitting[0];
}
