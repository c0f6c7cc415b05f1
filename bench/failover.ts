/**
 * The outage of the pair in network namespaces, without emulated machines: keepalive 200 ms, deadtime 1000 ms, fencing
 * disabled by configuration. The active node is killed and its cables are cut; the outage is the time from there until
 * the virtual address answers a client again. Bar: the median of 10 is at most deadtime + 50 ms.
 * Compare (reference/product.md): Heartbeat 3.0.6 1380-1490 ms; corosync + pacemaker, token 1000: 2100-2200 ms.
 * Run: `npm run bench -- failover [ROUNDS]`, as root.
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { ADDRESS, NODES, type NodeName, openNodePair } from "../test/app/node-pair.ts";

const DEADTIME_MS = 1_000;
const BAR_MS = DEADTIME_MS + 50;
/** An echo request each so many milliseconds; what the figure is exact to. */
const PROBE_MS = 5;

const CONFIGURATION = `
primitive ip ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service op monitor interval=10s \\
    op start timeout=20s op stop timeout=20s
property stonith-enabled=false no-quorum-policy=ignore
`;

interface Replies {
  /** Monotonic time of the first reply after `atMs`; undefined while there is none. */
  readonly firstAfter: (atMs: number) => number | undefined;
  readonly close: () => void;
}

/** Follows the echo replies of a client that pings all the time. */
function followReplies(pair: ReturnType<typeof openNodePair>): Replies {
  const times: number[] = [];
  const child = pair.client("ping", "-n", "-i", String(PROBE_MS / 1000), ADDRESS);
  child.stdout?.on("data", (chunk: Buffer) => {
    if (chunk.toString().includes("bytes from")) times.push(performance.now());
  });
  return { firstAfter: (atMs) => times.find((time) => time > atMs), close: () => child.kill("SIGKILL") };
}

async function outageMs(): Promise<number> {
  const pair = openNodePair({
    times: ["keepalive 200ms", `deadtime ${DEADTIME_MS}ms`, "initdead 5s"],
    configuration: CONFIGURATION,
  });
  try {
    for (const node of NODES) pair.start(node);
    const active = (): NodeName | undefined => NODES.find((node) => pair.hasAddress(node));
    await pair.until("the address is up", () => active() !== undefined);
    const replies = followReplies(pair);
    await pair.until("both are online", async () => {
      const status = await pair.status("alpha");
      return status?.nodes.every(({ state }) => state === "online") === true && !status.transition.isRunning;
    });
    await pair.until("the address answers", () => replies.firstAfter(0) !== undefined);
    // Anywhere between two heartbeats.
    await sleep(500 + Math.random() * 200);
    const killed = active();
    if (killed === undefined) throw new Error("nobody has the address");
    const cutAtMs = performance.now();
    pair.cut(killed);
    await sleep(20);
    const afterCutMs = performance.now();
    await pair.until("the address answers elsewhere", () => replies.firstAfter(afterCutMs) !== undefined, 20_000);
    replies.close();
    return (replies.firstAfter(afterCutMs) ?? Number.NaN) - cutAtMs;
  } finally {
    await pair.close();
  }
}

const rounds = Number(process.argv[2] ?? 10);
const outages: number[] = [];
for (let round = 1; round <= rounds; round += 1) {
  const outage = await outageMs();
  outages.push(outage);
  process.stdout.write(`round ${round}: ${outage.toFixed(0)} ms\n`);
}
outages.sort((left, right) => left - right);
const median = ((outages[Math.floor((rounds - 1) / 2)] ?? 0) + (outages[Math.floor(rounds / 2)] ?? 0)) / 2;
const range = `${outages[0]?.toFixed(0)} to ${outages.at(-1)?.toFixed(0)}`;
process.stdout.write(`outage: median ${median.toFixed(0)} ms of ${rounds} (${range}); bar: ${BAR_MS} ms\n`);
process.exitCode = median <= BAR_MS ? 0 : 1;
