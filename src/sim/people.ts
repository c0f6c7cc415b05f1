/** What the people of a site do, as their commands do it: verbs of scenarios and of random plans. */
import { check } from "../base/check.ts";
import { xml } from "../base/xml.ts";
import type { Answer, ConfigurationOperation } from "../cluster/core/cib-store/types.ts";
import { type Command, nodeOf, onNode, type Verb, word } from "./command.ts";
import type { Machine } from "./machine.ts";
import { servicesOf } from "./setting.ts";
import type { World } from "./world.ts";

function submit(machine: Machine, operation: ConfigurationOperation, onAnswer: (answer: Answer) => void = () => {}) {
  const manager = machine.keeper?.manager;
  if (machine.isAwake && manager?.isHung === false) manager.submit([operation], onAnswer);
}

function submitOption(machine: Machine, name: string, value: string): void {
  const { world } = machine;
  submit(
    machine,
    { kind: "set-option", target: "crm_config", setName: "cluster_property_set", name, value },
    (answer) => {
      if (answer.kind === "accepted") world.watch.accepted(name, answer.quorate);
      world.tell(machine.name, `says that ${name} is ${answer.kind}`);
    },
  );
}

function setOfNode(machine: Machine, node: string, name: string, value: string): void {
  const target = `//node[@id="${machine.world.machine(node).id}"]`;
  submit(machine, { kind: "set-option", target, setName: "instance_attributes", name, value });
}

/** The group, or the one service of a site without a group. */
function resourceOf(world: World, command: Command, at: number): string {
  return world.setting.isGrouped ? "service" : word(command, at, "a service");
}

const onOrOff = (command: Command, at: number): boolean => {
  const value = word(command, at, "on or off");
  check(value === "on" || value === "off", `${command.verb}: on or off`);
  return value === "on";
};

/** What the cluster must not touch any more may run on while its node leaves. */
const CARE: Readonly<Record<string, Verb>> = {
  maintenance: (world, command) => {
    const isOn = onOrOff(command, 1);
    if (isOn) world.watch.handsOff();
    const name = "maintenance-mode";
    const option = { kind: "set-option", target: "crm_config", setName: "cluster_property_set", name } as const;
    submit(nodeOf(world, command), { ...option, value: String(isOn) });
  },
  "node-maintenance": (world, command) => {
    const isOn = onOrOff(command, 2);
    if (isOn) world.watch.handsOff();
    setOfNode(nodeOf(world, command), word(command, 1, "a node"), "maintenance", String(isOn));
  },
  unmanage: (world, command) => {
    world.watch.handsOff();
    setManaged(nodeOf(world, command), resourceOf(world, command, 1), "false");
  },
  manage: (world, command) => setManaged(nodeOf(world, command), resourceOf(world, command, 1), null),
};

function setManaged(machine: Machine, target: string, value: string | null): void {
  submit(machine, { kind: "set-option", target, setName: "meta_attributes", name: "is-managed", value });
}

/** `crm resource move` and `ban`: a constraint that stays until somebody takes it back. */
function constrain(world: World, command: Command, kind: "prefer" | "ban", score: string): void {
  const resource = resourceOf(world, command, 1);
  world.isConstrained = true;
  const attributes = { id: `cli-${kind}-${resource}`, rsc: resource, node: word(command, 2, "a node"), score };
  submit(nodeOf(world, command), { kind: "set", parent: "constraints", element: xml("rsc_location", attributes) });
}

const PLACES: Readonly<Record<string, Verb>> = {
  move: (world, command) => constrain(world, command, "prefer", "INFINITY"),
  ban: (world, command) => constrain(world, command, "ban", "-INFINITY"),
  /** Takes back whatever was moved or banned. */
  clear: (world, command) => {
    const resources = world.setting.isGrouped ? ["service"] : servicesOf(world.setting);
    for (const resource of resources)
      for (const kind of ["prefer", "ban"])
        submit(nodeOf(world, command), { kind: "delete", target: `cli-${kind}-${resource}` });
  },
};

export const PEOPLE: Readonly<Record<string, Verb>> = {
  ...CARE,
  ...PLACES,
  /** A change of the configuration that can be found again. */
  submit: (world, command) => {
    submitOption(nodeOf(world, command), `x-${word(command, 1, "a name")}`, "1");
  },
  standby: (world, command) => setOfNode(nodeOf(world, command), word(command, 1, "a node"), "standby", "on"),
  online: (world, command) => setOfNode(nodeOf(world, command), word(command, 1, "a node"), "standby", "off"),
  cleanup: (world) => {
    const manager = world.machines.find(({ isAwake, keeper }) => isAwake && keeper?.manager !== undefined)?.keeper
      ?.manager;
    for (const service of ["fs", "ip", "http"]) manager?.feed({ kind: "cleanup", resource: service });
  },
  leave: onNode((machine) => {
    if (machine.isAwake) machine.keeper?.stop();
  }),
  start: onNode((machine) => machine.startService()),
  "fence-by-hand": (world, command) => {
    const machine = nodeOf(world, command);
    const target = word(command, 1, "a node");
    world.watch.condemn(target, "an operator wants it");
    if (machine.isAwake) machine.keeper?.manager?.fencing.request(target, "reboot", "operator");
  },
  /** An honest operator: the machine is off before the word is given. */
  confirm: (world, command) => {
    const machine = nodeOf(world, command);
    const target = world.machine(word(command, 1, "a node"));
    target.switchOff();
    const heard = machine.keeper?.view.peers.find(({ name }) => name === target.name);
    const answersOn = heard?.phase === "member" ? ["heartbeat"] : [];
    if (machine.isAwake) machine.keeper?.manager?.fencing.confirm(target.name, answersOn);
  },
};
