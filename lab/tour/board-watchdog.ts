/**
 * Watchdog fencing on the emulated pair: no board answers, and what ends the node that lost its quorum is its own
 * watchdog, a real i6300esb driver and device. The lock on the shared disk tells the two halves apart.
 */
import type { Lab } from "../lab.ts";
import { NODES, peerOf } from "../names.ts";
import { type Scenario, SHARED_DISK } from "./board-scenario.ts";
import { takeOver } from "./takeover.ts";

/** Longer than an emulated machine pauses on a busy host. */
const LEASE = "quorum-lease 15s";
const NODE_CONF = "/etc/gemel/node.conf";
const COMMAND_MAX_MS = 240_000;

/** The node restarts with what its node.conf says now: the passive one first, so that only one move is needed. */
async function restartBoth(lab: Lab, edit: string): Promise<void> {
  const { machines } = lab.pair;
  for (const node of [peerOf(lab.active()), lab.active()]) {
    const before = await machines[node].must("cat /run/gemel-node.pid");
    await machines[node].must(`${edit}; kill -TERM $(cat /run/gemel-node.pid)`, COMMAND_MAX_MS);
    await lab.until(`gemel starts again on ${node}`, async () => {
      const answer = await machines[node].run("cat /run/gemel-node.pid");
      return answer?.exitCode === 0 && answer.output !== before;
    });
    await lab.untilWhole();
  }
}

const CLUSTER_ON = "crm configure property no-quorum-policy=stop stonith-watchdog-timeout=-1";
const CLUSTER_OFF = "crm configure property no-quorum-policy=ignore stonith-watchdog-timeout=0";

export const NO_BOARD: Scenario = {
  title: "no board answers, and the active node is cut off: its watchdog ends it, and that is the proof",
  async play(lab) {
    const { machines } = lab.pair;
    const asked = lab.active();
    await machines[asked].must(`gemel fence lock create ${SHARED_DISK} --yes ${SHARED_DISK}`, COMMAND_MAX_MS);
    await machines[asked].must(CLUSTER_ON, COMMAND_MAX_MS);
    await restartBoth(lab, `printf 'tie-breaker disk ${SHARED_DISK}\n${LEASE}\n' >>${NODE_CONF}`);
    for (const node of NODES) machines[node].bmc.freeze();
    const from = lab.active();
    try {
      const { to, fencing, outageMs } = await takeOver(lab, "its links and its shared disk are cut", async (struck) => {
        await struck.unplugShared();
        lab.pair.split(from);
      });
      if (fencing === undefined) throw new Error(`${to} took over without a confirmed fencing`);
      if (!fencing.evidence.includes("watchdog")) throw new Error(`${to} has another proof: ${fencing.evidence}`);
      lab.pair.joinAll();
      await machines[from].plugShared();
      for (const node of NODES) machines[node].bmc.thaw();
      await lab.untilWhole();
      await machines[to].must(CLUSTER_OFF, COMMAND_MAX_MS);
      await restartBoth(lab, `sed -i '/^tie-breaker disk/d; /^quorum-lease/d' ${NODE_CONF}`);
      return `${to} took over after ${(outageMs / 1000).toFixed(1)} s: ${fencing.evidence}`;
    } finally {
      for (const node of NODES) machines[node].bmc.thaw();
    }
  },
};
