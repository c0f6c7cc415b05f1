/**
 * Each row of the table of troubles (docs/operations/what-to-do.md): how it is provoked on a real pair, which diagnosis
 * and command must stand in the status then, and how it is healed, by that command wherever it can be.
 * Not here: what needs hardware (mirrors that split, watchdogs, boards of a certain make).
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { TOLD, type Told } from "../../../lab/tour/told.ts";
import type { NodeName } from "../../app/node-pair.ts";
import { DEADTIME_MS, INITDEAD_MS, MONITOR_MS, otherOf, PING_TARGET, type Stage } from "./stage.ts";

export interface Row extends Told {
  /** In words, for the table of the bench. */
  readonly how: string;
  /** What may see it first: the longest monitor, or deadtime, with the work that has to come before it. */
  readonly boundMs: number;
  /** Brings it about; the node that is to tell it. `active` has the service. */
  readonly provoke: (stage: Stage, active: NodeName) => Promise<NodeName> | NodeName;
  readonly heal: (stage: Stage, active: NodeName) => Promise<void> | void;
}

/** Orders and their transition, on a machine that may be busy. */
const WORK_MS = 3_000;
/** From the keeper's first heartbeat until the manager has joined and looked at everything. */
const JOIN_MS = 5_000;
const MONITOR_BOUND_MS = MONITOR_MS + 1_000 + WORK_MS;
const DEATH_BOUND_MS = DEADTIME_MS + WORK_MS;

function restart(stage: Stage, node: NodeName): void {
  stage.boards[node].setPower("on");
  stage.pair.join(node);
  stage.pair.start(node);
}

/** Until `by` has had the other node switched off and on again. */
async function shotBy({ pair }: Stage, by: NodeName): Promise<void> {
  await pair.until(`${by} has fenced the other node`, async () => {
    const last = (await pair.status(by))?.fencing.history.findLast(({ target }) => target === otherOf(by));
    return last?.outcome === "confirmed";
  });
}

async function leave({ pair }: Stage, node: NodeName): Promise<void> {
  pair.signal(node, "SIGTERM");
  await pair.ended(node);
}

export const ROWS: readonly Row[] = [
  {
    ...TOLD.failedOver,
    how: "the service has moved off a node in standby",
    boundMs: MONITOR_BOUND_MS,
    provoke: ({ tell }, active) => {
      tell(active, "crm", "node", "standby", active);
      return otherOf(active);
    },
    heal: ({ tell }, active) => void tell(active, "crm", "node", "online", active),
  },
  {
    ...TOLD.addressMoved,
    how: "the address has just moved to the other node",
    boundMs: MONITOR_BOUND_MS,
    provoke: ({ tell }, active) => {
      tell(active, "crm", "node", "standby", active);
      return otherOf(active);
    },
    heal: ({ tell }, active) => void tell(active, "crm", "node", "online", active),
  },
  {
    ...TOLD.withoutPower,
    how: "fencing has switched a node off",
    boundMs: MONITOR_BOUND_MS,
    provoke: ({ tell }, active) => {
      tell(active, "fence", "off", otherOf(active));
      return active;
    },
    heal(stage, active) {
      stage.tell(active, "fence", "on", otherOf(active));
      restart(stage, otherOf(active));
    },
  },
  {
    ...TOLD.mutualFencing,
    how: "all links are cut: one shoots the other, which boots and, still alone, shoots back",
    // Neither knows of both shots before they meet again: from the second boot.
    boundMs: INITDEAD_MS + DEATH_BOUND_MS,
    async provoke(stage, active) {
      stage.links("down");
      const shot = await Promise.race([active, otherOf(active)].map((one) => stage.pair.ended(one).then(() => one)));
      await shotBy(stage, otherOf(shot));
      restart(stage, shot);
      await shotBy(stage, shot);
      stage.links("up");
      restart(stage, otherOf(shot));
      return shot;
    },
    heal: () => {},
  },
  {
    ...TOLD.serviceNotRunning,
    how: "gemel was stopped on the passive node",
    boundMs: MONITOR_BOUND_MS,
    async provoke(stage, active) {
      await leave(stage, otherOf(active));
      return active;
    },
    heal: (stage, active) => restart(stage, otherOf(active)),
  },
  {
    ...TOLD.networkLost,
    how: "the cable of one node to its clients is pulled",
    // The attribute is dampened, and a silent host is asked more than once.
    boundMs: MONITOR_BOUND_MS + 7_000,
    provoke: ({ pair }, active) => {
      pair.service(otherOf(active), "down");
      return active;
    },
    heal: ({ pair }, active) => pair.service(otherOf(active), "up"),
  },
  {
    ...TOLD.networkLostEverywhere,
    how: "the ping target is down",
    boundMs: MONITOR_BOUND_MS + 7_000,
    provoke: ({ pair }, active) => {
      pair.clientAddress("del", `${PING_TARGET}/24`);
      return active;
    },
    heal: ({ pair }) => pair.clientAddress("add", `${PING_TARGET}/24`),
  },
  {
    ...TOLD.diskLost,
    how: "the disk of one node is gone",
    boundMs: MONITOR_BOUND_MS,
    provoke: ({ disk }, active) => {
      disk(otherOf(active), false);
      return active;
    },
    heal: ({ disk }, active) => disk(otherOf(active), true),
  },
  {
    ...TOLD.diskLostEverywhere,
    how: "the disks of both nodes are gone",
    boundMs: MONITOR_BOUND_MS,
    provoke: ({ disk }, active) => {
      for (const node of [active, otherOf(active)]) disk(node, false);
      return active;
    },
    heal: ({ disk }, active) => {
      for (const node of [active, otherOf(active)]) disk(node, true);
    },
  },
  {
    ...TOLD.failed,
    how: "the service's monitor fails once",
    boundMs: MONITOR_BOUND_MS,
    provoke: ({ pretend }, active) => {
      pretend(active, false);
      return otherOf(active);
    },
    heal: ({ tell }, active) => void tell(active, "crm", "resource", "cleanup", "db", active),
  },
  {
    ...TOLD.failedEverywhere,
    how: "its monitor fails on one node, its start on both",
    boundMs: MONITOR_BOUND_MS + WORK_MS,
    provoke: ({ order, pretend }, active) => {
      for (const node of [active, otherOf(active)]) order(node, "start", 1);
      pretend(active, false);
      return otherOf(active);
    },
    heal({ order, tell }, active) {
      for (const node of [active, otherOf(active)]) order(node, "start", undefined);
      for (const node of [active, otherOf(active)]) tell(active, "crm", "resource", "cleanup", "db", node);
    },
  },
  {
    ...TOLD.runsNowhere,
    how: "both nodes are in standby",
    boundMs: MONITOR_BOUND_MS,
    provoke: ({ tell }, active) => {
      for (const node of [otherOf(active), active]) tell(active, "crm", "node", "standby", node);
      return active;
    },
    heal: ({ tell }, active) => {
      for (const node of [active, otherOf(active)]) tell(active, "crm", "node", "online", node);
    },
  },
  {
    ...TOLD.leftOver,
    how: "a constraint of an old move keeps the service from a node",
    boundMs: MONITOR_BOUND_MS,
    provoke: ({ tell }, active) => {
      tell(active, "crm", "configure", "location", "cli-standby-service", "service", "-inf:", otherOf(active));
      return active;
    },
    heal: ({ tell }, active) => void tell(active, "crm", "resource", "unmove", "service"),
  },
  {
    ...TOLD.shutdownHangs,
    how: "a node is to stop, and the service on it does not",
    boundMs: MONITOR_BOUND_MS,
    provoke: ({ order, pair }, active) => {
      order(active, "stop", 1);
      pair.signal(active, "SIGTERM");
      return otherOf(active);
    },
    async heal(stage, active) {
      stage.order(active, "stop", undefined);
      stage.tell(otherOf(active), "crm", "resource", "cleanup", "db", active);
      await stage.pair.ended(active);
      restart(stage, active);
    },
  },
  {
    ...TOLD.notReady,
    how: "a node starts before the files of its service are there",
    boundMs: JOIN_MS + MONITOR_BOUND_MS,
    async provoke(stage, active) {
      await leave(stage, otherOf(active));
      stage.order(otherOf(active), "probe", 5);
      restart(stage, otherOf(active));
      await stage.pair.until("it is a member again", async () => {
        const status = await stage.pair.status(active);
        return status?.nodes.find(({ name }) => name === otherOf(active))?.membership === "member";
      });
      return active;
    },
    heal({ order, tell }, active) {
      order(otherOf(active), "probe", undefined);
      tell(active, "crm", "resource", "cleanup", "db", otherOf(active));
    },
  },
  {
    ...TOLD.activeTwice,
    how: "the service was started by hand on the passive node",
    boundMs: MONITOR_BOUND_MS,
    provoke: ({ pretend }, active) => {
      pretend(otherOf(active), true);
      return active;
    },
    heal({ pretend, tell }, active) {
      pretend(otherOf(active), false);
      tell(active, "crm", "resource", "cleanup", "db");
    },
  },
  {
    ...TOLD.withoutInterface,
    how: "an address of a network that no node is in",
    boundMs: MONITOR_BOUND_MS,
    provoke: ({ tell }, active) => {
      tell(active, "crm", "configure", "primitive", "far", "ocf:gemel:IPaddr2", "params", "ip=203.0.113.9");
      return active;
    },
    heal: ({ tell }, active) => {
      tell(active, "crm", "resource", "stop", "far");
      tell(active, "crm", "resource", "cleanup", "far");
      tell(active, "crm", "configure", "delete", "far");
    },
  },
  {
    ...TOLD.linkDown,
    how: "one of two heartbeat cables is pulled",
    boundMs: DEATH_BOUND_MS,
    provoke: ({ pair }, active) => {
      pair.heart("down");
      return active;
    },
    heal: ({ pair }) => pair.heart("up"),
  },
  {
    ...TOLD.fencingFails,
    how: "a node dies, and its board says yes and does nothing",
    // Two rounds of fencing in which the power is read for as long as a board may take; the first is told at once.
    boundMs: DEATH_BOUND_MS + 110_000,
    provoke: ({ boards, pair }, active) => {
      boards[active].setFaults({ stuckOff: true });
      pair.cut(active);
      return otherOf(active);
    },
    heal(stage, active) {
      // Its power is pulled: a board that still reads "on" would have the confirmation refused.
      stage.boards[active].setFaults({});
      stage.boards[active].setPower("off");
      stage.pair.powerOff(active);
      stage.pretend(active, false);
      stage.tell(otherOf(active), "fence", "confirm", active, "--yes", active);
      restart(stage, active);
    },
  },
];

/** Row 14: a node whose memory was set back comes in by itself; there is nothing left to tell or to do. */
export async function restoreFromBackup({ pair, rest }: Stage, node: NodeName): Promise<void> {
  pair.signal(node, "SIGTERM");
  await pair.ended(node);
  writeFileSync(path.join(pair.folder, node, "state/membership.json"), '{"generation":0,"peers":{}}\n');
  pair.start(node);
  await rest();
  const log = readFileSync(path.join(pair.folder, node, "log"), "utf8");
  if (!log.includes("generation-raised")) throw new Error(`${node} does not say that it has raised its generation`);
}
