/**
 * Resources: templates expanded, meta-attributes with their inheritance, groups, clones with their instances.
 * Facts: Pacemaker Explained, "Resource Meta-Attributes", "Advanced Resource Types", "Reusing Parts of the
 * Configuration".
 */
import { addEntry, entryOf } from "../../../../base/record.ts";
import type { XmlElement } from "../../../../base/xml.ts";
import { childOf, childrenOf } from "../../../../base/xml.ts";
import { INFINITY_SCORE, parseScore } from "../../../../cib/schema/values.ts";
import { resolveReference } from "../../../../cib/sets.ts";
import { addSets } from "./attribute-sets.ts";
import type { Reading, ResourceDraft } from "./draft.ts";
import type { Operation, Resource, ResourceKind, Setting } from "./model.ts";
import { isUsableBundle, readBundle } from "./read-bundle.ts";
import { parseBoolean, parseDurationMs, parseRole, ROLE } from "./values.ts";

const KINDS: Readonly<Record<string, ResourceKind>> = {
  primitive: "primitive",
  group: "group",
  clone: "clone",
  master: "clone",
  bundle: "bundle",
};

/** Far above any cluster's nodes times instances a node; a larger number in a CIB is a slip of the pen. */
const INSTANCES_MAX = 200;

export interface Origin {
  readonly parent?: ResourceDraft;
  readonly instance?: number;
  readonly removed?: boolean;
}

/** The primitive with what its template adds; what the primitive says itself comes first and so wins. */
function expandTemplate(facts: Reading, element: XmlElement): XmlElement {
  const name = element.attributes["template"];
  if (name === undefined) return element;
  const resources = childOf(facts.configuration, "resources");
  const template = childrenOf(resources, "template").find(({ attributes }) => attributes["id"] === name);
  if (template === undefined) {
    const place = `/cib/configuration/resources/primitive[@id="${element.attributes["id"]}"]`;
    facts.problems.push({ severity: "error", place, reason: `there is no template ${name}`, remedy: "define it" });
    return element;
  }
  const own = childOf(element, "operations");
  // An operation replaces the template's one of that name and role, whatever their intervals.
  const keyOf = ({ attributes: a }: XmlElement) => `${a["name"]}/${parseRole(a["role"] ?? "Started")}`;
  const ownKeys = new Set((own?.children ?? []).map(keyOf));
  const inherited = (childOf(template, "operations")?.children ?? []).filter((op) => !ownKeys.has(keyOf(op)));
  const operations: XmlElement = {
    name: "operations",
    attributes: {},
    children: [...inherited, ...(own?.children ?? [])],
  };
  const rest = (source: XmlElement) => source.children.filter((child) => child.name !== "operations");
  return {
    name: element.name,
    attributes: { ...template.attributes, ...element.attributes },
    children: [operations, ...rest(element), ...rest(template)],
  };
}

/** The rest of the meta-attributes comes from the parent and then from rsc_defaults. */
export function metaOf(facts: Setting, element: XmlElement, parent: Resource | undefined): Record<string, string> {
  const { attributes } = element;
  const resource = {
    class: attributes["class"] ?? "",
    ...(attributes["provider"] === undefined ? {} : { provider: attributes["provider"] }),
    type: attributes["type"] ?? "",
  };
  const context = { ...facts.ruleContext, resource };
  const meta = addSets(childrenOf(element, "meta_attributes"), facts.ids, facts.ruleContext, {});
  if (parent !== undefined) for (const [name, value] of Object.entries(parent.meta)) addEntry(meta, name, value);
  return addSets(facts.defaults.resource, facts.ids, context, meta);
}

function readOperations(facts: Reading, element: XmlElement): Operation[] {
  const list = childOf(element, "operations");
  if (list === undefined) return [];
  const target = resolveReference(list, facts.ids);
  return childrenOf(target, "op").map((raw) => {
    const op = resolveReference(raw, facts.ids);
    const { name = "", interval, role } = op.attributes;
    const own = addSets(childrenOf(op, "meta_attributes"), facts.ids, facts.ruleContext, {});
    return {
      name,
      intervalMs: parseDurationMs(own["interval"] ?? interval) ?? 0,
      role: parseRole(own["role"] ?? role),
      enabled: parseBoolean(own["enabled"] ?? op.attributes["enabled"], true),
      element: op,
    };
  });
}

function multiplyActiveOf(value: string | undefined): ResourceDraft["multiplyActive"] {
  return value === "block" || value === "stop_only" || value === "stop_unexpected" ? value : "stop_start";
}

function requiresOf(facts: Reading, value: string | undefined, isFencing: boolean): ResourceDraft["requires"] {
  if (value === "nothing" || value === "quorum") return value;
  if (value === "unfencing") return isFencing || !facts.options.fencingEnabled ? "quorum" : "unfencing";
  if (value === "fencing") return facts.options.fencingEnabled ? "fencing" : "quorum";
  if (isFencing) return "quorum";
  // Quorum may be ignored; what a fencing protects may not.
  if (facts.options.fencingEnabled) return "fencing";
  return facts.options.noQuorumPolicy === "ignore" ? "nothing" : "quorum";
}

/** Where devices let nodes in, whatever fencing protects waits for that, unless it says what it requires. */
export function markUnfencing({ resources, unfencers }: Reading): void {
  for (const each of resources)
    if (each.kind === "primitive" && isFencingClass(each.class) && each.meta["provides"] === "unfencing")
      unfencers.push(each);
  if (unfencers.length === 0) return;
  for (const each of resources)
    if (each.requires === "fencing" && each.meta["requires"] !== "fencing") each.requires = "unfencing";
}

function failureTimeoutOf(meta: Readonly<Record<string, string>>): number {
  return parseDurationMs(meta["failure-timeout"]) ?? 0;
}

/** Fact: Pacemaker Explained, parameter reconnect_interval of ocf:pacemaker:remote. */
function reconnectOf(facts: Reading, element: XmlElement): number {
  const parameters = addSets(childrenOf(element, "instance_attributes"), facts.ids, facts.ruleContext, {});
  return parseDurationMs(parameters["reconnect_interval"]) ?? 0;
}

/** A new resource with nothing known of its state, added to the facts. */
export function addResource(facts: Reading, element: XmlElement, kind: ResourceKind, origin: Origin): ResourceDraft {
  const { parent, instance, removed = false } = origin;
  const { attributes } = element;
  const baseId = attributes["id"] ?? "";
  // Instances of a clone say the same: what the first one was found to mean holds for all.
  const twin = facts.byElement.get(element);
  const isTwin = twin !== undefined && twin.parent?.meta === parent?.meta;
  const meta = isTwin ? twin.meta : metaOf(facts, element, parent);
  const isFencing = isFencingClass(attributes["class"]);
  const number = (name: string, fallback: number) => {
    const value = Number.parseInt(entryOf(meta, name) ?? "", 10);
    return Number.isNaN(value) ? fallback : value;
  };
  const reconnectMs = isRemoteConnection(attributes) ? reconnectOf(facts, element) : 0;
  const isClone = kind === "clone";
  const isWhole = isClone || kind === "bundle";
  const nodeMax = isWhole ? number("clone-node-max", 1) : 1;
  const promotable = isClone && (element.name === "master" || parseBoolean(meta["promotable"], false));
  const managed = parseBoolean(meta["is-managed"], true) && !facts.options.maintenance;
  const maintenance = facts.options.maintenance || parseBoolean(meta["maintenance"], false);
  const resource: ResourceDraft = {
    index: facts.resources.length,
    id: instance === undefined ? baseId : `${baseId}:${instance}`,
    baseId,
    kind,
    element,
    class: attributes["class"] ?? "",
    provider: attributes["provider"] ?? "",
    type: attributes["type"] ?? "",
    parent,
    children: [],
    meta,
    operations: twin?.operations ?? readOperations(facts, element),
    priority: parseScore(meta["priority"]),
    stickiness: parseScore(meta["resource-stickiness"]),
    migrationThreshold: parseThreshold(meta["migration-threshold"]),
    failureTimeoutMs: reconnectMs > 0 ? reconnectMs : failureTimeoutOf(meta),
    reconnectMs,
    multiplyActive: multiplyActiveOf(meta["multiple-active"]),
    requires: isRemoteConnection(attributes) ? "quorum" : requiresOf(facts, meta["requires"], isFencing),
    allowMigrate: parseBoolean(meta["allow-migrate"], isRemoteConnection(attributes)),
    critical: parseBoolean(meta["critical"], true),
    isContainer: Object.hasOwn(meta, "remote-node"),
    container: undefined,
    fillers: [],
    remoteNodeName: undefined,
    removed,
    managed: managed && !maintenance,
    heldBack: false,
    maintenance,
    unique: isClone && parseBoolean(meta["globally-unique"], nodeMax > 1) && canBeUnique(element),
    promotable,
    notify: isWhole && parseBoolean(meta["notify"], false),
    interleave: isWhole && parseBoolean(meta["interleave"], false),
    ordered: isClone && parseBoolean(meta["ordered"], false),
    instanceMax: isWhole ? instancesOf(facts, meta["clone-max"]) : 1,
    instanceNodeMax: nodeMax,
    instanceMin: isWhole ? number("clone-min", 0) : 0,
    promotedMax: promotable ? number("promoted-max", number("master-max", 1)) : 0,
    promotedNodeMax: promotable ? number("promoted-node-max", number("master-node-max", 1)) : 0,
    instance: instance ?? -1,
    replicas: [],
    bundled: undefined,
    role: ROLE.stopped,
    nextRole: ROLE.unknown,
    runningOn: [],
    dangling: [],
    knownOn: new Set(),
    failed: false,
    failureIgnored: false,
    failedThere: false,
    blocked: false,
    restartContainer: false,
    demoteWanted: false,
    stopWanted: false,
    pendingTask: "",
    pendingNode: undefined,
    migrationSource: undefined,
    migrationTarget: undefined,
    lock: undefined,
    history: new Map(),
    expiredMonitors: [],
    recordedName: undefined,
  };
  facts.resources.push(resource);
  if (twin === undefined) facts.byElement.set(element, resource);
  if (!facts.byId.has(resource.id)) facts.byId.set(resource.id, resource);
  return resource;
}

/** Both dialects. */
export function isFencingClass(name: string | undefined): boolean {
  return name === "stonith" || name === "fencing";
}

/** Only OCF agents can tell one instance from another. */
function canBeUnique(element: XmlElement): boolean {
  return element.children.every(
    (child) =>
      (child.name !== "primitive" && child.name !== "group") ||
      (child.name === "group" ? canBeUnique(child) : (child.attributes["class"] ?? "ocf") !== "lsb"),
  );
}

/** As many as the clone asks for, else one for each node. */
function instancesOf(facts: Reading, cloneMax: string | undefined): number {
  const wanted = Number.parseInt(cloneMax ?? "", 10);
  const nodes = facts.nodes.filter(({ inBundle }) => !inBundle).length;
  return Math.min(INSTANCES_MAX, Number.isNaN(wanted) ? Math.max(1, nodes) : wanted);
}

/** Zero and below mean: never. */
function parseThreshold(value: string | undefined): number {
  const threshold = parseScore(value, INFINITY_SCORE);
  return threshold <= 0 ? INFINITY_SCORE : threshold;
}

function isRemoteConnection(attributes: Readonly<Record<string, string>>): boolean {
  return attributes["provider"] === "pacemaker" && attributes["type"] === "remote" && attributes["class"] === "ocf";
}

/** The one resource that a clone multiplies. */
export function cloneChildElement(element: XmlElement): XmlElement | undefined {
  return element.children.find(({ name }) => name === "primitive" || name === "group");
}

/** One more instance, numbered by what is there already. */
export function addInstance(facts: Reading, clone: ResourceDraft, removed: boolean): ResourceDraft | undefined {
  const element = cloneChildElement(clone.element);
  if (element === undefined) return undefined;
  const instance = clone.children.length;
  const child = readResource(facts, element, { parent: clone, instance, removed });
  if (child !== undefined) clone.children.push(child);
  return child;
}

/** One resource and all below it. */
export function readResource(facts: Reading, raw: XmlElement, origin: Origin): ResourceDraft | undefined {
  const kind = entryOf(KINDS, raw.name);
  if (kind === undefined || (kind === "bundle" && !isUsableBundle(facts, raw))) return undefined;
  const element = kind === "primitive" ? expandTemplate(facts, raw) : raw;
  const resource = addResource(facts, element, kind, origin);
  if (kind === "primitive" && raw.attributes["template"] !== undefined && (origin.instance ?? 0) === 0) {
    const users = facts.templates.get(raw.attributes["template"]) ?? [];
    users.push(resource);
    facts.templates.set(raw.attributes["template"], users);
  }
  if (kind === "group") {
    const inherited = origin.instance === undefined ? {} : { instance: origin.instance };
    for (const child of childrenOf(element, "primitive")) {
      const member = readResource(facts, child, { ...inherited, parent: resource, removed: origin.removed === true });
      if (member !== undefined) resource.children.push(member);
    }
  }
  if (kind === "clone") {
    // A clone of at most none still needs one instance, to stop what may be running of it.
    for (let count = 0; count < Math.max(1, resource.instanceMax); count++)
      addInstance(facts, resource, resource.instanceMax === 0 || origin.removed === true);
  }
  if (kind === "bundle") readBundle(facts, resource, (inner) => readResource(facts, inner, { parent: resource }));
  return resource;
}

/** The whole resources section. */
export function readResources(facts: Reading): void {
  for (const element of childOf(facts.configuration, "resources")?.children ?? []) {
    const resource = readResource(facts, element, {});
    if (resource !== undefined) facts.top.push(resource);
  }
  facts.top.sort((a, b) => b.priority - a.priority);
}

/** Instance parameters as they are on a node (rules may look at its attributes). */
export function parametersOf(
  facts: Setting,
  resource: Resource,
  nodeAttributes: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const known = facts.plainParameters.get(resource);
  if (known !== undefined) return known;
  const sets = childrenOf(resource.element, "instance_attributes").map((set) => resolveReference(set, facts.ids));
  const context = nodeAttributes === undefined ? facts.ruleContext : { ...facts.ruleContext, nodeAttributes };
  const values = addSets(sets, facts.ids, context, {});
  const { parent } = resource;
  if (parent !== undefined)
    for (const [name, value] of Object.entries(parametersOf(facts, parent, nodeAttributes)))
      addEntry(values, name, value);
  const isPlain =
    (parent === undefined || facts.plainParameters.has(parent)) &&
    !sets.some((set) => childOf(set, "rule") !== undefined);
  if (isPlain) facts.plainParameters.set(resource, values);
  return values;
}
