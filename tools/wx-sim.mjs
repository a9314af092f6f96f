#!/usr/bin/env node
// npx wx-sim: the simulator's command line, built first if it is not there.
import fs from "node:fs";
import { compileSimulator } from "./build.mjs";
import { simBinary } from "./paths.mjs";
import { foreground, giveUp } from "./steps.mjs";

async function main() {
  if (!fs.existsSync(simBinary)) await compileSimulator();
  return foreground(simBinary, process.argv.slice(2), { cwd: process.cwd() });
}

main().then((code) => process.exit(code), giveUp);
