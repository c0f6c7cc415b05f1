/** What all of crm_resource begins with: the CIB, what is running by it, and the resource that is meant. */
import process from "node:process";
import type { XmlElement } from "../../base/xml.ts";
import type { Facts, Resource } from "../../cluster/core/scheduler/facts/model.ts";
import { localFacts } from "../zone.ts";
import { FIELD_EXIT, fetchCib, wrongCall } from "./ask.ts";
import type { ResourceCall } from "./crm-resource.ts";

export function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function complain(text: string, code: number): number {
  process.stderr.write(`crm_resource: ${text}\n`);
  return code;
}

export interface Found {
  readonly cib: XmlElement;
  readonly facts: Facts;
  readonly resource: Resource;
}

/** The facts and, in them, the resource that is meant; the exit code when it is not there. */
export async function find({ socketPath, resource }: ResourceCall): Promise<Found | number> {
  if (resource === undefined)
    return wrongCall("crm_resource", "which resource? -r RESOURCE", "crm_resource -r RESOURCE");
  const cib = await fetchCib("crm_resource", socketPath);
  if (typeof cib === "number") return cib;
  const facts = localFacts(cib, Date.now());
  const found =
    facts.byId.get(resource) ?? facts.resources.find(({ baseId, removed }) => baseId === resource && !removed);
  if (found === undefined) return complain(`Resource '${resource}' not found`, FIELD_EXIT.notFound);
  return { cib, facts, resource: found };
}

export async function factsOf({ socketPath }: ResourceCall): Promise<Facts | number> {
  const cib = await fetchCib("crm_resource", socketPath);
  return typeof cib === "number" ? cib : localFacts(cib, Date.now());
}
