/** What crm_resource only tells. */
import { readdirSync } from "node:fs";
import { entryOf } from "../../base/record.ts";
import { childrenOf, printXml, type XmlElement, xml } from "../../base/xml.ts";
import { numberOf, recordedNodes, recordsOf, statusText } from "../../cluster/core/monitor/operations.ts";
import {
  type HistoryEntry,
  isActive,
  type Node,
  primitivesOf,
  type Resource,
} from "../../cluster/core/scheduler/facts/model.ts";
import { ROLE } from "../../cluster/core/scheduler/facts/values.ts";
import { isUnique, lineOf, primitiveLine } from "../../cluster/core/scheduler/print/status-report.ts";
import { ctime } from "../ctime.ts";
import { fencingAgents } from "../fencing-agents.ts";
import { EXIT, FIELD_EXIT } from "./ask.ts";
import type { ResourceAction, ResourceCall } from "./crm-resource.ts";
import { complain, type Found, factsOf, find, tell } from "./crm-resource-find.ts";

const OCF_DIRECTORY = "/usr/lib/ocf/resource.d";

const list: ResourceAction = async (call) => {
  const facts = await factsOf(call);
  if (typeof facts === "number") return facts;
  const shown = facts.top.filter((resource) => !resource.removed || isActive(resource));
  tell(["Full List of Resources:", ...shown.flatMap((resource) => lineOf(facts, resource, "  "))].join("\n"));
  return EXIT.done;
};

const item = (text: string, name?: string) => ({ ...xml("item", name === undefined ? {} : { name }), text });
const xmlList = (name: string, items: readonly string[], each?: string) =>
  xml(
    "list",
    { name, count: String(items.length) },
    items.map((text) => item(text, each)),
  );

const listRaw: ResourceAction = async (call) => {
  const facts = await factsOf(call);
  if (typeof facts === "number") return facts;
  const ids = facts.top.flatMap(primitivesOf).map(({ id }) => id);
  for (const id of ids) tell(id);
  call.add?.(xmlList("resource names", ids, "resource"));
  return EXIT.done;
};

/** All instances of a primitive that is cloned, unless one of them was named. */
function instancesOf({ facts, resource }: Found, named: string): readonly Resource[] {
  if (resource.kind !== "primitive") return primitivesOf(resource);
  const instance = facts.byId.get(named);
  if (instance !== undefined) return [instance];
  return facts.resources.filter(
    ({ kind, baseId, id }) => kind === "primitive" && (baseId === resource.baseId || id === resource.id),
  );
}

const locate: ResourceAction = async (call) => {
  const found = await find(call);
  if (typeof found === "number") return found;
  const id = call.named ?? "";
  const places = instancesOf(found, id).flatMap(({ runningOn, role }) =>
    runningOn.map(({ name }) => ({ name, isPromoted: role === ROLE.promoted })),
  );
  const nodes = [...new Map(places.map((place) => [place.name, place])).values()];
  const node = (one: (typeof nodes)[number]) => ({
    ...xml("node", one.isPromoted ? { state: "promoted" } : {}),
    text: one.name,
  });
  call.add?.(xml("nodes", { resource: id }, nodes.map(node)));
  if (call.flags["quiet"] === true) for (const { name } of nodes) tell(name);
  else if (nodes.length === 0) return complain(`resource ${id} is NOT running`, EXIT.done);
  else
    for (const { name, isPromoted } of nodes)
      tell(`resource ${id} is running on: ${name}${isPromoted ? " Promoted" : ""}`);
  return EXIT.done;
};

const queryXml: ResourceAction = async (call) => {
  const found = await find(call);
  if (typeof found === "number") return found;
  const { facts, resource } = found;
  const lines = lineOf(facts, resource, "", { inactive: false, detail: false });
  for (const line of resource.kind === "primitive" ? lines : lines.slice(1)) tell(line.replace(/^ *\* /, ""));
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
  const value = call.set === "meta_attributes" ? (written ?? entryOf(resource.meta, call.argument)) : written;
  if (value === undefined)
    return complain(`Attribute '${call.argument}' not found for '${resource.id}'`, FIELD_EXIT.notFound);
  tell(value);
  call.add?.(xml("list", { name: "attributes", count: "1" }, [item(value, call.argument)]));
  return EXIT.done;
};

function detailsOf(entry: HistoryEntry, node: Node): string {
  const { "last-rc-change": at, "exec-time": took } = entry.element.attributes;
  return [
    `node=${node.name}, call=${entry.callId}, rc=${numberOf(entry, "rc-code")}`,
    ...(at === undefined ? [] : [`last-rc-change='${ctime(Number(at) * 1000)}'`]),
    ...(took === undefined ? [] : [`exec=${took}ms`]),
  ].join(", ");
}

/** -O: only what may still be running; -o: everything that is recorded. */
async function operations(call: ResourceCall, isAll: boolean): Promise<number> {
  const facts = await factsOf(call);
  if (typeof facts === "number") return facts;
  if (call.node !== undefined && !facts.nodes.some(({ name }) => name === call.node))
    return complain(`Node '${call.node}' not found`, FIELD_EXIT.notFound);
  for (const node of recordedNodes(facts)) {
    if (call.node !== undefined && call.node !== node.name) continue;
    for (const { id, resource, entries } of recordsOf(facts, node)) {
      if (call.resource !== undefined && call.resource !== id) continue;
      for (const entry of isAll ? entries : entries.filter((each) => each.task !== "stop")) {
        const line = primitiveLine(resource, "", isUnique(resource), "below-node").replace(/^\* /, "");
        const status = statusText(numberOf(entry, "op-status"));
        const key = entry.element.attributes["operation_key"] ?? entry.key;
        tell(`${line}: ${key} (${detailsOf(entry, node)}): ${status}`);
      }
    }
  }
  return EXIT.done;
}

const namesIn = (directory: string): string[] => {
  try {
    return readdirSync(directory)
      .filter((name) => !name.startsWith("."))
      .toSorted();
  } catch {
    return [];
  }
};

const noAgents = (standard: string): Promise<number> =>
  Promise.resolve(complain(`No agents found for standard '${standard}'`, EXIT.refused));

function listOf(names: readonly string[], { add }: ResourceCall, shape: XmlElement): Promise<number> {
  for (const name of names) tell(name);
  const each = shape.name === "list" ? "item" : shape.name.replace(/s$/, "");
  const counted = shape.name === "list" ? { ...shape.attributes, count: String(names.length) } : shape.attributes;
  add?.(
    xml(
      shape.name,
      counted,
      names.map((text) => ({ ...xml(each), text })),
    ),
  );
  return Promise.resolve(names.length > 0 ? EXIT.done : FIELD_EXIT.notFound);
}

export const QUERIES: Readonly<Record<string, ResourceAction>> = {
  list,
  "list-raw": listRaw,
  locate,
  "query-xml": queryXml,
  "query-xml-raw": queryXml,
  "get-parameter": getParameter,
  "list-operations": (call) => operations(call, false),
  "list-all-operations": (call) => operations(call, true),
  "list-standards": (call) =>
    listOf(["ocf", "lsb", "systemd", "service", "stonith"], call, xml("list", { name: "standards" })),
  "list-ocf-providers": (call) => listOf(namesIn(OCF_DIRECTORY), call, xml("providers", { standard: "ocf" })),
  "list-agents": (call) => {
    const { argument } = call;
    const [standard = "", provider] = argument.split(":");
    const shape = xml("agents", { standard, ...(provider === undefined ? {} : { provider }) });
    if (standard === "stonith") return listOf(fencingAgents(), call, shape);
    if (standard === "lsb" || standard === "service") return listOf(namesIn("/etc/init.d"), call, shape);
    if (standard !== "ocf") return noAgents(argument);
    if (provider !== undefined) return listOf(namesIn(`${OCF_DIRECTORY}/${provider}`), call, shape);
    const all = namesIn(OCF_DIRECTORY).flatMap((each) => namesIn(`${OCF_DIRECTORY}/${each}`));
    return listOf([...new Set(all)].toSorted(), call, shape);
  },
  "list-ocf-alternatives": (call) =>
    listOf(
      namesIn(OCF_DIRECTORY).filter((provider) => namesIn(`${OCF_DIRECTORY}/${provider}`).includes(call.argument)),
      call,
      xml("providers", { for: call.argument }),
    ),
};
