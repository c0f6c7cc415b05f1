/**
 * How many starts a real node runs at once, by its load: 12 resources whose start takes 2 s, on one node in a network
 * namespace, while the machine's load is above twice its processors (busy loops make it so where it is not).
 * Bar: as Pacemaker Explained has it, twice the cores at once where the load does not count (load-threshold=0%), no
 * more than node-action-limit where one is set, no more than batch-limit in the whole cluster, and fewer under load;
 * how much fewer is our own (src/cluster/core/executor/limits.ts): the share of the threshold in the load, and never
 * below 2.
 * Run: `npm run bench -- load`, as root.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { openNodePair, PATIENT_TIMES } from "../test/app/node-pair.ts";

const COUNT = 12;
const UNTIL_MS = 300_000;
/** The manager looks at the load each 5 s. */
const SEEN_MS = 6_000;
const cores = os.availableParallelism();
const loadNow = () => os.loadavg()[0] ?? 0;

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-load-"));
const runs = path.join(folder, "runs");
const agents = path.join(folder, "ocf");

/** Notes when its start begins and ends, in nanoseconds. */
const AGENT = `#!/bin/sh
state=${folder}/$OCF_RESOURCE_INSTANCE.up
case $1 in
meta-data) echo '<resource-agent name="slow"><actions/></resource-agent>' ;;
start) echo "$(date +%s%N) 1" >>${runs}; sleep 2; echo "$(date +%s%N) -1" >>${runs}; : >$state ;;
stop) rm -f $state ;;
monitor) [ -e $state ] || exit 7 ;;
esac
`;

/** The most that ran at one moment, and how long all of them took. */
function readRuns(): { readonly most: number; readonly tookS: string } {
  const events = readFileSync(runs, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number))
    .sort(([left = 0], [right = 0]) => left - right);
  let [now, most] = [0, 0];
  for (const [, step = 0] of events) {
    now += step;
    most = Math.max(most, now);
  }
  const [first = 0, last = 0] = [events[0]?.[0], events.at(-1)?.[0]];
  return { most, tookS: ((last - first) / 1e9).toFixed(1) };
}

/** Busy loops until the load of a minute is high enough. */
async function makeLoad(): Promise<readonly ChildProcess[]> {
  const busy: ChildProcess[] = [];
  while (loadNow() < 2 * cores) {
    while (busy.length < 4 * cores) busy.push(spawn("nice", ["-n", "19", "sh", "-c", "while :; do :; done"]));
    await sleep(1_000);
  }
  return busy;
}

/** What each setting allows at a load of so much for each core. */
const CASES: readonly (readonly [settings: string, most: (load: number) => number])[] = [
  ["load-threshold=0%", () => 2 * cores],
  ["load-threshold=0% node-action-limit=8", () => 8],
  ["load-threshold=0% node-action-limit=3", () => 3],
  ["load-threshold=0% node-action-limit=8 batch-limit=5", () => 5],
  ["load-threshold=80% node-action-limit=8", (load) => Math.max(2, Math.floor((8 * 0.8) / load))],
  ["load-threshold=80%", (load) => Math.max(2, Math.floor((2 * cores * 0.8) / load))],
];

mkdirSync(path.join(agents, "resource.d/bench"), { recursive: true });
writeFileSync(path.join(agents, "resource.d/bench/slow"), AGENT);
chmodSync(path.join(agents, "resource.d/bench/slow"), 0o755);
const names = Array.from({ length: COUNT }, (_, index) => `r${index}`);
const primitives = names.map((name) => `primitive ${name} ocf:bench:slow op start timeout=60s op stop timeout=60s\n`);
const pair = openNodePair({
  times: [...PATIENT_TIMES, `agents ${agents}`],
  configuration: `${primitives.join("")}rsc_defaults target-role=Stopped
property stonith-enabled=false no-quorum-policy=ignore\nlocation l { ${names.join(" ")} } inf: alpha\n`,
});
const busy = await makeLoad();
let faults = 0;
const isUp = (name: string) => existsSync(path.join(folder, `${name}.up`));
try {
  pair.start("alpha");
  pair.start("bravo");
  await pair.until("both are online", async () => {
    const status = await pair.status("alpha");
    return status?.nodes.every(({ state }) => state === "online") === true && !status.transition.isRunning;
  });
  for (const [settings, mostAt] of CASES) {
    for (const word of ["load-threshold", "node-action-limit", "batch-limit"])
      pair.gemel("alpha", "crm_attribute", "-t", "crm_config", "-n", word, "-D");
    pair.gemel("alpha", "crm", "configure", "property", ...settings.split(" "));
    await sleep(SEEN_MS);
    rmSync(runs, { force: true });
    const load = loadNow() / cores;
    pair.gemel("alpha", "crm", "configure", "rsc_defaults", "target-role=Started");
    await pair.until("all are up", () => names.every(isUp), UNTIL_MS);
    const { most, tookS } = readRuns();
    pair.gemel("alpha", "crm", "configure", "rsc_defaults", "target-role=Stopped");
    await pair.until("all are down", () => !names.some(isUp), UNTIL_MS);
    // The load changes while they start: by the higher and the lower of both, and a tenth for rounding.
    const loads = [load, loadNow() / cores];
    const [least, highest] = [mostAt(Math.max(...loads) + 0.1), mostAt(Math.min(...loads) - 0.1)];
    const isWell = most >= least && most <= highest;
    if (!isWell) faults += 1;
    const bar = least === highest ? String(least) : `${least} to ${highest}`;
    process.stdout.write(
      `${isWell ? "ok    " : "FAILED"}  ${settings}, load ${load.toFixed(1)} for each of ${cores} cores: ` +
        `${most} starts at once (bar: ${bar}), ${COUNT} of 2 s took ${tookS} s\n`,
    );
  }
} finally {
  for (const child of busy) child.kill("SIGKILL");
  await pair.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = faults === 0 ? 0 : 1;
