/**
 * What can befall a site: verbs of scenarios and of random plans, with those of its people (people.ts). A verb that
 * does not fit the present state of the world does nothing, so that a plan stays a plan when lines are taken out of it.
 */
import { check } from "../base/check.ts";
import { entryOf } from "../base/record.ts";
import { BOARD_MODES } from "./board.ts";
import { type Command, nodeOf, number, onNode, type Verb, word } from "./command.ts";
import type { DiskMode } from "./disk.ts";
import type { Machine } from "./machine.ts";
import { FAIR_WEATHER } from "./network.ts";
import { PEOPLE } from "./people.ts";
import { HANGS } from "./services.ts";
import type { World } from "./world.ts";

function directions(world: World, { options }: Command): readonly string[] {
  const from = options["from"] === undefined ? world.names : [options["from"]];
  const to = options["to"] === undefined ? world.names : [options["to"]];
  return from.flatMap((sender) => to.filter((other) => other !== sender).map((other) => `${sender}>${other}`));
}

/** After a while, unless the machine has lost its power meanwhile. */
function undoLater(machine: Machine, { options }: Command, undo: () => void): void {
  if (options["forMs"] === undefined) return;
  const { life, world } = machine;
  world.agenda.after(Number(options["forMs"]), () => {
    if (machine.life === life) undo();
  });
}

function wakeUp(machine: Machine): void {
  machine.world.watch.unwell(machine);
  machine.wakeUp();
}

const LINKS: Readonly<Record<string, Verb>> = {
  cut: (world, command) => world.network.cut(word(command, 0, "a link"), directions(world, command)),
  join: (world, command) => world.network.join(word(command, 0, "a link")),
  weather: (world, command) =>
    world.network.setWeather(word(command, 0, "a link"), {
      jitterMs: number(command, "jitterMs", 0),
      lossPercent: number(command, "lossPercent", 0),
      doublePercent: number(command, "doublePercent", 0),
    }),
  /** Of one node, or of `all` when the router dies. */
  "uplink-cut": (world, { words }) => {
    for (const name of words[0] === "all" ? world.names : [words[0] ?? ""]) world.network.cutUplink(name);
  },
  "uplinks-joined": (world) => world.network.joinUplinks(),
  fair: (world, command) => world.network.setWeather(word(command, 0, "a link"), FAIR_WEATHER),
};

const POWER: Readonly<Record<string, Verb>> = {
  "power-cut": onNode((machine) => machine.switchOff()),
  "power-on": onNode((machine) => machine.switchOn()),
  "mains-off": onNode((machine) => machine.setMains(false)),
  "mains-on": onNode((machine) => {
    machine.setMains(true);
    machine.switchOn();
  }),
  "site-off": (world) => {
    for (const machine of world.machines) machine.setMains(false);
  },
  "site-on": (world) => {
    for (const machine of world.machines) {
      machine.setMains(true);
      machine.switchOn();
    }
  },
  reset: onNode((machine) => machine.reset("somebody pressed the button")),
  board: (world, command) => {
    const mode = BOARD_MODES.find((one) => one === command.words[1]);
    check(mode !== undefined, `board NODE MODE: one of ${BOARD_MODES.join(", ")}`);
    for (const board of world.boardsOf(word(command, 0, "a node")))
      if (command.options["only"] === undefined || board.name.startsWith(command.options["only"])) board.mode = mode;
  },
};

const PROCESSES: Readonly<Record<string, Verb>> = {
  hang: onNode((machine) => machine.hang()),
  stop: onNode((machine, command) => {
    machine.fallAsleep("stopped");
    undoLater(machine, command, () => wakeUp(machine));
  }),
  freeze: onNode((machine, command) => {
    machine.fallAsleep("frozen");
    undoLater(machine, command, () => wakeUp(machine));
  }),
  thaw: onNode(wakeUp),
  load: onNode((machine, command) => {
    machine.loadMs = number(command, "ms", 500);
    undoLater(machine, command, () => {
      machine.loadMs = 0;
      machine.world.watch.unwell(machine);
    });
  }),
  "kill-keeper": onNode((machine) => {
    if (machine.isAwake) machine.keeper?.kill();
  }),
  "kill-manager": onNode((machine) => {
    if (machine.isAwake) machine.keeper?.managerEnded();
  }),
  "hang-manager": onNode((machine, command) => {
    const manager = machine.keeper?.manager;
    if (!machine.isAwake || manager === undefined) return;
    manager.hang();
    undoLater(machine, command, () => {
      machine.world.watch.unwell(machine);
      manager.unhang();
    });
  }),
};

const STORES: Readonly<Record<string, Verb>> = {
  disk: onNode((machine, command) => {
    const mode = word(command, 1, "sound, lying, torn, full or slow");
    machine.disk.writeMs = mode === "slow" ? number(command, "ms", 2_000) : 5;
    machine.disk.mode =
      (["sound", "lying", "torn", "full"] as const).find((one) => one === mode) ?? ("sound" satisfies DiskMode);
  }),
  damage: onNode((machine, command) => {
    const file = (["membership", "cib", "both-cibs"] as const).find((one) => one === command.words[1]);
    check(file !== undefined, "damage NODE membership|cib|both-cibs");
    machine.disk.damage(file);
    machine.world.watch.diskChanged(machine);
  }),
  "back-up": (world, command) => nodeOf(world, command).disk.backUp(),
  /** A backup is put back while the machine is off, as whoever restores an image does. */
  restore: onNode((machine) => {
    machine.switchOff();
    machine.disk.restore();
    machine.world.watch.diskChanged(machine);
    machine.switchOn();
  }),
  /** The way of a node to the shared disk. */
  "shared-disk": onNode((machine, command) => {
    const mode = word(command, 1, "cut or joined");
    for (const disk of [machine.world.lockDisk, machine.world.tieDisk])
      if (mode === "cut") disk?.cutOff.add(machine.name);
      else disk?.cutOff.delete(machine.name);
  }),
  clock: onNode((machine, command) => {
    machine.wallOffsetMs += Number(word(command, 1, "milliseconds"));
  }),
};

const SERVICE: Readonly<Record<string, Verb>> = {
  /** The daemon crashes. */
  dies: onNode((machine, command) => {
    machine.running.delete(word(command, 1, "a service"));
  }),
  fails: onNode((machine, command) => {
    const service = word(command, 1, "a service");
    const operation = word(command, 2, "an operation");
    if (operation === "stop") machine.world.watch.condemn(machine.name, `stop of ${service} fails`);
    machine.failing.set(
      `${service} ${operation}`,
      command.options["hangs"] === undefined ? number(command, "rc", 1) : HANGS,
    );
  }),
  mended: (world, command) => {
    const machine = nodeOf(world, command);
    machine.failing.clear();
  },
};

export const VERBS: Readonly<Record<string, Verb>> = {
  ...LINKS,
  ...POWER,
  ...PROCESSES,
  ...STORES,
  ...SERVICE,
  ...PEOPLE,
};

export function befall(world: World, command: Command): void {
  const verb = entryOf(VERBS, command.verb);
  check(verb !== undefined, `no verb ${command.verb}; there are ${Object.keys(VERBS).join(", ")}`);
  world.faults += 1;
  world.watch.disturbedAtMs = world.agenda.nowMs;
  world.tell(
    "-",
    [command.verb, ...command.words, ...Object.entries(command.options).map((pair) => pair.join("="))].join(" "),
  );
  verb(world, command);
}
