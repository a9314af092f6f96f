// Indents and colours XML and JSON: enough for messages of WeChat, whose documents have no attributes.

export type CodeKind = "xml" | "json" | "text";

export interface Token {
  type: "" | "tag" | "mark" | "data" | "key" | "string" | "number";
  text: string;
}

/** Longer texts stay as they are: nobody reads them, and colours would take seconds. */
const MOST = 200_000;

export function highlight(text: string, kind: CodeKind = kindOf(text)): Token[] {
  if (text.length > MOST || kind === "text") return [{ type: "", text }];
  return kind === "xml" ? xml(text) : json(text);
}

function kindOf(text: string): CodeKind {
  const start = text.trimStart().slice(0, 1);
  if (start === "<") return "xml";
  return start === "{" || start === "[" ? "json" : "text";
}

const XML_PART = /(<!\[CDATA\[[\s\S]*?\]\]>)|(<\/[^>]*>)|(<[^>]*>)|([^<]+|<)/g;

/** Each element on a line of its own, its text beside it. */
function xml(text: string): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  let before: "start" | "open" | "close" | "data" = "start";
  const newLine = () => before !== "start" && tokens.push({ type: "", text: `\n${"  ".repeat(Math.max(0, depth))}` });
  for (const [whole, cdata, close, open] of text.matchAll(XML_PART)) {
    if (close !== undefined) {
      depth--;
      if (before === "close") newLine();
      tokens.push({ type: "tag", text: close });
      before = "close";
    } else if (open !== undefined) {
      newLine();
      tokens.push({ type: "tag", text: open });
      if (!open.startsWith("<?") && !open.startsWith("<!") && !open.endsWith("/>")) depth++;
      before = open.endsWith("/>") || open.startsWith("<?") || open.startsWith("<!") ? "close" : "open";
    } else if (cdata !== undefined || whole.trim() !== "") {
      tokens.push(...(cdata === undefined ? [{ type: "data" as const, text: whole }] : unwrapped(cdata)));
      before = "data";
    }
  }
  return tokens;
}

/** Everything is in CDATA: what is inside counts. */
function unwrapped(cdata: string): Token[] {
  const [start, end] = ["<![CDATA[", "]]>"];
  return [
    { type: "mark", text: start },
    { type: "data", text: cdata.slice(start.length, -end.length) },
    { type: "mark", text: end },
  ];
}

const JSON_PART = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|[^"\d\-tfn]+|[\s\S]/g;

function json(text: string): Token[] {
  const tokens: Token[] = [];
  for (const [whole, string, colon, literal] of indented(text).matchAll(JSON_PART)) {
    if (string !== undefined) tokens.push({ type: colon === undefined ? "string" : "key", text: string }, { type: "", text: colon ?? "" });
    else tokens.push({ type: literal === undefined ? "" : "number", text: whole });
  }
  return tokens;
}

/** Large ids lose digits when JavaScript reads them: then the text stays as it is. */
function indented(text: string): string {
  if (/\d{16,}/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
