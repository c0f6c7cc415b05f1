/** How a driver is declared: a name, a schema for its parameters, and what follows from them. */
import * as v from "valibot";
import { entryOf } from "../../base/record.ts";
import type { Borrowing, Complaint } from "../core/catalogue.ts";
import type { BoundDriver } from "../core/driver.ts";

type Values = Readonly<Record<string, string>>;

export type BoundRead =
  | { readonly kind: "bound"; readonly bound: BoundDriver }
  | { readonly kind: "wrong"; readonly complaints: readonly Complaint[] };

/** What a kind of device can and cannot do. */
export interface Traits {
  /** False for a device that can only end a machine, as a disk does: then nobody asks it to switch on. */
  readonly switchesOn: boolean;
  /** True for one that only looks whether the node lives: no level of a topology, and never a proof of death. */
  readonly isWitness: boolean;
  /** What is added to the parameters when the machine is to run again after its end. */
  readonly rebootParameters: Values;
  readonly borrowing: Borrowing | undefined;
}

export interface DriverParameter {
  readonly name: string;
  readonly isRequired: boolean;
  /** What to write, as an order: the very words that complain of a wrong value. */
  readonly words: string;
  /** What counts when it is not written. */
  readonly fallback: string | undefined;
}

export interface Driver extends Traits {
  /** Stable: configurations refer to it. */
  readonly name: string;
  /** Names of all parameters; more are taken where the device behind it has its own. */
  readonly parameters: readonly DriverParameter[];
  /** From the strings of the configuration; all complaints at once. */
  read(given: Values): BoundRead;
}

const noSuchParameter = (parameter: string): Complaint => ({
  parameter,
  reason: "the driver has no such parameter",
  remedy: "remove it, or correct its spelling",
});

function complain(issue: v.BaseIssue<unknown>, given: Values): Complaint {
  const parameter = v.getDotPath(issue) ?? "";
  if (issue.expected === "never") return noSuchParameter(parameter);
  if (!Object.hasOwn(given, parameter)) {
    return { parameter, reason: "it is missing", remedy: `add ${parameter}=... to the device` };
  }
  return { parameter, reason: `its value is ${JSON.stringify(entryOf(given, parameter))}`, remedy: issue.message };
}

/** The value that `given` comes to, or what is wrong with it. */
export function readParameters<Written>(
  schema: v.GenericSchema<unknown, Written>,
  given: Values,
): { readonly kind: "read"; readonly value: Written } | Extract<BoundRead, { readonly kind: "wrong" }> {
  // The schemas pass over what an object inherits in silence, and no device has a parameter of such a name.
  const strange = Object.keys(given).filter((name) => Object.hasOwn(Object.prototype, name) || name === "prototype");
  if (strange.length > 0) return { kind: "wrong", complaints: strange.map(noSuchParameter) };
  const read = v.safeParse(schema, given);
  if (read.success) return { kind: "read", value: read.output };
  return { kind: "wrong", complaints: read.issues.map((issue) => complain(issue, given)) };
}

/** A value that no parameter takes: its complaint says what to write. */
const IMPOSSIBLE = "";

/** The members of an object schema, piped or not. */
export function parametersIn(schema: v.GenericSchema<unknown, unknown>): readonly DriverParameter[] {
  if (!("entries" in schema) || typeof schema.entries !== "object" || schema.entries === null) return [];
  const missing = v.safeParse(schema, {}).issues?.map((issue) => v.getDotPath(issue)) ?? [];
  return Object.entries(schema.entries).map(([name, entry]: [string, unknown]) => {
    const issues = v.safeParse(schema, { [name]: IMPOSSIBLE }).issues ?? [];
    const words = issues.find((issue) => v.getDotPath(issue) === name)?.message ?? "";
    const held = typeof entry === "object" && entry !== null && "default" in entry ? entry.default : undefined;
    const fallback = typeof held === "string" ? held : undefined;
    return { name, isRequired: missing.includes(name), words, fallback };
  });
}

export function defineDriver<Written>(
  name: string,
  schema: v.GenericSchema<unknown, Written>,
  bind: (written: Written) => BoundDriver,
  { switchesOn = true, isWitness = false, rebootParameters = {}, borrowing }: Partial<Traits> = {},
): Driver {
  return {
    name,
    parameters: parametersIn(schema),
    switchesOn,
    isWitness,
    rebootParameters,
    borrowing,
    read(given) {
      const read = readParameters(schema, given);
      return read.kind === "read" ? { kind: "bound", bound: bind(read.value) } : read;
    },
  };
}
