/** `gemel simulate --batch` and `--profile`: all CIBs of a directory in one process. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import type { XmlElement } from "../../base/xml.ts";
import { parseDate } from "../../cluster/core/scheduler/facts/dates.ts";
import { work } from "../../cluster/core/scheduler/schedule.ts";
import { createDecider, DECIDER_LIMITS } from "../manager/schedule.ts";
import { expectShortRun } from "../short-run.ts";
import { localSeconds, zoneAt } from "../zone.ts";
import { cibOfFile, tellAndCode } from "./cib-input.ts";
import { simulateCase } from "./simulate-report.ts";

const EXIT_DATA = 65;
const EXIT_THREAD = 70;

/** The clock that the caller or the input names, else the wall clock. */
export function clockOf(cib: XmlElement, given: string | undefined): number {
  if (given !== undefined) return (localSeconds((zone) => parseDate(given, zone)) ?? 0) * 1000;
  const executed = cib.attributes["execution-date"];
  return executed === undefined ? Date.now() : Number(executed) * 1000;
}

function readTimes(file: string | undefined): Map<string, string> {
  if (file === undefined) return new Map();
  const rows = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return new Map(rows.map((row) => [row.split("\t")[0] ?? "", row.split("\t")[1] ?? ""]));
}

const casesOf = (directory: string) => readdirSync(directory).filter((name) => name.endsWith(".xml"));

/** Exit codes: 0; 65 when a case could not be read, which is said. */
export function runBatch(directory: string, out: string, timesFile: string | undefined): number {
  mkdirSync(out, { recursive: true });
  expectShortRun();
  const times = readTimes(timesFile);
  let failed = 0;
  for (const file of casesOf(directory)) {
    const name = file.slice(0, -".xml".length);
    const read = cibOfFile(path.join(directory, file));
    if (read.kind !== "cib") {
      tellAndCode("gemel simulate", read);
      failed += 1;
      continue;
    }
    const time = times.get(name);
    const result = simulateCase(read.root, clockOf(read.root, time), time);
    for (const [suffix, text] of Object.entries(result)) writeFileSync(path.join(out, `${name}.${suffix}`), text);
  }
  return failed === 0 ? 0 : EXIT_DATA;
}

/** CPU seconds a file, the scheduler alone: reading the file does not count. */
export function runProfile(directory: string, repeat: number, time: string | undefined): number {
  if (repeat === 1) expectShortRun();
  for (const file of casesOf(directory).sort().reverse()) {
    const read = cibOfFile(path.join(directory, file));
    if (read.kind !== "cib") continue;
    const nowWallMs = clockOf(read.root, time);
    const before = process.cpuUsage();
    for (let round = 0; round < repeat; round++) work(read.root, nowWallMs, zoneAt(nowWallMs));
    const used = process.cpuUsage(before);
    process.stdout.write(`* Testing ${file} ... ${((used.user + used.system) / 1_000_000).toFixed(4)} secs\n`);
  }
  return 0;
}

/** As a manager with a large configuration decides: in its thread, by the clock, the way there and back too. */
export async function runProfileBeside(directory: string, repeat: number, time: string | undefined): Promise<number> {
  let lost = 0;
  const limits = { ...DECIDER_LIMITS, elementsInLoopMax: 0 };
  const decider = createDecider((level, text) => {
    lost += 1;
    process.stderr.write(`gemel simulate: ${level}: ${text}\n`);
  }, limits);
  for (const file of casesOf(directory).sort().reverse()) {
    const read = cibOfFile(path.join(directory, file));
    if (read.kind !== "cib") continue;
    const startedAtMs = performance.now();
    for (let round = 0; round < repeat; round++) await decider.decide(read.root, clockOf(read.root, time), {});
    process.stdout.write(`* Testing ${file} ... ${((performance.now() - startedAtMs) / 1000).toFixed(4)} secs\n`);
  }
  decider.close();
  return lost === 0 ? 0 : EXIT_THREAD;
}
