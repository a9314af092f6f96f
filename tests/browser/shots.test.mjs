// The pictures that the documents show exist.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { at } from "../../tools/paths.mjs";

const documents = ["README.md", "README.zh-CN.md", "ARCHITECTURE.md", ...fs.readdirSync(at("docs")).filter((file) => file.endsWith(".md")).map((file) => `docs/${file}`)];

test("every picture that a document shows is there", () => {
  for (const document of documents) {
    const text = fs.readFileSync(at(document), "utf8");
    const shown = [...text.matchAll(/!\[[^\]]*\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(([, markdown, html]) => markdown ?? html);
    for (const file of shown.filter((address) => !/^[a-z]+:/.test(address))) {
      const picture = at(path.dirname(document), file);
      assert.ok(fs.existsSync(picture), `${document} shows ${file}, which is not there: npm run shots`);
    }
  }
});
