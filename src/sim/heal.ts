/**
 * The end of all faults: cables, boards, disks and machines are mended, people switch on what is off and forget
 * failures; then the site must come to rest within a bound, with every service running once and nothing lost.
 */
import { configuredNodes } from "../cluster/core/controller/cib-read.ts";
import { nodeCib } from "../cluster/core/controller/node-core.ts";
import type { Command } from "./command.ts";
import { befall } from "./faults.ts";
import type { Machine } from "./machine.ts";
import { FAIR_WEATHER } from "./network.ts";
import { servicesOf } from "./setting.ts";
import { Violation } from "./watch.ts";
import type { World } from "./world.ts";

/** Longest pause of the fencer, a boot, initdead, and the way of a manager that does not join: with room. */
const REST_MAX_MS = 15 * 60_000;
const LOOK_MS = 5_000;
/** Rest that does not last is none. */
const CALM_LOOKS = 4;
/** When people look what has failed, and forget it. */
const CLEANUP_AT_MS = [60_000, 180_000, 420_000];

const say = (verb: string, ...words: string[]): Command => ({ verb, words, options: {} });

function mend(world: World): void {
  world.watch.disturbedAtMs = world.agenda.nowMs;
  world.network.join("all");
  world.network.joinUplinks();
  world.network.setWeather("all", FAIR_WEATHER);
  for (const board of world.boards.values()) board.mode = "obeys";
  for (const disk of [world.lockDisk, world.tieDisk]) disk?.cutOff.clear();
  for (const machine of world.machines) {
    machine.disk.mode = "sound";
    machine.disk.writeMs = 5;
    if (machine.loadMs > 0) world.watch.unwell(machine);
    machine.loadMs = 0;
    if (machine.sleep !== "awake") {
      world.watch.unwell(machine);
      machine.wakeUp();
    }
    machine.keeper?.manager?.unhang();
    machine.failing.clear();
    machine.hasMains = true;
  }
}

/** As somebody reads it who looks there: who is online need not be told. */
function onStandby({ keeper }: Machine): readonly string[] {
  if (keeper?.manager === undefined) return [];
  const nodes = configuredNodes(nodeCib(keeper.manager.node));
  return nodes.filter(({ attributes }) => attributes["standby"] === "on").map(({ name }) => name);
}

/** Into the hands of the cluster. */
function giveBack(world: World, by: string): void {
  befall(world, say("maintenance", by, "off"));
  for (const { name } of world.machines) befall(world, say("node-maintenance", by, name, "off"));
  for (const service of servicesOf(world.setting)) befall(world, say("manage", by, service));
}

/** What the people of the site do as long as something is not as it should be. */
function tend(world: World, forMs: number): void {
  for (const machine of world.machines) {
    if (machine.power === "off" || machine.isHung || (machine.isBooted && machine.keeper === undefined)) {
      world.watch.unwell(machine);
      if (machine.isHung) machine.reset("somebody found it hung");
      else if (machine.power === "off") machine.switchOn();
      else machine.startService();
    }
  }
  const anybody = world.machines.find(({ isAwake, keeper }) => isAwake && keeper?.manager !== undefined);
  if (anybody === undefined || !CLEANUP_AT_MS.includes(forMs)) return;
  for (const name of onStandby(anybody)) befall(world, say("online", anybody.name, name));
  if (world.watch.isHandsOff) giveBack(world, anybody.name);
  if (world.isConstrained) befall(world, say("clear", anybody.name));
  befall(world, say("cleanup"));
}

export function heal(world: World): void {
  world.tell("-", "everything is mended");
  mend(world);
  let calm = 0;
  for (let forMs = LOOK_MS; forMs <= REST_MAX_MS; forMs += LOOK_MS) {
    world.run(LOOK_MS);
    world.watch.checks += 1;
    // Failures are forgotten whatever happens: a service that may not move is not well served.
    calm = world.unrest === undefined && forMs >= (CLEANUP_AT_MS[0] ?? 0) ? calm + 1 : 0;
    if (calm >= CALM_LOOKS) break;
    tend(world, forMs);
  }
  const { unrest, cib } = world;
  if (unrest !== undefined)
    throw new Violation(
      "service-after-faults",
      `no rest within ${REST_MAX_MS / 60_000} minutes: ${unrest}`,
      world.agenda.nowMs,
    );
  if (cib !== undefined) world.watch.checkConfiguration(cib);
  world.tell("-", "all is at rest");
}
