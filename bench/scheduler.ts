/**
 * The scheduler beside crm_simulate --profile, in one run on the same machine.
 * 1. One pass over all reference cases in a fresh process: CPU time, compilation included, against the peer's.
 * 2. Each case again and again: whether any takes more than twice the peer's time.
 * 3. A pair with 1,000 resources, and the memory that a pass of it needs.
 * Usage: node bench/scheduler.ts [CASES-DIRECTORY]
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { parseXml, type XmlElement } from "../src/base/xml.ts";
import { schedule } from "../src/cluster/core/scheduler/schedule.ts";
import { largePair } from "../test/support/large-pair.ts";

const directory = process.argv[2] ?? path.resolve(import.meta.dirname, "../../shared/scheduler-cases/xml");
const NOW_WALL_MS = 1_790_000_000_000;
/** The peer tells hundredths of a second: only many rounds of one case tell its share. */
const ROUNDS = 20;
/** Below this a round is noise on both sides. */
const SMALL_MS = 1;
const RATIO_MAX = 2;

type Times = ReadonlyMap<string, number>;

function readCase(name: string): XmlElement | undefined {
  const read = parseXml(readFileSync(path.join(directory, name), "utf8"));
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
function measureOurs(rounds: number): Times {
  const times = new Map<string, number>();
  for (const name of readdirSync(directory).filter((file) => file.endsWith(".xml"))) {
    const cib = readCase(name);
    if (cib === undefined) continue;
    const ms = cpuMs(() => {
      for (let round = 0; round < rounds; round++) schedule(cib, clockOf(cib));
    });
    times.set(name, ms / rounds);
  }
  return times;
}

function measurePeer(rounds: number): Times {
  const text = execFileSync("crm_simulate", ["--profile", directory, "--repeat", String(rounds)], {
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

function compareEach(ours: Times, theirs: Times): void {
  const slow = [...ours].flatMap(([name, ms]) => {
    const peer = theirs.get(name);
    return peer === undefined || ms < SMALL_MS || ms <= RATIO_MAX * peer
      ? []
      : [`${name} ${ms.toFixed(1)} ms against ${peer.toFixed(1)} ms`];
  });
  say(`slower than ${RATIO_MAX} times the peer (of those above ${SMALL_MS} ms): ${slow.join(", ") || "none"}`);
}

function measureLargePair(): void {
  const cib = largePair(1000);
  schedule(cib, clockOf(cib));
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  let decision: unknown;
  const ms = cpuMs(() => {
    decision = schedule(cib, clockOf(cib));
  });
  const taken = (process.memoryUsage().heapUsed - before) / 1e6;
  decision = undefined;
  void decision;
  say(`pair with 1000 resources: ${ms.toFixed(0)} ms CPU, at most ${taken.toFixed(0)} MB of heap for the pass`);
}

say(
  `load average ${os
    .loadavg()
    .map((load) => load.toFixed(1))
    .join(" ")}`,
);
report("gemel", measureOurs(1));
let theirs: Times | undefined;
try {
  report("crm_simulate", measurePeer(1));
  theirs = measurePeer(ROUNDS);
} catch (error) {
  say(`crm_simulate: not measured (${error instanceof Error ? error.message.split("\n")[0] : "?"})`);
}
const again = measureOurs(ROUNDS);
report("gemel, in the long run", again);
if (theirs !== undefined) {
  report("crm_simulate, in the long run", theirs);
  compareEach(again, theirs);
}
measureLargePair();
say(`resident at the end: ${Math.round(process.memoryUsage().rss / 1e6)} MB`);
