/**
 * `npm run bench -- pause [ROUNDS]`: both processes of the active node are stopped for 1.5 deadtimes and go on
 * (SIGSTOP, SIGCONT), while a person is awaited who would switch it off. The bar: the address never stands on both
 * nodes, the woken node starts nothing and ends itself, and the other one takes over once the power is confirmed as
 * off. Prints how soon the woken node ended itself. Two whole nodes in namespaces; needs root.
 */
import os from "node:os";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { ADDRESS, NODES, type NodeName, openNodePair } from "../test/app/node-pair.ts";

const [rounds = "5"] = process.argv.slice(2);
const DEADTIME_MS = 2_000;
const LOOK_MS = 50;
const CONFIGURATION = `
primitive ip ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service op monitor interval=5s \\
    op start timeout=20s op stop timeout=20s
primitive person stonith:meatware
`;

const pair = openNodePair({
  times: ["keepalive 200ms", `deadtime ${DEADTIME_MS}ms`, "initdead 5s"],
  configuration: CONFIGURATION,
});
const other = (node: NodeName): NodeName => (node === "alpha" ? "bravo" : "alpha");
const holders = () => NODES.filter((node) => pair.hasAddress(node));

async function isIdle(): Promise<boolean> {
  const status = await pair.status("bravo");
  const isQuiet = status?.transition.isRunning === false && status.nodes.every(({ state }) => state === "online");
  return isQuiet && holders().length === 1;
}

/** Milliseconds from SIGCONT to the end of the woken node. */
async function pause(): Promise<number> {
  const [asleep = "alpha"] = holders();
  const awake = other(asleep);
  pair.signalAll(asleep, "SIGSTOP");
  await sleep(1.5 * DEADTIME_MS);
  const before = pair.log(asleep).length;
  const wokenAtMs = performance.now();
  pair.signalAll(asleep, "SIGCONT");
  await pair.ended(asleep);
  const tookMs = performance.now() - wokenAtMs;
  if (/start of|promote of/.test(pair.log(asleep).slice(before))) throw new Error(`${asleep} started something`);
  // Its address stands until the machine is off; only that word lets the other one take over.
  pair.powerOff(asleep);
  pair.gemel(awake, "fence", "confirm", asleep, "--yes", asleep);
  await pair.until(`${awake} has the address`, () => pair.hasAddress(awake));
  pair.start(asleep);
  await pair.until("both are online", isIdle);
  return tookMs;
}

let most = 0;
const tookMs: number[] = [];
try {
  for (const node of NODES) pair.start(node);
  await pair.until("the address is up on one node, and the pair is idle", isIdle);
  const look = setInterval(() => {
    most = Math.max(most, holders().length);
  }, LOOK_MS);
  try {
    for (let round = 0; round < Number(rounds); round += 1) tookMs.push(await pause());
  } finally {
    clearInterval(look);
  }
  process.stdout.write(
    `${rounds} pauses of ${1.5 * DEADTIME_MS} ms at deadtime ${DEADTIME_MS} ms: ` +
      `the address on at most ${most} node(s), ` +
      `woken nodes ended themselves within ${Math.round(Math.max(...tookMs))} ms; ` +
      `load ${os.loadavg()[0]?.toFixed(1)}: ${most === 1 ? "kept" : "MISSED"}\n`,
  );
} finally {
  await pair.close();
}
process.exitCode = most === 1 ? 0 : 1;
