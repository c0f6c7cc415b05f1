/** What crm_resource only tells. */
import { readdirSync } from "node:fs";
import process from "node:process";
import { childOf, childrenOf, printXml, type XmlElement } from "../../base/xml.ts";
import { numberOf, recordedNodes, recordsOf, statusText } from "../../cluster/core/monitor/operations.ts";
import { bansOf } from "../../cluster/core/monitor/sections.ts";
import { type Facts, isActive, primitivesOf, type Resource } from "../../cluster/core/scheduler/facts/model.ts";
import { readFacts } from "../../cluster/core/scheduler/facts/read-facts.ts";
import { ROLE } from "../../cluster/core/scheduler/facts/values.ts";
import { isDisabled, lineOf, primitiveLine } from "../../cluster/core/scheduler/print/status-report.ts";
import { ctime } from "../ctime.ts";
import { EXIT, fetchCib, wrongCall } from "./ask.ts";
import { NO_SUCH } from "./crm-attribute.ts";
import type { ResourceAction, ResourceCall } from "./crm-resource.ts";

const OCF_DIRECTORY = "/usr/lib/ocf/resource.d";

export function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function complain(text: string, code: number): number {
  process.stderr.write(`crm_resource: ${text}\n`);
  return code;
}

interface Found {
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
  const facts = readFacts(cib, Date.now(), undefined);
  const found =
    facts.byId.get(resource) ?? facts.resources.find(({ baseId, removed }) => baseId === resource && !removed);
  if (found === undefined) return complain(`Resource '${resource}' not found`, NO_SUCH);
  return { cib, facts, resource: found };
}

async function factsOf({ socketPath }: ResourceCall): Promise<Facts | number> {
  const cib = await fetchCib("crm_resource", socketPath);
  return typeof cib === "number" ? cib : readFacts(cib, Date.now(), undefined);
}

const list: ResourceAction = async (call) => {
  const facts = await factsOf(call);
  if (typeof facts === "number") return facts;
  const shown = facts.top.filter((resource) => !resource.removed || isActive(resource));
  tell(["Full List of Resources:", ...shown.flatMap((resource) => lineOf(facts, resource, "  "))].join("\n"));
  return EXIT.done;
};

const listRaw: ResourceAction = async (call) => {
  const facts = await factsOf(call);
  if (typeof facts === "number") return facts;
  for (const resource of facts.top.flatMap(primitivesOf)) tell(resource.id);
  return EXIT.done;
};

/** All instances of a primitive that is cloned. */
function instancesOf({ facts, resource }: Found): readonly Resource[] {
  if (resource.kind !== "primitive") return primitivesOf(resource);
  return facts.resources.filter(
    ({ kind, baseId, id }) => kind === "primitive" && (baseId === resource.baseId || id === resource.id),
  );
}

const locate: ResourceAction = async (call) => {
  const found = await find(call);
  if (typeof found === "number") return found;
  const places = instancesOf(found).flatMap(({ runningOn, role }) =>
    runningOn.map(({ name }) => ({ name, isPromoted: role === ROLE.promoted })),
  );
  const nodes = [...new Map(places.map((place) => [place.name, place])).values()];
  const id = call.resource ?? "";
  if (call.flags["quiet"] === true) for (const { name } of nodes) tell(name);
  else if (nodes.length === 0) tell(`resource ${id} is NOT running`);
  else
    for (const { name, isPromoted } of nodes)
      tell(`resource ${id} is running on: ${name}${isPromoted ? " Promoted" : ""}`);
  return EXIT.done;
};

const queryXml: ResourceAction = async (call) => {
  const found = await find(call);
  if (typeof found === "number") return found;
  if (found.resource.kind === "primitive") tell(primitiveLine(found.resource, "", true).replace(/^\* /, ""));
  tell("Resource XML:");
  tell(
    printXml(found.resource.element)
      .replace(/^<\?xml[^>]*>\s*/, "")
      .trimEnd(),
  );
  return EXIT.done;
};

const getParameter: ResourceAction = async (call) => {
  const found = await find(call);
  if (typeof found === "number") return found;
  const { resource } = found;
  const written = childrenOf(resource.element, call.set)
    .flatMap((set) => childrenOf(set, "nvpair"))
    .find(({ attributes }) => attributes["name"] === call.argument)?.attributes["value"];
  // A meta-attribute may come from what holds the resource, or from the defaults.
  const value = call.set === "meta_attributes" ? (written ?? resource.meta[call.argument]) : written;
  if (value === undefined) return complain(`Attribute '${call.argument}' not found for '${resource.id}'`, NO_SUCH);
  tell(value);
  return EXIT.done;
};

function constraintLines({ facts, resource }: Found): string[] {
  const mine = (id: string | undefined) => id === resource.id || id === resource.parent?.id;
  const constraints = childOf(facts.configuration, "constraints");
  const locations = childrenOf(constraints, "rsc_location").filter(({ attributes }) => mine(attributes["rsc"]));
  const lines = locations.map(({ attributes: { id = "", node = "a rule", score = "", rsc = "" } }) => {
    return `  * Node ${node} (score=${score || "by rule"}, id=${id}, rsc=${rsc})`;
  });
  const colocations = childrenOf(constraints, "rsc_colocation").flatMap(({ attributes }) => {
    const { id = "", rsc, "with-rsc": other, score = "" } = attributes;
    if (mine(rsc)) return [`  * Resource ${other} (score=${score}, id=${id})`];
    return mine(other) ? [`  * Resource ${rsc} colocated with ${resource.id} (score=${score}, id=${id})`] : [];
  });
  return [
    ...(lines.length > 0 ? ["Locations:", ...lines] : []),
    ...(colocations.length > 0 ? ["Colocations:", ...colocations] : []),
  ];
}

const constraints: ResourceAction = async (call) => {
  const found = await find(call);
  if (typeof found === "number") return found;
  const lines = constraintLines(found);
  if (lines.length > 0) tell(lines.join("\n"));
  return EXIT.done;
};

/** -O: only what may still be running; -o: everything that is recorded. */
async function operations(call: ResourceCall, isAll: boolean): Promise<number> {
  const facts = await factsOf(call);
  if (typeof facts === "number") return facts;
  for (const node of recordedNodes(facts)) {
    if (call.node !== undefined && call.node !== node.name) continue;
    for (const { id, resource, entries } of recordsOf(facts, node)) {
      if (call.resource !== undefined && call.resource !== id) continue;
      for (const entry of isAll ? entries : entries.filter((each) => each.task !== "stop")) {
        const { "last-rc-change": at = "0", "exec-time": took = "0", operation_key: key } = entry.element.attributes;
        const when = ctime(Number(at) * 1000);
        const details = `node=${node.name}, call=${entry.callId}, rc=${numberOf(entry, "rc-code")}`;
        const line = primitiveLine(resource, "", true, "below-node").replace(/^\* /, "");
        const status = statusText(numberOf(entry, "op-status"));
        tell(`${line}: ${key ?? entry.key} (${details}, last-rc-change='${when}', exec=${took}ms): ${status}`);
      }
    }
  }
  return EXIT.done;
}

function whyLines({ facts, resource }: Found): string[] {
  const nodes = resource.runningOn.map(({ name }) => name);
  if (nodes.length > 0) return [`Resource ${resource.id} is running on ${nodes.join(", ")}`];
  const reasons = [
    ...(isDisabled(resource) ? ["its target role is Stopped"] : []),
    ...(resource.managed ? [] : ["it is not managed"]),
    ...(resource.blocked ? ["it is blocked by a failure"] : []),
    ...bansOf(facts, "")
      .filter((ban) => ban.resource === resource || ban.resource === resource.parent)
      .map(({ id, node }) => `${id} keeps it from ${node.name}`),
    ...facts.nodes
      .filter(({ online, standby }) => !online || standby)
      .map(({ name, online }) => `${name} is ${online ? "in standby" : "offline"}`),
  ];
  return [`Resource ${resource.id} is not running`, ...reasons.map((reason) => `  * ${reason}`)];
}

const why: ResourceAction = async (call) => {
  const found = await find(call);
  if (typeof found === "number") return found;
  tell(whyLines(found).join("\n"));
  return EXIT.done;
};

const namesIn = (directory: string): string[] => {
  try {
    return readdirSync(directory)
      .filter((name) => !name.startsWith("."))
      .toSorted();
  } catch {
    return [];
  }
};

function listOf(names: readonly string[]): Promise<number> {
  for (const name of names) tell(name);
  return Promise.resolve(names.length > 0 ? EXIT.done : NO_SUCH);
}

export const QUERIES: Readonly<Record<string, ResourceAction>> = {
  list,
  "list-raw": listRaw,
  locate,
  "query-xml": queryXml,
  "query-xml-raw": queryXml,
  "get-parameter": getParameter,
  constraints,
  stack: constraints,
  why,
  "list-operations": (call) => operations(call, false),
  "list-all-operations": (call) => operations(call, true),
  "list-standards": () => listOf(["ocf", "lsb", "systemd", "service", "stonith"]),
  "list-ocf-providers": () => listOf(namesIn(OCF_DIRECTORY)),
  "list-agents": ({ argument }) => listOf(namesIn(`${OCF_DIRECTORY}/${argument.split(":")[1] ?? "heartbeat"}`)),
  "list-ocf-alternatives": ({ argument }) =>
    listOf(namesIn(OCF_DIRECTORY).filter((provider) => namesIn(`${OCF_DIRECTORY}/${provider}`).includes(argument))),
};
