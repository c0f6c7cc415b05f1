/**
 * The scheduler against crm_simulate on the reference cases with one thing changed (test/support/change-cib.ts): nodes
 * lost, operations failed or under way, options and scores set otherwise. Bundles, guests, tickets and what else seeds
 * do not make is tried so. Cases in which the two differ already, as they stand, are left out and counted.
 * Usage: npm run bench -- changed-cases [--from ROUND] [--count N] [--only WORD] [--show] [--cases DIRECTORY]
 *   each round changes one thing in each case; --only: the cases and changes whose name holds the word
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { createChance } from "../src/base/chance.ts";
import { parseXml, printXml } from "../src/base/xml.ts";
import { changeCib } from "../test/support/change-cib.ts";
import { explanationOf } from "../test/support/peer-explanations.ts";
import { askOurs, askPeer, compare, type Difference, isPeerInstalled } from "../test/support/scheduler-peer.ts";

const EXIT_UNAVAILABLE = 69;

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    count: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    show: { type: "boolean", default: false },
    cases: { type: "string", default: path.resolve(import.meta.dirname, "../../shared/scheduler-cases/xml") },
  },
});

/** In the words and with the versions that 2.1.5 knows: see reference/policy-engine.md, section 3. */
const inOldDialect = (text: string) =>
  text
    .replaceAll(/"fencing-(enabled|action|timeout|watchdog-timeout)"/g, '"stonith-$1"')
    .replaceAll('validate-with="pacemaker-3.10"', 'validate-with="pacemaker-3.9"')
    .replace(/crm_feature_set="3\.(?:1[7-9]|2\d)[^"]*"/, 'crm_feature_set="3.16.1"');

type Verdict = "agree" | "refused" | "explained" | Difference;

function judge(cib: string): Verdict {
  const theirs = askPeer(cib);
  if (theirs === undefined) return "refused";
  const ours = askOurs(cib);
  const found = compare(cib, ours, theirs);
  if (found === undefined) return "agree";
  return explanationOf(cib, theirs, ours) === undefined ? found : "explained";
}

const counts = new Map<string, number>();
function count(verdict: Verdict): void {
  const key = typeof verdict === "string" ? verdict : verdict.level;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

const seedOf = (name: string, round: number) =>
  Buffer.from(name).reduce((sum, byte) => (sum * 31 + byte) >>> 0, round * 7919);

function tryCase(file: string, from: number, rounds: number): void {
  const read = parseXml(inOldDialect(readFileSync(path.join(values.cases, file), "utf8")));
  if (read.kind === "not-xml") return;
  if (judge(printXml(read.root)) !== "agree") {
    counts.set("left out", (counts.get("left out") ?? 0) + 1);
    return;
  }
  for (let round = from; round < from + rounds; round += 1) {
    const changed = changeCib(read.root, createChance(seedOf(file, round)));
    if (changed === undefined || !`${file} ${changed.name}`.includes(values.only)) continue;
    const verdict = judge(printXml(changed.root));
    count(verdict);
    if (typeof verdict === "string") continue;
    process.stdout.write(`${file} ${round} ${changed.name}: ${verdict.level}\n`);
    if (values.show) for (const line of verdict.lines.slice(0, 8)) process.stdout.write(`    ${line}\n`);
  }
}

if (!isPeerInstalled() || !existsSync(values.cases)) {
  process.stderr.write(`crm_simulate or ${values.cases} is not there; install pacemaker-cli-utils, give --cases\n`);
  process.exitCode = EXIT_UNAVAILABLE;
} else {
  for (const file of readdirSync(values.cases)
    .filter((name) => name.endsWith(".xml"))
    .sort())
    tryCase(file, Number(values.from), Number(values.count));
  process.stdout.write(`${[...counts].map(([name, number]) => `${name} ${number}`).join(", ")}\n`);
}
