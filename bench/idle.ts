/**
 * What a settled node costs while nothing happens: a pair in network namespaces, with its fencing devices and six
 * resources of ours that are monitored every 10 s, left alone for a minute. Each process is told by itself: its share
 * of one core, how often its threads were woken, what it wrote, what its children cost. Bar: below 1 % of a core for a
 * node, at keepalive 1 s.
 * Run: `npm run bench -- idle [--seconds N] [--keepalive MS] [--more RESOURCES] [--pause SECONDS]`, as root. `--pause`
 * tells the process ids and waits before it measures, for a profiler. GEMEL_BINARY names a built program to measure in
 * place of the source.
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createChance } from "../src/base/chance.ts";
import { type Cluster, openCluster } from "../test/support/cts/cluster.ts";
import { ADDRESS, type NodeName } from "../test/support/cts/configuration.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    keepalive: { type: "string", default: "1000" },
    more: { type: "string", default: "0" },
    pause: { type: "string", default: "0" },
  },
});
const seconds = Number(values.seconds);
const keepaliveMs = Number(values.keepalive);
/** Resources beside the six. */
const more = Array.from({ length: Number(values.more) }, (_, index) => `more-${index + 1}`);
const PAIR = ["alpha", "bravo"] as const satisfies readonly NodeName[];
const BAR_PERCENT = 1;
const READY_MS = 120_000;
/** Of each node's log, where they do not settle. */
const LAST_LINES = 15;
/** The rehearsals, the proofs of the devices and V8's own first compilations come after the start. */
const CALM_MS = 30_000;
/** USER_HZ, as Linux tells it to every program. */
const TICKS_PER_SECOND = 100;

const configuration = (_claims: string, board: (node: NodeName) => string) => {
  const monitored = "op monitor interval=10s timeout=40s";
  const devices = PAIR.flatMap((node) => [
    `primitive fence-${node} stonith:ipmi-lan params host=${board(node)} user=admin secret=board` +
      ` pcmk_host_list=${node} settle_time=100ms answer_time=5s`,
    `location fence-${node}-elsewhere fence-${node} -inf: ${node}`,
  ]);
  return `${[
    `primitive address ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service ${monitored}`,
    `primitive first ocf:gemel:Dummy ${monitored}`,
    `primitive second ocf:gemel:Dummy ${monitored}`,
    `primitive third ocf:gemel:Dummy ${monitored}`,
    "group service address first second third",
    ...more.map((id) => `primitive ${id} ocf:gemel:Dummy ${monitored}`),
    "primitive mirror-state ocf:gemel:Stateful" +
      " op monitor interval=10s role=Master timeout=40s op monitor interval=11s role=Slave timeout=40s",
    "ms mirror mirror-state meta master-max=1",
    "colocation service-with-mirror inf: service mirror:Master",
    ...devices,
    "property stonith-enabled=true stonith-action=off",
    "rsc_defaults resource-stickiness=100",
  ].join("\n")}\n`;
};

/** Counters since the start of one process. */
interface Cost {
  readonly cpuMs: number;
  readonly wakes: number;
  readonly childrenMs: number;
  readonly writtenBytes: number;
  readonly writes: number;
}

const field = (text: string, name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(text)?.[1]);

function readCost(pid: number): Cost {
  let cpuMs = 0;
  let wakes = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const place = `/proc/${pid}/task/${thread}`;
    cpuMs += Number(readFileSync(`${place}/schedstat`, "utf8").split(" ")[0]) / 1e6;
    wakes += field(readFileSync(`${place}/status`, "utf8"), "voluntary_ctxt_switches");
  }
  // The name in parentheses may hold anything; cutime and cstime are fields 16 and 17, the name is field 2.
  const rest = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  const childrenMs = ((Number(rest[13]) + Number(rest[14])) * 1_000) / TICKS_PER_SECOND;
  const io = readFileSync(`/proc/${pid}/io`, "utf8");
  return { cpuMs, wakes, childrenMs, writtenBytes: field(io, "write_bytes"), writes: field(io, "syscw") };
}

async function settled(cluster: Cluster): Promise<void> {
  const untilMs = performance.now() + READY_MS;
  for (;;) {
    const status = await cluster.status("alpha");
    const isOnline = status?.nodes.every(({ state }) => state === "online") === true;
    const hasService = PAIR.some((node) => cluster.world(node).has("third"));
    if (status !== undefined && isOnline && hasService && !status.transition.isRunning) return;
    if (performance.now() > untilMs) {
      const lines = PAIR.flatMap((node) => cluster.log(node).split("\n").slice(-LAST_LINES));
      throw new Error(`not settled:\n${lines.join("\n")}`);
    }
    await sleep(200);
  }
}

async function measure(cluster: Cluster): Promise<void> {
  for (const node of PAIR) cluster.start(node);
  await settled(cluster);
  const dc = (await cluster.status("alpha"))?.dc;
  await sleep(CALM_MS);
  const seen = PAIR.flatMap((node) =>
    cluster
      .processes(node)
      .filter(({ kind }) => kind === "keeper" || kind === "manager")
      .map(({ pid, kind }) => ({ node, kind, pid })),
  );
  if (Number(values.pause) > 0) {
    for (const { node, kind, pid } of seen) process.stdout.write(`${node} ${kind} ${pid}\n`);
    await sleep(Number(values.pause) * 1_000);
  }
  const before = seen.map(({ pid }) => readCost(pid));
  const startedAtMs = performance.now();
  await sleep(seconds * 1_000);
  const tookS = (performance.now() - startedAtMs) / 1_000;
  const totals = new Map<string, number>();
  for (const [index, { node, kind, pid }] of seen.entries()) {
    const after = readCost(pid);
    const since = (name: keyof Cost) => (after[name] - (before[index]?.[name] ?? 0)) / tookS;
    const percent = (since("cpuMs") + since("childrenMs")) / 10;
    totals.set(node, (totals.get(node) ?? 0) + percent);
    process.stdout.write(
      `${node.padEnd(6)} ${kind.padEnd(8)} ${(since("cpuMs") / 10).toFixed(2)} % of a core,` +
        ` its children ${(since("childrenMs") / 10).toFixed(2)} %, ${since("wakes").toFixed(1)} wakes/s,` +
        ` ${since("writes").toFixed(1)} writes/s, ${(since("writtenBytes") / 1024).toFixed(1)} KiB/s to disk\n`,
    );
  }
  for (const [node, percent] of totals) {
    const is = node === dc ? " (DC)" : "";
    const verdict = percent < BAR_PERCENT ? "below" : "ABOVE";
    process.stdout.write(
      `${node}${is}: ${percent.toFixed(2)} % of a core at keepalive ${keepaliveMs} ms, ${verdict} ${BAR_PERCENT} %\n`,
    );
  }
}

const cluster = await openCluster(createChance(1).next, {
  nodes: PAIR,
  configuration,
  lines: ["watchdog none", "self-fencing exit"],
  times: [`keepalive ${keepaliveMs}ms`, `deadtime ${Math.max(6_000, 10 * keepaliveMs)}ms`, "initdead 20s"],
  personMs: Infinity,
});
try {
  await measure(cluster);
} finally {
  await cluster.close();
}
