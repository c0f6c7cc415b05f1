/**
 * The table of fencing drivers, one literal object, and the catalogue that the reader of the configuration asks.
 * Agent names of the old world (`external/ipmi`, `fence_ipmilan`) are translated here, once.
 */
import * as v from "valibot";
import { type Complaint, type DriverCatalogue, type DriverChoice, ownParameters } from "../core/catalogue.ts";
import { ALIASES, translate } from "./alias.ts";
import { ipmiLan } from "./ipmi-lan.ts";
import { meatwareParameters } from "./meatware.ts";

type Values = Readonly<Record<string, string>>;

export const DRIVERS = { "ipmi-lan": ipmiLan } as const;

function complain(issue: v.BaseIssue<unknown>, parameters: Values): Complaint {
  const parameter = v.getDotPath(issue) ?? "";
  if (issue.expected === "never") {
    return { parameter, reason: "the driver has no such parameter", remedy: "remove it, or correct its spelling" };
  }
  if (!Object.hasOwn(parameters, parameter)) {
    return { parameter, reason: "it is missing", remedy: `add ${parameter}=... to the device` };
  }
  return { parameter, reason: `its value is ${JSON.stringify(parameters[parameter])}`, remedy: issue.message };
}

function choose(agent: string, given: Values): DriverChoice | undefined {
  const alias = Object.hasOwn(ALIASES, agent) ? ALIASES[agent] : undefined;
  if (alias === undefined) return undefined;
  const { parameters, complaints } = translate(alias, given);
  const common = { driver: alias.driver, parameters, manual: alias.driver === "meatware" };
  if (alias.driver === "meatware") {
    const read = v.safeParse(meatwareParameters, parameters);
    const wrong = (read.issues ?? []).map((issue) => complain(issue, parameters));
    return { ...common, complaints: [...complaints, ...wrong], boundMs: read.success ? read.output.confirm_time : 0 };
  }
  const driver = DRIVERS[alias.driver];
  const read = v.safeParse(driver.parameters, parameters);
  const wrong = (read.issues ?? []).map((issue) => complain(issue, parameters));
  const boundMs = read.success ? driver.boundMs(read.output) : 0;
  return { ...common, complaints: [...complaints, ...wrong], boundMs };
}

export const CATALOGUE: DriverCatalogue = { choose, agents: Object.keys(ALIASES) };

/** What a primitive of class stonith comes to, by itself: for its own start and monitor, beside any fencing. */
export type StandaloneDevice =
  | { readonly kind: "device"; readonly id: string; readonly driver: string; readonly parameters: Values }
  /** A person: there is nothing to log in to. */
  | { readonly kind: "manual" }
  | { readonly kind: "unusable"; readonly reason: string };

/** `parameters`: all of the primitive's, as the configuration has them. */
export function standaloneDevice(id: string, agent: string, parameters: Values): StandaloneDevice {
  const choice = CATALOGUE.choose(agent, ownParameters(parameters));
  if (choice === undefined) return { kind: "unusable", reason: `there is no driver for stonith:${agent}` };
  const [complaint] = choice.complaints;
  if (complaint !== undefined) {
    return { kind: "unusable", reason: `${complaint.parameter}: ${complaint.reason}; ${complaint.remedy}` };
  }
  if (choice.manual) return { kind: "manual" };
  return { kind: "device", id, driver: choice.driver, parameters: choice.parameters };
}
