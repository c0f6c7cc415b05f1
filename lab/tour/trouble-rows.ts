/**
 * Each row of the table of troubles (docs/operations/what-to-do.md) on the emulated pair: how it is provoked, what must
 * be told then, and how it is healed, by what is told wherever that can be done.
 */
import type { Lab } from "../lab.ts";
import { NODES, type NodeName, peerOf } from "../names.ts";
import { CLIENT_DEVICE } from "../net/client-network.ts";
import { command } from "../processes.ts";
import { clockAheadMs, confirmedOff } from "./takeover.ts";
import { TOLD, type Told } from "./told.ts";

export interface TroubleRow {
  readonly told: Told;
  /** In words, for the table. */
  readonly how: string;
  /** From the end of the provocation; a monitor, and the work that has to come before it. */
  readonly boundMs: number;
  /** Brings it about; the node that is to tell it. `active` has the service. */
  readonly provoke: (lab: Lab, active: NodeName) => Promise<NodeName>;
  readonly heal: (lab: Lab, active: NodeName) => unknown;
}

const MONITOR_MS = 10_000;
/** Orders and their transition in an emulated machine. */
const WORK_MS = 15_000;
const DEADTIME_MS = 5_000;
const BOUND_MS = MONITOR_MS + WORK_MS;
const PING_TARGET = "10.11.0.201/24";
const AGENT = "/data/gemel/ocf/resource.d/lab/records";
const SERVER = "/data/gemel/ocf/records-server";
/** Init starts gemel again when it ends, but not while this stands. */
const KEPT_DOWN = "/run/shutting-down";
const COMMAND_MAX_MS = 240_000;

const at = ({ pair }: Lab, node: NodeName, script: string) => pair.machines[node].must(script, COMMAND_MAX_MS);

/** The ping target is one more address of the client. */
export async function pingTarget({ place }: Lab, verb: "add" | "del"): Promise<void> {
  await command("ip", "-n", place.clientNamespace, "address", verb, PING_TARGET, "dev", CLIENT_DEVICE);
}

/** Asks for an orderly stop of gemel, while the machine stays on. */
const askToLeave = (lab: Lab, node: NodeName) =>
  at(lab, node, `: >${KEPT_DOWN}; kill -TERM $(cat /run/gemel-node.pid)`);

async function untilLeft(lab: Lab, node: NodeName): Promise<void> {
  await lab.until(`gemel has ended on ${node}`, async () => {
    const answer = await lab.pair.machines[node].run("test -e /run/gemel-node.pid");
    return answer?.exitCode === 1;
  });
}

async function leave(lab: Lab, node: NodeName): Promise<void> {
  await askToLeave(lab, node);
  await untilLeft(lab, node);
}

const comeBack = (lab: Lab, node: NodeName) => at(lab, node, `rm -f ${KEPT_DOWN}; pkill -f [a]ppliance/service; true`);

async function isOff(lab: Lab, nodes: readonly NodeName[]): Promise<NodeName> {
  const off = () => nodes.find((node) => !lab.pair.machines[node].isOn());
  await lab.until(`the power of ${nodes.join(" or ")} is gone`, () => off() !== undefined);
  return off() ?? "alpha";
}

/** Who is switched on before its shooter has read that it is off is read as on, and shot once more. */
async function isReadAsOff(lab: Lab, target: NodeName, sinceWallMs: number): Promise<void> {
  const shooter = peerOf(target);
  await lab.until(`${shooter} has read ${target} as off`, async () => {
    const status = lab.watcher.status(shooter);
    if (status === undefined) return false;
    const aheadMs = await clockAheadMs(lab.pair.machines[shooter]);
    return confirmedOff(status, target, sinceWallMs + aheadMs) !== undefined;
  });
}

async function unlink(lab: Lab, nodes: readonly NodeName[]): Promise<void> {
  for (const node of nodes) await lab.pair.machines[node].unplugShared();
}

const plain = (told: Told, how: string, rest: Omit<TroubleRow, "told" | "how" | "boundMs">, boundMs = BOUND_MS) => ({
  told,
  how,
  boundMs,
  ...rest,
});

/** The active node goes into standby; both rows that this has are told by the other. */
const movedAway = (told: Told, how: string): TroubleRow =>
  plain(told, how, {
    async provoke(lab, active) {
      await at(lab, active, `crm -w node standby ${active}`);
      return peerOf(active);
    },
    heal: (lab, active) => at(lab, active, `crm node online ${active}`),
  });

export const TROUBLE_ROWS: readonly TroubleRow[] = [
  movedAway(TOLD.failedOver, "the service has moved off a node in standby"),
  movedAway(TOLD.addressMoved, "the address has just moved to the other node"),
  plain(TOLD.withoutPower, "fencing has switched a node off", {
    async provoke(lab, active) {
      await at(lab, active, `gemel fence off ${peerOf(active)}`);
      return active;
    },
    heal: (lab, active) => at(lab, active, `gemel fence on ${peerOf(active)}`),
  }),
  plain(TOLD.serviceNotRunning, "gemel was stopped on the passive node", {
    async provoke(lab, active) {
      await leave(lab, peerOf(active));
      return active;
    },
    heal: (lab, active) => comeBack(lab, peerOf(active)),
  }),
  plain(
    TOLD.networkLost,
    "the cable of one node to its clients is pulled",
    {
      provoke(lab, active) {
        lab.pair.cut("service", peerOf(active));
        return Promise.resolve(active);
      },
      heal: (lab, active) => lab.pair.join("service", peerOf(active)),
    },
    // The attribute is dampened, and a silent host is asked more than once.
    BOUND_MS + 7_000,
  ),
  plain(
    TOLD.networkLostEverywhere,
    "the ping target is down",
    {
      async provoke(lab, active) {
        await pingTarget(lab, "del");
        return active;
      },
      heal: (lab) => pingTarget(lab, "add"),
    },
    BOUND_MS + 7_000,
  ),
  plain(TOLD.diskLost, "the shared disk of one node is gone", {
    async provoke(lab, active) {
      await unlink(lab, [peerOf(active)]);
      return active;
    },
    heal: (lab, active) => lab.pair.machines[peerOf(active)].plugShared(),
  }),
  plain(TOLD.diskLostEverywhere, "the shared disk is gone from both nodes", {
    async provoke(lab, active) {
      await unlink(lab, NODES);
      return active;
    },
    async heal(lab) {
      for (const node of NODES) await lab.pair.machines[node].plugShared();
    },
  }),
  plain(TOLD.failed, "the service is killed", {
    async provoke(lab, active) {
      await at(lab, active, "kill -9 $(cat /run/records-server.pid)");
      return peerOf(active);
    },
    heal: (lab, active) => at(lab, active, `crm resource cleanup records ${active}`),
  }),
  plain(
    TOLD.failedEverywhere,
    "its program cannot be run any more, on either node",
    {
      async provoke(lab, active) {
        for (const node of NODES) await at(lab, node, `chmod -x ${SERVER}`);
        return peerOf(active);
      },
      async heal(lab, active) {
        for (const node of NODES) await at(lab, node, `chmod +x ${SERVER}`);
        for (const node of [active, peerOf(active)]) await at(lab, active, `crm resource cleanup records ${node}`);
      },
    },
    // Three starts in all, and the mirror moves between two of them.
    BOUND_MS + 4 * WORK_MS,
  ),
  plain(TOLD.runsNowhere, "both nodes are in standby", {
    async provoke(lab, active) {
      for (const node of [peerOf(active), active]) await at(lab, active, `crm node standby ${node}`);
      return active;
    },
    async heal(lab, active) {
      for (const node of [active, peerOf(active)]) await at(lab, active, `crm node online ${node}`);
    },
  }),
  plain(TOLD.leftOver, "a constraint of an old move keeps the service from a node", {
    async provoke(lab, active) {
      await at(lab, active, `crm configure location cli-standby-service service -inf: ${peerOf(active)}`);
      return active;
    },
    heal: (lab, active) => at(lab, active, "crm resource unmove service"),
  }),
  plain(TOLD.shutdownHangs, "a node is to stop, and the service on it does not", {
    async provoke(lab, active) {
      await at(lab, active, `chmod -x ${AGENT}`);
      await askToLeave(lab, active);
      return peerOf(active);
    },
    async heal(lab, active) {
      await at(lab, active, `chmod +x ${AGENT}`);
      await at(lab, peerOf(active), `crm resource cleanup records ${active}`);
      await untilLeft(lab, active);
      await comeBack(lab, active);
    },
  }),
  plain(
    TOLD.notReady,
    "a node starts before the program of its service is there",
    {
      async provoke(lab, active) {
        const late = peerOf(active);
        await leave(lab, late);
        await at(lab, late, `chmod -x ${AGENT}`);
        await comeBack(lab, late);
        return active;
      },
      async heal(lab, active) {
        await at(lab, peerOf(active), `chmod +x ${AGENT}`);
        await at(lab, active, `crm resource cleanup records ${peerOf(active)}`);
      },
    },
    // From the first heartbeat of the node that starts until its manager has looked at everything.
    BOUND_MS + WORK_MS,
  ),
  plain(TOLD.activeTwice, "the service was started by hand on the passive node", {
    async provoke(lab, active) {
      await at(lab, peerOf(active), `OCF_RESKEY_file=/tmp/by-hand ${AGENT} start`);
      return active;
    },
    async heal(lab, active) {
      await at(lab, peerOf(active), `${AGENT} stop`);
      await at(lab, active, "crm resource cleanup records");
    },
  }),
  plain(TOLD.withoutInterface, "an address of a network that no node is in", {
    async provoke(lab, active) {
      await at(lab, active, "crm configure primitive far ocf:gemel:IPaddr2 params ip=203.0.113.9");
      return active;
    },
    heal: (lab, active) =>
      at(lab, active, "crm -w resource stop far && crm resource cleanup far && crm configure delete far"),
  }),
  plain(
    TOLD.linkDown,
    "one of three heartbeat links is cut",
    {
      provoke(lab, active) {
        lab.pair.cut("private");
        return Promise.resolve(active);
      },
      heal: (lab) => lab.pair.join("private"),
    },
    DEADTIME_MS + WORK_MS,
  ),
  plain(
    TOLD.mutualFencing,
    "all links are cut: one shoots the other, which boots and, still alone, shoots back",
    {
      async provoke(lab) {
        const { machines } = lab.pair;
        const sinceWallMs = Date.now();
        lab.pair.split(peerOf(lab.active()));
        const first = await isOff(lab, NODES);
        await isReadAsOff(lab, first, sinceWallMs);
        await machines[first].powerOn();
        const second = await isOff(lab, [peerOf(first)]);
        await isReadAsOff(lab, second, sinceWallMs);
        lab.pair.joinAll();
        await machines[second].powerOn();
        await lab.until(`${second} boots`, () => lab.watcher.latest(second)?.seen !== undefined);
        return first;
      },
      heal: () => {},
    },
    // Neither knows of both shots before they meet again.
    BOUND_MS + 4 * WORK_MS,
  ),
  plain(
    TOLD.fencingFails,
    "a node hangs, and its board says yes and does nothing",
    {
      async provoke(lab, active) {
        lab.pair.machines[active].power.setVice("stuck");
        await lab.pair.machines[active].freeze();
        return peerOf(active);
      },
      // Its power is pulled by hand: a board that reads "on" has the confirmation refused.
      async heal(lab, active) {
        const { [active]: hung, [peerOf(active)]: other } = lab.pair.machines;
        await hung.powerCut();
        hung.power.setVice("none");
        await other.must(`gemel fence confirm ${active} --yes ${active}`, COMMAND_MAX_MS);
        await hung.powerOn();
      },
    },
    // Two rounds of fencing in which the power is read for as long as a board may take; the first is told at once.
    BOUND_MS + 120_000,
  ),
];

/** Row 14: a node whose memory was set back comes in by itself; there is nothing left to tell or to do. */
export async function restoreFromBackup(lab: Lab, node: NodeName): Promise<void> {
  await leave(lab, node);
  await at(lab, node, `printf '{"generation":0,"peers":{}}\\n' >/data/gemel/state/membership.json`);
  await comeBack(lab, node);
  await lab.until(`${node} says that it has raised its generation`, async () => {
    const answer = await lab.pair.machines[node].run("grep -q generation-raised /data/log/gemel.log");
    return answer?.exitCode === 0;
  });
}
