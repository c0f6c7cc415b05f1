/**
 * The scheduler beside crm_simulate --profile, in one run on the same machine. What is measured is what the peer
 * measures: CPU time of all threads from the CIB in memory to the graph, without reading files and printing reports.
 * 1. One pass over all reference cases in a fresh process, compilation included, as `gemel simulate --profile` does it:
 *    the mean of five on either side.
 * 2. Each case again and again: whether any takes more than twice the peer's time. Whatever looks so is measured once
 *    more on both sides, with more rounds: a compilation or collection hits one case for all.
 * 3. A pair with 1,000 resources, and the memory that a pass of it needs, in fresh processes.
 * Usage: npm run bench -- scheduler [CASES-DIRECTORY]
 *        npm run bench -- scheduler --memory
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { getHeapStatistics } from "node:v8";
import { expectShortRun } from "../src/app/short-run.ts";
import { parseXml, type XmlElement } from "../src/base/xml.ts";
import { schedule, work } from "../src/cluster/core/scheduler/schedule.ts";
import { largePair } from "../test/support/large-pair.ts";

const { values: asked, positionals } = parseArgs({
  options: {
    cold: { type: "boolean", default: false },
    memory: { type: "boolean", default: false },
    "memory-of": { type: "string" },
  },
  allowPositionals: true,
});
const directory = positionals[0] ?? path.resolve(import.meta.dirname, "../../shared/scheduler-cases/xml");
if (!readdirSync(directory).some((name) => name.endsWith(".xml")))
  throw new Error(`${directory} holds no cases (*.xml): name their directory`);
const NOW_WALL_MS = 1_790_000_000_000;
/** The peer tells hundredths of a second: only many rounds of one case tell its share. */
const ROUNDS = 20;
/**
 * Fresh processes on either side, in turns: of one round the peer tells each case in hundredths of a second, of which
 * the sum over the cases is true to a tenth of a second only.
 */
const COLD_RUNS = 5;
/** The peer's hundredths of a second are then 0.05 ms a round. */
const ROUNDS_AGAIN = 200;
const RATIO_MAX = 2;
/** Resources of the pairs whose memory is told: a usual one, and the largest that is promised. */
const [SMALL, LARGE] = [10, 1000];

type Times = ReadonlyMap<string, number>;

function readCase(file: string): XmlElement | undefined {
  const read = parseXml(readFileSync(file, "utf8"));
  return read.kind === "xml" ? read.root : undefined;
}

const clockOf = (cib: XmlElement) => Number(cib.attributes["execution-date"] ?? NOW_WALL_MS / 1000) * 1000;

function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Each case is read outside of the time and forgotten after it, as the peer does. */
function measureOurs(from: string, rounds: number): Times {
  const times = new Map<string, number>();
  for (const name of readdirSync(from).filter((file) => file.endsWith(".xml"))) {
    const cib = readCase(path.join(from, name));
    if (cib === undefined) continue;
    const ms = cpuMs(() => {
      for (let round = 0; round < rounds; round++) work(cib, clockOf(cib));
    });
    times.set(name, ms / rounds);
  }
  return times;
}

/** The first pass of a process of its own, which ends after it. */
function measureCold(): Times {
  const text = execFileSync(process.execPath, [import.meta.filename, "--cold", directory], { encoding: "utf8" });
  return new Map(text.split("\n").flatMap((row) => (row === "" ? [] : [readRow(row)])));
}

/** The mean of several runs, by case. */
function meanOf(runs: readonly Times[]): Times {
  const first = runs[0] ?? new Map<string, number>();
  return new Map(
    [...first.keys()].map((name) => [name, runs.reduce((sum, run) => sum + (run.get(name) ?? 0), 0) / runs.length]),
  );
}

function readRow(row: string): [string, number] {
  const [name = "", ms = "0"] = row.split("\t");
  return [name, Number(ms)];
}

function measurePeer(from: string, rounds: number): Times {
  const text = execFileSync("crm_simulate", ["--profile", from, "--repeat", String(rounds)], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return new Map(
    [...text.matchAll(/Testing (\S+) ?\.* *([\d.]+) secs/g)].map(([, file = "", seconds = "0"]) => [
      path.basename(file),
      (Number(seconds) * 1000) / rounds,
    ]),
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function report(who: string, times: Times): void {
  const total = [...times.values()].reduce((sum, ms) => sum + ms, 0);
  const [largest = "-", ms = 0] = [...times].toSorted((a, b) => b[1] - a[1])[0] ?? [];
  say(`${who}: ${times.size} cases, ${total.toFixed(0)} ms CPU, largest ${largest} ${ms.toFixed(1)} ms`);
}

/** Names of the cases in which we take more than twice the peer's time. */
function slowOnes(ours: Times, theirs: Times): string[] {
  return [...ours].flatMap(([name, ms]) => (ms <= RATIO_MAX * (theirs.get(name) ?? Infinity) ? [] : [name]));
}

function compareEach(ours: Times, theirs: Times): void {
  const suspects = slowOnes(ours, theirs);
  const again = mkdtempSync(path.join(os.tmpdir(), "gemel-bench-"));
  for (const name of suspects) copyFileSync(path.join(directory, name), path.join(again, name));
  const slow: string[] = [];
  if (suspects.length > 0) {
    const [own, peer] = [measureOurs(again, ROUNDS_AGAIN), measurePeer(again, ROUNDS_AGAIN)];
    for (const name of slowOnes(own, peer))
      slow.push(`${name} ${own.get(name)?.toFixed(2)} ms against ${peer.get(name)?.toFixed(2)} ms`);
  }
  rmSync(again, { recursive: true });
  const looked = suspects.length === 0 ? "" : `, after a second look at ${suspects.length}`;
  say(`slower than ${RATIO_MAX} times the peer${looked}: ${slow.join(", ") || "none"}`);
}

function measureLargePair(): void {
  const cib = largePair(LARGE);
  schedule(cib, clockOf(cib));
  const ms = cpuMs(() => void schedule(cib, clockOf(cib)));
  say(`pair with ${LARGE} resources: ${ms.toFixed(0)} ms CPU`);
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** The largest resident size of this process so far, in bytes. Fact: getrusage(2), ru_maxrss, in kilobytes. */
const residentPeak = () => process.resourceUsage().maxRSS * 1024;

/**
 * What a decision takes: by how much the first one raises the largest resident size of a process, code and compiler
 * included; what is left of it while the decision is held; and what each allocates, counted by V8 across collections.
 * To be run in a process of its own, in which nothing larger was ever resident.
 */
function runMemory(resources: number): void {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("--memory-of needs node --expose-gc");
  const cib = largePair(resources);
  gc();
  const [peak, used] = [residentPeak(), getHeapStatistics().used_heap_size];
  const decision = schedule(cib, clockOf(cib));
  const raised = residentPeak() - peak;
  gc();
  const held = getHeapStatistics().used_heap_size - used;
  const before = getHeapStatistics().total_allocated_bytes;
  for (let round = 0; round < ROUNDS; round++) schedule(cib, clockOf(cib));
  const allocated = (getHeapStatistics().total_allocated_bytes - before) / ROUNDS;
  say(
    `pair with ${resources} resources, ${decision.transition.actions.length} actions: ` +
      `${megabytes(allocated)} allocated a decision; ` +
      `the first one in a process: resident ${megabytes(raised)} more, ${megabytes(held)} left held`,
  );
}

function measureMemory(): void {
  for (const resources of [SMALL, LARGE]) {
    const argv = ["--expose-gc", import.meta.filename, "--memory-of", String(resources)];
    process.stdout.write(execFileSync(process.execPath, argv, { encoding: "utf8" }));
  }
}

function runCold(): void {
  expectShortRun();
  for (const [name, ms] of measureOurs(directory, 1)) say(`${name}\t${ms}`);
}

function runAll(): void {
  say(
    `load average ${os
      .loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}`,
  );
  const [own, peer]: [Times[], Times[]] = [[], []];
  let theirs: Times | undefined;
  try {
    for (let run = 0; run < COLD_RUNS; run++) {
      own.push(measureCold());
      peer.push(measurePeer(directory, 1));
    }
    theirs = measurePeer(directory, ROUNDS);
  } catch (error) {
    say(`crm_simulate: not measured (${error instanceof Error ? error.message.split("\n")[0] : "?"})`);
  }
  report(`gemel, mean of ${own.length} fresh processes`, meanOf(own));
  if (theirs !== undefined) report(`crm_simulate, mean of ${peer.length}`, meanOf(peer));
  const again = measureOurs(directory, ROUNDS);
  report("gemel, in the long run", again);
  if (theirs !== undefined) {
    report("crm_simulate, in the long run", theirs);
    compareEach(again, theirs);
  }
  measureLargePair();
  measureMemory();
  say(`resident at the end: ${Math.round(process.memoryUsage().rss / 1e6)} MB`);
}

if (asked.cold) runCold();
else if (asked["memory-of"] !== undefined) runMemory(Number(asked["memory-of"]));
else if (asked.memory) measureMemory();
else runAll();
