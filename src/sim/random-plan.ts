/** From a seed to a plan in the words of a scenario, so that a failure can be read, cut down and kept as one. */
import { type Chance, createChance } from "../base/chance.ts";
import type { LinkSetting } from "./network.ts";
import { printSetting } from "./scenario.ts";
import {
  nodesOf,
  QUORUM_POLICIES,
  type Setting,
  type Storage,
  servicesOf,
  TIE_BREAKERS,
  USUAL_SETTING,
} from "./setting.ts";

/** With half as many two fifths of the work were starts and healings, and fewer faults met what others had left. */
const FAULTS_MAX = 24;
/** Every so many faults one comes right behind the one before it: it is in their company that faults are dangerous. */
const CLOSE_PERCENT = 40;
const CLOSE_MS = 6_000;
const FAR_MS = 900_000;
const START_MS = 120_000;
const DRBD_PERCENT = 35;
const SFEX_PERCENT = 20;
const STATEFUL_PERCENT = 30;
const PING_PERCENT = 20;
const TIE_PERCENT = 25;
const WAIT_PERCENT = 15;
const POLICY_PERCENT = 30;
const LEASE_PERCENT = 50;
/** The rounds of one change of the configuration, from the wish to the last disk. */
const CHANGE_MS = 40;

const LINK_SETS: readonly [readonly string[], ...(readonly string[])[]] = [
  ["eth1", "ttyS0"],
  ["eth1", "eth2"],
  ["eth1"],
  ["eth1", "eth2", "ttyS0"],
];

/** keepalive, warntime, deadtime, initdead, watchdog: as sites of this field set them. */
const TIME_SETS: readonly [readonly number[], ...(readonly number[])[]] = [
  [2_000, 10_000, 30_000, 120_000, 60_000],
  [2_000, 4_000, 10_000, 60_000, 15_000],
  [2_000, 10_000, 30_000, 120_000, 60_000],
  [2_000, 4_000, 10_000, 60_000, 15_000],
  [1_000, 2_000, 5_000, 30_000, 10_000],
  [500, 1_000, 3_000, 20_000, 5_000],
];

const readLink = (name: string): LinkSetting =>
  name.startsWith("tty") ? { name, kind: "serial", delayMs: 40 } : { name, kind: "udp", delayMs: 1 };

function randomStorage(nodeCount: number, chance: Chance): Storage {
  if (nodeCount === 2 && chance.happens(DRBD_PERCENT)) return "drbd";
  if (chance.happens(SFEX_PERCENT)) return "sfex";
  return chance.happens(STATEFUL_PERCENT) ? "stateful" : "local";
}

/** How the site answers a loss of quorum: most as delivered. */
function randomQuorum(hasPing: boolean, chance: Chance): Pick<Setting, "tieBreaker" | "waitForAll" | "quorumPolicy"> {
  return {
    tieBreaker: chance.happens(TIE_PERCENT)
      ? chance.pick(hasPing ? TIE_BREAKERS : (["none", "disk"] as const))
      : "none",
    waitForAll: chance.happens(WAIT_PERCENT),
    quorumPolicy: chance.happens(POLICY_PERCENT) ? chance.pick(QUORUM_POLICIES) : "stop",
  };
}

/** Where a majority, or a disk, can tell two halves apart: see checkLease in cib/node-checks.ts. */
function mayLease({ nodeCount, tieBreaker, quorumPolicy }: Setting): boolean {
  if (tieBreaker === "ping" || quorumPolicy === "ignore") return false;
  return nodeCount > 2 || tieBreaker === "disk";
}

/** Nodes that end themselves without quorum; for half of them the others count on it where a board fails. */
function withLease(setting: Setting, chance: Chance): Setting {
  if (!mayLease(setting) || !chance.happens(LEASE_PERCENT)) return setting;
  const leaseMs = chance.pick([1, 2]) * setting.deadtimeMs;
  return { ...setting, leaseMs, second: chance.happens(50) ? "watchdog" : setting.second };
}

function randomSetting(chance: Chance): Setting {
  const [keepaliveMs = 1_000, warntimeMs = 2_000, deadtimeMs = 5_000, initdeadMs = 30_000, watchdogMs = 10_000] =
    chance.pick(TIME_SETS);
  const nodeCount = chance.happens(85) ? 2 : chance.pick([3, 3, 4, 5]);
  const storage = randomStorage(nodeCount, chance);
  const hasPing = chance.happens(PING_PERCENT);
  const setting: Setting = {
    ...USUAL_SETTING,
    nodeCount,
    storage,
    links: chance.pick(LINK_SETS).map(readLink),
    keepaliveMs,
    warntimeMs,
    deadtimeMs,
    initdeadMs,
    watchdogMs,
    selfFencing: chance.happens(80) ? "reboot" : "watchdog",
    boardDiesWithHost: chance.happens(70),
    second: storage === "sfex" && chance.happens(50) ? "lock" : chance.pick(["none", "none", "strip", "person"]),
    stonithAction: chance.happens(80) ? "reboot" : "off",
    monitorMs: chance.pick([10_000, 30_000, 60_000]),
    hasPing,
    ...randomQuorum(hasPing, chance),
    isGrouped: hasPing || storage !== "local" || chance.happens(70),
  };
  return withLease(setting, chance);
}

type Draw = (chance: Chance, setting: Setting) => string;

const node = (chance: Chance, setting: Setting) => nodesOf(setting)[chance.below(setting.nodeCount)] ?? "alpha";
const link = (chance: Chance, { links }: Setting) => links[chance.below(links.length)]?.name ?? "all";
const service = (chance: Chance, setting: Setting) => servicesOf(setting)[chance.below(3)] ?? "ip";
const forMs = (chance: Chance, { deadtimeMs }: Setting) =>
  chance.pick([deadtimeMs >> 1, deadtimeMs, deadtimeMs + (deadtimeMs >> 1), 3 * deadtimeMs, 90_000]);

/** The clock of a paused machine stands still, so time proves nothing of it: such sites need a fence that kills. */
function sleep(chance: Chance, setting: Setting): string {
  const verb = ["lock", "watchdog"].includes(setting.second) ? "stop" : "freeze";
  return `${verb} ${node(chance, setting)} forMs=${forMs(chance, setting)}`;
}

const moveThatFails = (name: string, id: string, chance: Chance): string =>
  `fails ${name} ${id} stop ${chance.pick(["rc=1", "hangs=yes"])}\nstandby ${name} ${name}`;

/** The data part first, and then the side dies that went on alone: or the other one, which nobody misses. */
const deathBehindTheCut = (name: string, { links }: Setting, chance: Chance): string =>
  `cut ${links[0]?.name ?? "all"}\nrun ${chance.between(10_000, 60_000)}\npower-cut ${name}`;

/** Two of them, while all others hear both. */
function partBetween(chance: Chance, setting: Setting): string {
  const [one, two] = [node(chance, setting), node(chance, setting)];
  return one === two ? "cut all" : `cut all from=${one} to=${two}\ncut all from=${two} to=${one}`;
}

/** In the middle of a change: between any two of its messages and writes. */
function deathInAChange(chance: Chance, setting: Setting): string {
  const death = () =>
    chance.pick([
      `power-cut ${node(chance, setting)}`,
      `kill-manager ${node(chance, setting)}`,
      `kill-keeper ${node(chance, setting)}`,
      `stop ${node(chance, setting)} forMs=${forMs(chance, setting)}`,
      "cut all",
    ]);
  const wait = () => `run ${chance.below(CHANGE_MS)}`;
  return [`submit ${node(chance, setting)} ${chance.below(1_000_000)}`, wait(), death(), wait(), death()].join("\n");
}

/** With weights; some are several lines. What mends stands beside what breaks: worlds are half broken, mostly. */
const FAULTS: readonly (readonly [number, Draw])[] = [
  [6, () => "cut all"],
  [5, (chance, setting) => `cut ${link(chance, setting)}`],
  [3, (chance, setting) => `cut all from=${node(chance, setting)}`],
  [2, (chance, setting) => `cut ${link(chance, setting)} from=${node(chance, setting)}`],
  [12, () => "join all"],
  [4, (chance, setting) => `join ${link(chance, setting)}`],
  [
    4,
    (chance, setting) =>
      `weather ${chance.pick(["all", link(chance, setting)])} lossPercent=${chance.pick([1, 5, 20, 50])} ` +
      `jitterMs=${chance.pick([0, 5, 100, 900])} doublePercent=${chance.pick([0, 10])}`,
  ],
  [4, () => "fair all"],
  [2, (chance, setting) => `uplink-cut ${chance.pick(["all", node(chance, setting), node(chance, setting)])}`],
  [2, () => "uplinks-joined"],
  [6, (chance, setting) => `power-cut ${node(chance, setting)}`],
  [4, (chance, setting) => `mains-off ${node(chance, setting)}`],
  [8, (chance, setting) => `mains-on ${node(chance, setting)}`],
  [1, () => "site-off"],
  [3, () => "site-on"],
  [4, (chance, setting) => `reset ${node(chance, setting)}`],
  [5, (chance, setting) => `board ${node(chance, setting)} ${chance.pick(["late", "mute", "idle", "denies", "deaf"])}`],
  [4, (chance, setting) => `board ${node(chance, setting)} obeys`],
  [2, (chance, setting) => `hang ${node(chance, setting)}`],
  [5, (chance, setting) => `stop ${node(chance, setting)} forMs=${forMs(chance, setting)}`],
  [5, (chance, setting) => sleep(chance, setting)],
  [2, (chance, setting) => `shared-disk ${node(chance, setting)} ${chance.pick(["cut", "joined"])}`],
  [3, (chance, setting) => `load ${node(chance, setting)} ms=${chance.pick([200, 1_000, 4_000])} forMs=60000`],
  [3, (chance, setting) => `kill-keeper ${node(chance, setting)}`],
  [6, (chance, setting) => `kill-manager ${node(chance, setting)}`],
  [3, (chance, setting) => `hang-manager ${node(chance, setting)} forMs=${chance.pick([2_000, 20_000, 200_000])}`],
  [2, (chance, setting) => `disk ${node(chance, setting)} ${chance.pick(["lying", "torn", "full", "slow", "sound"])}`],
  [1, (chance, setting) => `damage ${node(chance, setting)} ${chance.pick(["membership", "cib", "both-cibs"])}`],
  [1, (chance, setting) => `back-up ${node(chance, setting)}`],
  [1, (chance, setting) => `restore ${node(chance, setting)}`],
  [2, (chance, setting) => `clock ${node(chance, setting)} ${chance.pick([-315_360_000_000, -3_600_000, 7_200_000])}`],
  [5, (chance, setting) => `dies ${node(chance, setting)} ${service(chance, setting)}`],
  [
    3,
    (chance, setting) =>
      `fails ${node(chance, setting)} ${service(chance, setting)} ${chance.pick(["start", "stop", "monitor"])} ` +
      chance.pick(["rc=1", "rc=1", "hangs=yes", "rc=5"]),
  ],
  // A stop that nobody orders cannot fail.
  [2, (chance, setting) => moveThatFails(node(chance, setting), service(chance, setting), chance)],
  [2, (chance, setting) => deathBehindTheCut(node(chance, setting), setting, chance)],
  [3, (chance, setting) => `mended ${node(chance, setting)}`],
  [8, (chance, setting) => `submit ${node(chance, setting)} ${chance.below(1_000_000)}`],
  [3, (chance, setting) => `standby ${node(chance, setting)} ${node(chance, setting)}`],
  [4, (chance, setting) => `online ${node(chance, setting)} ${node(chance, setting)}`],
  [2, deathInAChange],
  [1, partBetween],
  [1, (chance, setting) => `maintenance ${node(chance, setting)} ${chance.pick(["on", "off"])}`],
  [
    1,
    (chance, setting) =>
      `node-maintenance ${node(chance, setting)} ${node(chance, setting)} ${chance.pick(["on", "off"])}`,
  ],
  [1, (chance, setting) => `unmanage ${node(chance, setting)} ${service(chance, setting)}`],
  [1, (chance, setting) => `manage ${node(chance, setting)} ${service(chance, setting)}`],
  [
    2,
    (chance, setting) =>
      `${chance.pick(["move", "ban"])} ${node(chance, setting)} ${service(chance, setting)} ${node(chance, setting)}`,
  ],
  [2, (chance, setting) => `clear ${node(chance, setting)}`],
  [2, () => "cleanup"],
  [2, (chance, setting) => `leave ${node(chance, setting)}`],
  [3, (chance, setting) => `start ${node(chance, setting)}`],
  [2, (chance, setting) => `fence-by-hand ${node(chance, setting)} ${node(chance, setting)}`],
  [2, (chance, setting) => `confirm ${node(chance, setting)} ${node(chance, setting)}`],
];
const WEIGHTS = FAULTS.reduce((sum, [weight]) => sum + weight, 0);

function randomFault(chance: Chance, setting: Setting): string {
  let at = chance.below(WEIGHTS);
  for (const [weight, draw] of FAULTS) {
    if (at < weight) return draw(chance, setting);
    at -= weight;
  }
  return "join all";
}

/** The lines of a scenario. */
export function randomPlan(seed: number): readonly string[] {
  const chance = createChance(seed * 2_654_435_761 + 1);
  const setting = randomSetting(chance);
  const lines = [printSetting(setting), `run ${START_MS + chance.below(60_000)}`];
  const count = chance.between(1, FAULTS_MAX);
  for (let fault = 0; fault < count; fault += 1) {
    lines.push(...randomFault(chance, setting).split("\n"));
    lines.push(`run ${chance.happens(CLOSE_PERCENT) ? chance.below(CLOSE_MS) : chance.below(FAR_MS)}`);
  }
  return lines;
}
