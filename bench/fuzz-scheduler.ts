/**
 * The scheduler, its reports, the checks and now and then the proofs, on spoiled CIBs: generated ones and, where they
 * are there, the reference cases. Nothing may throw, nothing may take long.
 * Usage: npm run bench -- fuzz-scheduler [--from SEED] [--count N] [--cases DIRECTORY]
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { parseXml, type XmlElement } from "../src/base/xml.ts";
import { mutateCib } from "../test/support/mutate-cib.ts";
import { randomCib } from "../test/support/random-cib/cib.ts";
import { tryCib } from "../test/support/try-cib.ts";

/** CPU time; beyond this a spoiled CIB of this size holds the scheduler longer than it should. */
const SLOW_MS = 3_000;
const GENERATED = 500;
const SAY_EVERY = 10_000;

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    count: { type: "string", default: "100000" },
    cases: { type: "string", default: path.resolve(import.meta.dirname, "../../shared/scheduler-cases/xml") },
  },
});

function readRoot(text: string): XmlElement[] {
  const read = parseXml(text);
  return read.kind === "xml" ? [read.root] : [];
}

const generated = Array.from({ length: GENERATED }, (_, seed) => randomCib(seed + 1)).flatMap(readRoot);
const cases = existsSync(values.cases)
  ? readdirSync(values.cases).flatMap((file) => readRoot(readFileSync(path.join(values.cases, file), "utf8")))
  : [];
const roots = [...generated, ...cases];
const [from, total] = [Number(values.from), Number(values.count)];
let [thrown, slow] = [0, 0];
for (let seed = from; seed < from + total; seed++) {
  const root = roots[seed % roots.length];
  if (root === undefined) break;
  const before = process.cpuUsage();
  const error = tryCib(mutateCib(root, seed), seed);
  const { user, system } = process.cpuUsage(before);
  const tookMs = (user + system) / 1000;
  if (error !== undefined) {
    thrown += 1;
    process.stdout.write(`seed ${seed}: ${error}\n`);
  }
  if (tookMs > SLOW_MS) {
    slow += 1;
    process.stdout.write(`seed ${seed}: ${tookMs.toFixed(0)} ms CPU\n`);
  }
  if ((seed - from + 1) % SAY_EVERY === 0) process.stdout.write(`${seed - from + 1} tried\n`);
}
process.stdout.write(
  `${total} spoiled CIBs of ${roots.length}: ${thrown} uncaught errors, ${slow} beyond ${SLOW_MS} ms CPU\n`,
);
process.exitCode = thrown + slow === 0 ? 0 : 1;
