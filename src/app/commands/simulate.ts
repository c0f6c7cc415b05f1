/**
 * `gemel simulate` (also as crm_simulate): what the scheduler would do with a CIB.
 * `--batch DIR --out DIR` runs every CASE.xml of a directory in one process and writes CASE.exp, CASE.dot,
 * CASE.summary and CASE.scores.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { parseXml, printXml, type XmlElement } from "../../base/xml.ts";
import { formatDate, parseDate } from "../../cluster/core/scheduler/facts/dates.ts";
import type { Facts } from "../../cluster/core/scheduler/facts/model.ts";
import { readFacts } from "../../cluster/core/scheduler/facts/read-facts.ts";
import { picture } from "../../cluster/core/scheduler/print/picture.ts";
import { scoreLines } from "../../cluster/core/scheduler/print/score-lines.ts";
import { simulateRun } from "../../cluster/core/scheduler/print/simulated-run.ts";
import { statusReport } from "../../cluster/core/scheduler/print/status-report.ts";
import { summaryLines } from "../../cluster/core/scheduler/print/summary-lines.ts";
import { transitionXml } from "../../cluster/core/scheduler/print/transition-xml.ts";
import { work } from "../../cluster/core/scheduler/schedule.ts";
import type { Worked } from "../../cluster/core/scheduler/worked.ts";

const EXIT_USAGE = 64;
const EXIT_DATA = 65;

function readTimes(file: string | undefined): Map<string, string> {
  if (file === undefined) return new Map();
  const rows = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return new Map(rows.map((row) => [row.split("\t")[0] ?? "", row.split("\t")[1] ?? ""]));
}

/** The clock that the input or the caller names, else the wall clock. */
function clockOf(executionDate: string | undefined, given: string | undefined): number {
  if (given !== undefined) return (parseDate(given) ?? 0) * 1000;
  return executionDate === undefined ? Date.now() : Number(executionDate) * 1000;
}

function clockLine(cib: XmlElement, time: string | undefined): string[] {
  if (time !== undefined) return [`Setting effective cluster time: ${time}`];
  const executed = cib.attributes["execution-date"];
  return executed === undefined ? [] : [`Using the original execution date of: ${formatDate(Number(executed))}`];
}

/** The report of a simulated run: before, what would be done, how it would go, after. */
function reportOf(cib: XmlElement, worked: Worked, time: string | undefined): string {
  const { lines, cib: after } = simulateRun(cib, worked.graph);
  const again = readFactsOf(after, worked);
  const clock = clockLine(cib, time);
  return [
    ...clock,
    statusReport(readFactsOf(cib, worked), "Current cluster status", true),
    "Transition Summary:",
    ...summaryLines(worked).map((line) => `  * ${line}`),
    "",
    "Executing Cluster Transition:",
    ...lines.map((line) => `  * ${line}`),
    ...clock,
    "",
    statusReport(again, "Revised Cluster Status", false),
    "",
  ].join("\n");
}

/** The facts before any pass could mark them: tickets and fencing decisions add to what is known of nodes. */
function readFactsOf(cib: XmlElement, { facts }: Worked): Facts {
  return readFacts(cib, facts.nowSeconds * 1000, undefined);
}

function runCase(
  source: string,
  time: string | undefined,
): { exp: string; dot: string; summary: string; scores: string } {
  const read = parseXml(source);
  if (read.kind === "not-xml") throw new Error(`line ${read.line}: ${read.reason}`);
  const worked = work(read.root, clockOf(read.root.attributes["execution-date"], time), {}, true);
  return {
    exp: printXml(transitionXml(worked.facts, worked.graph)),
    dot: picture(worked.graph),
    summary: reportOf(read.root, worked, time),
    scores: `\n${scoreLines(worked).join("\n")}\n`,
  };
}

function runBatch(directory: string, out: string, times: ReadonlyMap<string, string>): number {
  mkdirSync(out, { recursive: true });
  let failed = 0;
  for (const file of readdirSync(directory).filter((name) => name.endsWith(".xml"))) {
    const name = file.slice(0, -".xml".length);
    try {
      const result = runCase(readFileSync(path.join(directory, file), "utf8"), times.get(name));
      for (const [suffix, text] of Object.entries(result)) writeFileSync(path.join(out, `${name}.${suffix}`), text);
    } catch (error) {
      failed += 1;
      process.stderr.write(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    }
  }
  return failed === 0 ? 0 : EXIT_DATA;
}

/** Exit codes: 0; 64 for a wrong call; 65 when an input cannot be read. */
export function run(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      batch: { type: "string" },
      out: { type: "string" },
      times: { type: "string" },
    },
  });
  if (values.batch === undefined || values.out === undefined) {
    process.stderr.write("usage: gemel simulate --batch DIR --out DIR [--times FILE]\n");
    return Promise.resolve(EXIT_USAGE);
  }
  return Promise.resolve(runBatch(values.batch, values.out, readTimes(values.times)));
}
