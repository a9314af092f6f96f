#!/usr/bin/env node
// npx wx: the command line for the management API, built first if it is not there.
import fs from "node:fs";
import { compileSimulator } from "./build.mjs";
import { wxBinary } from "./paths.mjs";
import { foreground, giveUp } from "./steps.mjs";

async function main() {
  if (!fs.existsSync(wxBinary)) await compileSimulator(wxBinary);
  return foreground(wxBinary, process.argv.slice(2), { cwd: process.cwd() });
}

main().then((code) => process.exit(code), giveUp);
