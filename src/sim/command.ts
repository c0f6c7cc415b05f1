/** One line of a scenario as a command, and what its verbs are read with. */
import { check } from "../base/check.ts";
import { entryOf } from "../base/record.ts";
import type { Machine } from "./machine.ts";
import type { World } from "./world.ts";

export interface Command {
  readonly verb: string;
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string>>;
}

export type Verb = (world: World, command: Command) => void;

export const word = ({ verb, words }: Command, at: number, what: string): string => {
  const found = words[at];
  check(found !== undefined, `${verb} wants ${what}`);
  return found;
};

export const number = ({ verb, options }: Command, name: string, fallback: number): number => {
  const value = entryOf(options, name) === undefined ? fallback : Number(entryOf(options, name));
  check(Number.isFinite(value), `${verb}: ${name} is no number`);
  return value;
};

export const nodeOf = (world: World, command: Command): Machine => world.machine(word(command, 0, "a node"));

/** A fault of one node: it is not called healthy for a while. */
export const onNode =
  (act: (machine: Machine, command: Command) => void): Verb =>
  (world, command) => {
    const machine = nodeOf(world, command);
    world.watch.unwell(machine);
    act(machine, command);
  };
