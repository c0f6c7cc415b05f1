/**
 * The scheduler against crm_simulate on CIBs made by seed (test/support/random-cib/cib.ts).
 * Usage: npm run bench -- differential [--from SEED] [--count N] [--show] [--level actions|order|blocked|report]
 *        npm run bench -- differential --shrink SEED
 * `--shrink` takes from one CIB everything that the difference does not need, and prints what is left.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { parseXml, printXml, type XmlElement } from "../src/base/xml.ts";
import { explanationOf } from "../test/support/peer-explanations.ts";
import { randomCib } from "../test/support/random-cib/cib.ts";
import { askOurs, askPeer, compare, type Difference, isPeerInstalled } from "../test/support/scheduler-peer.ts";

/** `refused` when the peer does not take the CIB, `explained` when it is known to be too old for it. */
function judge(cib: string): Difference | "refused" | "explained" | undefined {
  const theirs = askPeer(cib);
  if (theirs === undefined) return "refused";
  const found = compare(cib, askOurs(cib), theirs);
  return found !== undefined && explanationOf(cib, theirs) !== undefined ? "explained" : found;
}

/** Without these a CIB is about something else. */
const KEPT = new Set([
  "configuration",
  "crm_config",
  "cluster_property_set",
  "nodes",
  "node",
  "resources",
  "constraints",
  "status",
  "node_state",
]);
const FRAME = new Set(["stonith-enabled", "no-quorum-policy"]);

/** Every CIB that lacks one element or one attribute of this one, the largest cuts first. */
function* smaller(root: XmlElement): Generator<XmlElement> {
  for (const [index, child] of root.children.entries()) {
    if (KEPT.has(child.name) || FRAME.has(child.attributes["name"] ?? "")) continue;
    yield { ...root, children: root.children.filter((_, each) => each !== index) };
  }
  for (const [index, child] of root.children.entries())
    for (const cut of smaller(child))
      yield { ...root, children: root.children.map((old, each) => (each === index ? cut : old)) };
}

/** The nth smaller CIB, counted from 0. */
function nthSmaller(root: XmlElement, index: number): XmlElement | undefined {
  let left = index;
  for (const cut of smaller(root)) if (left-- === 0) return cut;
  return undefined;
}

function shrink(seed: number, { level, lines }: Difference): string {
  const read = parseXml(randomCib(seed));
  if (read.kind === "not-xml") throw new Error(read.reason);
  const stillDiffers = (text: string) => {
    const found = judge(text);
    return typeof found === "object" && found.level === level && found.lines.includes(lines[0] ?? "");
  };
  let best = read.root;
  // What could be cut has made room for the next cut at the same place; sweeps end when one cuts nothing.
  for (let progress = true; progress; ) {
    progress = false;
    for (let at = 0; ; ) {
      const cut = nthSmaller(best, at);
      if (cut === undefined) break;
      if (!stillDiffers(printXml(cut))) at += 1;
      else {
        best = cut;
        progress = true;
      }
    }
  }
  return printXml(best);
}

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    count: { type: "string", default: "2000" },
    show: { type: "boolean", default: false },
    shrink: { type: "string" },
    level: { type: "string" },
  },
});

function print(seed: number, found: Difference): void {
  process.stdout.write(`seed ${seed}: ${found.level}\n`);
  if (values.show)
    process.stdout.write(
      found.lines
        .slice(0, 12)
        .map((line) => `    ${line}\n`)
        .join(""),
    );
}

function runAll(from: number, count: number): number {
  const counts: Record<string, number> = {
    agree: 0,
    refused: 0,
    explained: 0,
    actions: 0,
    order: 0,
    blocked: 0,
    report: 0,
  };
  for (let seed = from; seed < from + count; seed++) {
    const found = judge(randomCib(seed));
    const key = found === undefined ? "agree" : typeof found === "string" ? found : found.level;
    counts[key] = (counts[key] ?? 0) + 1;
    if (typeof found === "object" && (values.level === undefined || values.level === found.level)) print(seed, found);
  }
  process.stdout.write(
    `${Object.entries(counts)
      .map(([name, number]) => `${name} ${number}`)
      .join(", ")}\n`,
  );
  const settled = ["agree", "refused", "explained"].reduce((sum, key) => sum + (counts[key] ?? 0), 0);
  return settled === count ? 0 : 1;
}

if (!isPeerInstalled()) {
  process.stderr.write("crm_simulate is not there; install pacemaker-cli-utils\n");
  process.exitCode = 69;
} else if (values.shrink !== undefined) {
  const seed = Number(values.shrink);
  const found = judge(randomCib(seed));
  if (typeof found === "object") {
    const text = shrink(seed, found);
    process.stdout.write(text);
    const left = judge(text);
    if (typeof left === "object")
      process.stdout.write(
        left.lines
          .slice(0, 20)
          .map((line) => `${line}\n`)
          .join(""),
      );
  } else process.stdout.write(`seed ${seed}: ${found ?? "no difference"}\n`);
} else process.exitCode = runAll(Number(values.from), Number(values.count));
