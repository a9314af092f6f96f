// node tools/tests.mjs <how many at once> <file …>: runs files of tests by Node's own runner, each in a process of its own,
// and begins them in the order in which they are named; `node --test` would sort them.
import { run } from "node:test";
import { spec } from "node:test/reporters";

/** Milliseconds for a whole file, and for each test in it. */
const PATIENCE = 300_000;

const [, , concurrency, ...files] = process.argv;
run({ files, concurrency: Number(concurrency), timeout: PATIENCE })
  .on("test:fail", () => (process.exitCode = 1))
  .compose(new spec())
  .pipe(process.stdout);
