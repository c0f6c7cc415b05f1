/**
 * `npm run bench -- mixed OLD NEW`: a pair of two versions, OLD and NEW being built programs: each of them is the DC
 * once. Join, a service with `shutdown-lock` whose node leaves and comes back, an update that is taken back with the
 * service locked, and a takeover by fencing. The bar: no manager ends by itself, and the service runs on exactly one
 * node after each step. KEEP=1 in the environment prints both logs. Needs root. Exit code 1 when the bar is missed.
 */
import os from "node:os";
import process from "node:process";
import { ADDRESS, NODES, type NodeName, openNodePair } from "../test/app/node-pair.ts";

const [older = "", newer = ""] = process.argv.slice(2);
const WRONG_CALL = 64;
const CONFIGURATION = `
property shutdown-lock=true
primitive ip ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service op monitor interval=5s \\
    op start timeout=20s op stop timeout=20s meta resource-stickiness=100
primitive person stonith:meatware
`;
const LEFT = 0;

/** What each manager's log says that no healthy one says. */
const complaints = (log: string) => log.split("\n").filter((line) => /manager ended|manager died|TypeError/.test(line));

async function play(binaries: Record<NodeName, string>): Promise<readonly string[]> {
  const pair = openNodePair({
    times: ["keepalive 200ms", "deadtime 5s", "initdead 10s"],
    configuration: CONFIGURATION,
  });
  const other = (node: NodeName): NodeName => (node === "alpha" ? "bravo" : "alpha");
  const holders = () => NODES.filter((node) => pair.hasAddress(node));
  const isIdle = async () => {
    const status = await pair.status("alpha");
    const isQuiet = status?.transition.isRunning === false && status.nodes.every(({ state }) => state === "online");
    return isQuiet && holders().length === 1;
  };
  try {
    // The first to be up leads.
    for (const node of NODES) pair.start(node, binaries[node]);
    await pair.until("the pair is idle", isIdle);
    for (const node of NODES) {
      pair.signal(node, "SIGTERM");
      if ((await pair.ended(node)) !== LEFT) throw new Error(`${node} did not leave`);
      pair.start(node);
      await pair.until(`the pair is idle again after ${node} had left`, isIdle);
    }
    // Both are of the new version; the one that holds the service leaves with its lock, and comes back as the old one.
    const follower: NodeName = "bravo";
    for (const program of [newer, older]) {
      pair.gemel("alpha", "crm_resource", "--move", "-r", "ip", "-N", follower);
      await pair.until(`${follower} has the service`, async () => pair.hasAddress(follower) && (await isIdle()));
      pair.signal(follower, "SIGTERM");
      await pair.ended(follower);
      pair.start(follower, program);
      await pair.until(`the pair is idle after ${follower} has come back`, isIdle);
    }
    const [victim = "alpha"] = holders();
    pair.powerOff(victim);
    await pair.until("its death is told", () => pair.log(other(victim)).includes("peer-lost"));
    await pair.until("the fencing is confirmed", () => {
      return pair.gemel(other(victim), "fence", "confirm", victim, "--yes", victim).code === 0;
    });
    await pair.until("the service is taken over", () => pair.hasAddress(other(victim)));
    pair.start(victim);
    await pair.until("the pair is idle again after the takeover", isIdle);
    return NODES.flatMap((node) => complaints(pair.log(node)).map((line) => `${node}: ${line}`));
  } finally {
    if (process.env.KEEP !== undefined) for (const node of NODES) process.stderr.write(`== ${node}\n${pair.log(node)}`);
    await pair.close();
  }
}

if (older === "" || newer === "") {
  process.stderr.write("mixed: names two built programs: npm run bench -- mixed OLD NEW\n");
  process.exitCode = WRONG_CALL;
} else
  for (const [who, binaries] of [
    ["the newer one leads", { alpha: newer, bravo: older }],
    ["the older one leads", { alpha: older, bravo: newer }],
  ] as const) {
    const found = await play(binaries);
    for (const line of found) process.stdout.write(`  ${line}\n`);
    const verdict = found.length === 0 ? "kept" : "MISSED";
    process.stdout.write(`${who}: join, leave, takeover; load ${os.loadavg()[0]?.toFixed(1)}: ${verdict}\n`);
    if (found.length > 0) process.exitCode = 1;
  }
