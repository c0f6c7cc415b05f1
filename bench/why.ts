/**
 * `gemel why` over all CIBs of a folder: for how many pairs of a resource and a node where it is not a change is told,
 * an obstacle with its reason, or only that none was found; each told change is tried, and each proof is held to its
 * property (without a cited fact the conclusion is another one, without all that is not cited it stays).
 * Bar: no change that does not move, no broken proof.
 * Usage: npm run bench -- why [--cases DIRECTORY] [--resources N] [--only CASE] [--list KIND]
 *   --resources N   of each CIB so many primitives, spread over all (default 3; 0: all of them)
 *   --list KIND     names the pairs that end so: change, none-found, bundle-node, ..., false, broken
 */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { cibOfFile } from "../src/app/commands/cib-input.ts";
import { clockOf } from "../src/app/commands/simulate-batch.ts";
import type { XmlElement } from "../src/base/xml.ts";
import { work } from "../src/cluster/core/scheduler/schedule.ts";
import { isReached } from "../src/cluster/core/scheduler/why/change.ts";
import { conclusionOf, targetsOf, textOf } from "../src/cluster/core/scheduler/why/conclusion.ts";
import { candidatesFor } from "../src/cluster/core/scheduler/why/facts-of-cib.ts";
import { type Proof, prove } from "../src/cluster/core/scheduler/why/prove.ts";
import { proofText } from "../src/cluster/core/scheduler/why/why-text.ts";
import { applyChange, removeFacts, sameFact } from "../test/support/apply-change.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: path.resolve(import.meta.dirname, "../../shared/scheduler-cases/xml") },
    resources: { type: "string", default: "3" },
    only: { type: "string" },
    list: { type: "string" },
  },
});

const counts = new Map<string, number>();
function count(kind: string, told: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
  if (values.list === kind) process.stdout.write(`${told}\n`);
}

/** So many of them, evenly spread. */
function spread<Item>(items: readonly Item[], wanted: number): readonly Item[] {
  if (wanted === 0 || items.length <= wanted) return items;
  return Array.from({ length: wanted }, (_, at) => items[Math.floor((at * items.length) / wanted)]).flatMap((item) =>
    item === undefined ? [] : [item],
  );
}

/** What the proof promises and what is so when it is tried. */
function judge(cib: XmlElement, nowWallMs: number, file: string, proof: Proof): void {
  const name = proof.resource;
  const conclude = (changed: XmlElement) => {
    const worked = work(changed, nowWallMs);
    const targets = targetsOf(worked, name);
    return targets === undefined ? undefined : conclusionOf(worked, targets);
  };
  const worked = work(cib, nowWallMs);
  const all = candidatesFor(worked, targetsOf(worked, name) ?? []);
  const textWithout = (facts: Parameters<typeof removeFacts>[2]) => {
    const after = conclude(removeFacts(cib, all, facts));
    return after === undefined ? "gone" : textOf(after);
  };
  const told = textOf(proof.conclusion);
  for (const { facts } of proof.citations)
    if (textWithout(facts) === told)
      count("broken", `${file} ${name}: no effect: ${facts.map(({ place }) => place).join(" ")}`);
  const cited = proof.citations.flatMap(({ facts }) => facts);
  const rest = all.filter((fact) => !cited.some((each) => sameFact(each, fact)));
  if (textWithout(rest) !== told) count("broken", `${file} ${name}: not all that counts is cited`);
  if (proof.incomplete) count("incomplete", `${file} ${name}`);
  for (const change of proof.changes) {
    const after = conclude(applyChange(cib, all, change));
    const isThere = after !== undefined && isReached(after, change);
    const kind = change.role === undefined ? "change" : "change (promoted)";
    count(isThere ? kind : "false", `${file} ${name} ${change.node}: ${JSON.stringify(change)}`);
  }
  for (const { kind, node, role = "" } of proof.obstacles) count(kind, `${file} ${name} ${node} ${role}`);
  for (const language of ["en", "ja"] as const)
    if (/[{}]|undefined/.test(proofText(proof, language))) count("broken", `${file} ${name}: a hole in the text`);
}

if (!existsSync(values.cases)) throw new Error(`there are no CIBs at ${values.cases}`);
let [proofs, slowestMs, slowest] = [0, 0, ""];
for (const file of readdirSync(values.cases).filter((each) => each.endsWith(".xml"))) {
  if (values.only !== undefined && file !== `${values.only}.xml`) continue;
  const input = cibOfFile(path.join(values.cases, file));
  if (input.kind !== "cib") continue;
  const nowWallMs = clockOf(input.root, undefined);
  const { resources } = work(input.root, nowWallMs).facts;
  const names = [...new Set(resources.filter(({ kind }) => kind === "primitive").map(({ baseId }) => baseId))];
  for (const name of spread(names, Number(values.resources))) {
    const before = process.cpuUsage();
    const proof = prove(input.root, nowWallMs, name);
    const { user, system } = process.cpuUsage(before);
    if (proof === undefined) continue;
    proofs += 1;
    if ((user + system) / 1000 > slowestMs) [slowestMs, slowest] = [(user + system) / 1000, `${file} ${name}`];
    judge(input.root, nowWallMs, file, proof);
  }
}
process.stdout.write(`${proofs} proofs; the slowest took ${slowestMs.toFixed(0)} ms CPU (${slowest})\n`);
for (const [kind, times] of [...counts].toSorted(([one], [other]) => (one < other ? -1 : 1)))
  process.stdout.write(`${String(times).padStart(6)} ${kind}\n`);
process.exitCode = counts.has("false") || counts.has("broken") ? 1 : 0;
