/** The state of nodes and resources as text, in the words and the layout of crm_mon. */
import { entryOf } from "../../../../base/record.ts";
import { childrenOf } from "../../../../base/xml.ts";
import type { Facts, Node, Resource } from "../facts/model.ts";
import { inPromotable, isActive, primitivesOf } from "../facts/model.ts";
import { compareNames } from "../facts/names.ts";
import { targetRoleOf } from "../facts/read-history.ts";
import { ROLE, roleText } from "../facts/values.ts";
import { agentLines, agentName } from "./agent-lines.ts";
import { bundleLines, replicaLines, type Shown } from "./bundle-lines.ts";
import { isDown, placesOf } from "./places.ts";
import { probeFailure } from "./probe-failures.ts";

/** What is left out and what is added. */
export interface ReportView {
  /** Also what runs nowhere. */
  readonly inactive: boolean;
  /** Each instance of a clone by itself. */
  readonly detail: boolean;
  /** What is under way, in its own words. */
  readonly pending?: boolean;
  /** Members of groups are counted by their agents. */
  readonly brief?: boolean;
}

const WHOLE: ReportView = { inactive: true, detail: false };

const list = (names: readonly string[]) => `[ ${[...names].sort(compareNames).join(" ")} ]`;

export const KIND_WORD = { member: "", remote: "Remote", guest: "Guest", ping: "" } as const;

/** `undefined` for a node that has nothing special about it and goes into a list. */
export function nodeState(facts: Facts, node: Node): string | undefined {
  const [state, health] = [plainState(facts, node), healthOf(facts, node)];
  return health === undefined ? state : `${state ?? (node.online ? "online" : "OFFLINE")} (health is ${health})`;
}

/** A remote node that no status has told of may be up as well as not; of what has a state, that tells. */
function isUnseen({ options, status }: Facts, { id, name, kind, online }: Node): boolean {
  if (kind !== "remote" || online || !options.fencingEnabled || !options.startupFencing) return false;
  return !childrenOf(status, "node_state").some(({ attributes }) => [id, name].includes(attributes["id"] ?? ""));
}

function plainState(facts: Facts, node: Node): string | undefined {
  if (node.unclean || isUnseen(facts, node)) return node.online ? "UNCLEAN (online)" : "UNCLEAN (offline)";
  if (node.pending) return "pending";
  if (node.standbyOnFail && node.online) return "standby (on-fail)";
  if (node.standby) {
    if (!node.online) return "OFFLINE (standby)";
    return isBusy(facts, node) ? "standby (with active resources)" : "standby";
  }
  if (node.maintenance) return node.online ? "maintenance" : "OFFLINE (maintenance)";
  return undefined;
}

const isBusy = (facts: Facts, node: Node) =>
  facts.resources.some(({ kind, runningOn }) => kind === "primitive" && runningOn.includes(node));

/** What a page tells one by one, of which a line of text tells only the gravest. */
export function nodeTraits(facts: Facts, node: Node) {
  const { unclean, pending, standby, standbyOnFail, online, maintenance } = node;
  const inStandby = online && isBusy(facts, node) ? "standby, with active resources" : "standby";
  return {
    unproven: unclean || isUnseen(facts, node) ? "UNCLEAN" : pending ? "pending" : undefined,
    health: healthOf(facts, node),
    standby: standbyOnFail && online ? "standby due to on-fail" : standby ? inStandby : undefined,
    inMaintenance: maintenance,
  };
}

/** The worst of its health attributes, when anyone looks at them. */
function healthOf(facts: Facts, node: Node): "RED" | "YELLOW" | undefined {
  if (facts.options.healthStrategy === "none") return undefined;
  const values = Object.entries(node.attributes).flatMap(([name, value]) =>
    name.startsWith("#health") ? [value] : [],
  );
  if (values.includes("red")) return "RED";
  return values.includes("yellow") ? "YELLOW" : undefined;
}

export function nodeLines(facts: Facts, indent: string): string[] {
  const lines: string[] = [];
  const lists = new Map<string, string[]>();
  const nodes = [...facts.nodes].filter(({ kind }) => kind !== "ping").sort((a, b) => compareNames(a.name, b.name));
  for (const node of nodes) {
    const word = KIND_WORD[node.kind];
    const state = nodeState(facts, node);
    if (state !== undefined) lines.push(`${indent}* ${word}Node ${node.name}: ${state}`);
    else {
      const key = `${word}${node.online ? "Online" : "OFFLINE"}`;
      lists.set(key, [...(lists.get(key) ?? []), node.name]);
    }
  }
  for (const key of ["Online", "OFFLINE", "RemoteOnline", "RemoteOFFLINE", "GuestOnline", "GuestOFFLINE"]) {
    const names = lists.get(key);
    if (names !== undefined && key !== "GuestOFFLINE") lines.push(`${indent}* ${key}: ${list(names)}`);
  }
  return lines;
}

const PENDING: Readonly<Record<string, string>> = {
  start: "Starting",
  stop: "Stopping",
  promote: "Promoting",
  demote: "Demoting",
  migrate_to: "Migrating",
  migrate_from: "Migrating",
};

const isUnderWay = ({ pendingTask }: Resource) =>
  pendingTask === "monitor" || entryOf(PENDING, pendingTask) !== undefined;

export function isDisabled(resource: Resource): boolean {
  return targetRoleOf(resource, inPromotable(resource)) === ROLE.stopped;
}

/** Of a promotable clone, that it may not be promoted. */
function isHeldLow(resource: Resource): boolean {
  return inPromotable(resource) && targetRoleOf(resource, true) === ROLE.unpromoted;
}

/** What is under way counts as what it leads to, unless it is to be shown. */
export function roleWord(resource: Resource, showPending = true): string {
  const pending = showPending ? entryOf(PENDING, resource.pendingTask) : undefined;
  if (pending !== undefined) return pending;
  if (resource.runningOn.length === 0) return "Stopped";
  if (!inPromotable(resource) && resource.role !== ROLE.promoted) return "Started";
  return roleText(resource.role === ROLE.started ? ROLE.unpromoted : resource.role);
}

/** It waits for its node, or is back there and its record not yet gone. */
export const isLocked = ({ lock, runningOn }: Resource) =>
  lock !== undefined && !lock.isExpired && runningOn.every((node) => node === lock.node);

/** The node that what runs nowhere belongs to for now: it is locked to it, or something is under way there. */
const waitsFor = (resource: Resource) =>
  isLocked(resource) ? resource.lock?.node : resource.runningOn.length === 0 ? resource.pendingNode : undefined;

function flagsOf(resource: Resource, node: Node | undefined, showPending: boolean): string[] {
  const flags: string[] = isLocked(resource) ? ["LOCKED"] : [];
  if (placesOf(resource).length === 1 && node !== undefined && !node.online && node.unclean) flags.push("UNCLEAN");
  if (showPending && resource.pendingTask === "monitor") flags.push("Monitoring");
  if (isDisabled(resource)) flags.push("disabled");
  else if (inPromotable(resource) && resource.nextRole === ROLE.unpromoted && hasTarget(resource))
    flags.push("target-role:Unpromoted");
  if (resource.blocked) flags.push("blocked");
  else if (!resource.managed && (resource.maintenance || isInMaintenance(resource))) flags.push("maintenance");
  else if (!resource.managed && !resource.heldBack) flags.push("unmanaged");
  if (resource.failureIgnored) flags.push("failure ignored");
  return flags;
}

function hasTarget(resource: Resource): boolean {
  return targetRoleOf(resource, true) === ROLE.unpromoted;
}

function isInMaintenance(resource: Resource): boolean {
  return resource.runningOn.some(({ maintenance }) => maintenance);
}

/** `below-node`: the line stands below its node already, which is not named again. */
export function primitiveLine(
  resource: Resource,
  indent: string,
  unique: boolean,
  shown?: Shown | "below-node",
  showPending = true,
): string {
  const own = shown === "below-node" ? undefined : shown;
  const withNode = shown !== "below-node";
  const name = own?.name ?? (unique ? resource.id : resource.baseId);
  const role = roleWord(resource, showPending);
  const failed = failedWord(resource, role);
  const all = flagsOf(resource, own?.node ?? placesOf(resource)[0], showPending);
  const flags = withNode ? all : all.filter((flag) => flag !== "UNCLEAN" && flag !== "LOCKED");
  const places = placesOf(resource);
  const several = withNode && places.length > 1;
  const first = own === undefined ? (places[0] ?? waitsFor(resource)) : own.node;
  const node = several || !withNode || first === undefined ? "" : ` ${first.name}`;
  const notes = flags.length === 0 ? "" : ` (${flags.join(", ")})`;
  const nodes = several ? ` ${`[ ${places.map((each) => each.name).join(" ")} ]`}` : "";
  const removed = resource.removed ? "ORPHANED " : "";
  const answer = role === "Stopped" ? probeFailure(resource) : undefined;
  const why = answer === undefined ? "" : ` (${answer}) `;
  return `${indent}* ${name}\t(${agentName(resource)}):\t ${removed}${failed}${why}${node}${notes}${nodes}`;
}

/** A failed resource's role matters only when it may be promoted. */
function failedWord(resource: Resource, role: string): string {
  const isFailure = resource.failed || resource.failedThere;
  if (!isFailure) return role;
  return resource.role === ROLE.promoted ? `FAILED ${role}` : "FAILED";
}

function collectiveFlags(resource: Resource, note = ""): string {
  const flags: string[] = note === "" ? [] : [note];
  if (resource.kind === "clone" && resource.promotable) flags.push("promotable");
  if (resource.kind === "clone" && resource.unique) flags.push("unique");
  if (resource.maintenance) flags.push("maintenance");
  else if (!resource.managed && !resource.heldBack) flags.push("unmanaged");
  if (isDisabled(resource) || isHeldLow(resource)) flags.push("disabled");
  return flags.length === 0 ? "" : ` (${flags.join(", ")})`;
}

/** Whether the instance is like any other of its clone, so that its node in a list says it all. */
function isPlain(instance: Resource, showPending = true): boolean {
  const members = primitivesOf(instance);
  // What is under way with one member of a group does not make the whole another one.
  if (showPending && isUnderWay(instance)) return false;
  return members.every(
    ({ runningOn, managed, heldBack, failed, failedThere, blocked, removed }) =>
      runningOn.length === 1 &&
      runningOn[0] === members[0]?.runningOn[0] &&
      runningOn[0]?.online === true &&
      (managed || heldBack) &&
      !failed &&
      !failedThere &&
      !blocked &&
      !removed,
  );
}

function instanceRole(instance: Resource): number {
  return Math.max(...primitivesOf(instance).map(({ role }) => role));
}

function cloneLines(facts: Facts, clone: Resource, indent: string, view: ReportView): string[] {
  const child = clone.children[0];
  const lines = [`${indent}* Clone Set: ${clone.id} [${child?.baseId ?? ""}]${collectiveFlags(clone)}:`];
  const deeper = `${indent}  `;
  const [promoted, others] = [[] as string[], [] as string[]];
  const busy = new Set<Node>();
  let active = 0;
  for (const instance of clone.children) {
    const isSomewhere = isActive(instance);
    for (const member of primitivesOf(instance)) for (const node of member.runningOn) busy.add(node);
    const isGone = primitivesOf(instance).some(({ runningOn: [on] }) => on !== undefined && isDown(on));
    if (view.detail) {
      lines.push(...lineOf(facts, instance, deeper, view));
      continue;
    }
    const isToldAlone =
      clone.unique || (view.pending === true && instance.kind === "primitive" && isUnderWay(instance));
    if (!isSomewhere && (instance.removed || !isToldAlone)) continue;
    const node = primitivesOf(instance)[0]?.runningOn[0];
    if (isGone && !clone.unique) continue;
    if (clone.unique || !isPlain(instance, view.pending) || node === undefined)
      lines.push(...lineOf(facts, instance, deeper, view));
    else {
      active += 1;
      (instanceRole(instance) === ROLE.promoted ? promoted : others).push(node.name);
    }
  }
  if (promoted.length > 0) lines.push(`${deeper}* Promoted: ${list(promoted)}`);
  const lower = clone.promotable ? `Unpromoted${clone.children.some(isHeldLow) ? " (target-role)" : ""}` : "Started";
  if (others.length > 0) lines.push(`${deeper}* ${lower}: ${list(others)}`);
  if (view.inactive && !view.detail && !clone.unique && clone.instanceMax > active) {
    const idle = facts.nodes.filter((node) => isMember(node) && !busy.has(node) && isInView(facts, clone, node));
    const byAnswer = Map.groupBy(idle, (node) => probeFailure(clone, node) ?? "");
    const note = [clone, ...clone.children.slice(0, 1)].some(isDisabled) ? " (disabled)" : "";
    for (const answer of [...byAnswer.keys()].sort()) {
      const names = (byAnswer.get(answer) ?? []).map(({ name }) => name);
      lines.push(`${deeper}* Stopped${answer === "" ? "" : ` (${answer})`}${note}: ${list(names)}`);
    }
  }
  return lines;
}

function isMember(node: Node): boolean {
  return node.kind !== "ping" && !node.inBundle;
}

/**
 * In a cluster that must be opted into, a clone has to do only with the nodes that have told of it; where some of them
 * told that it cannot run there, with those alone.
 */
function isInView({ options, bans }: Facts, clone: Resource, node: Node): boolean {
  if (options.symmetric) return true;
  const own = bans.filter(({ resource }) => resource === clone);
  if (own.length > 0) return own.some((ban) => ban.node === undefined || ban.node === node);
  return primitivesOf(clone).some(({ history }) => history.has(node));
}

/** One resource with what stands in it. */
export function lineOf(facts: Facts, resource: Resource, indent: string, view: ReportView = WHOLE): string[] {
  const { pending } = view;
  const primitive = (each: Resource, deeper: string) => primitiveLine(each, deeper, isUnique(each), undefined, pending);
  if (resource.kind === "primitive") return [primitive(resource, indent)];
  if (resource.kind === "clone") return cloneLines(facts, resource, indent, view);
  if (resource.kind === "bundle" && view.detail)
    return replicaLines(resource, indent, collectiveFlags(resource), (part, deeper) => [
      primitiveLine(part, deeper, false),
    ]);
  if (resource.kind === "bundle")
    return bundleLines(resource, indent, collectiveFlags(resource), (each, deeper, place) =>
      primitiveLine(each, deeper, false, place),
    );
  const shown = resource.children.filter((member) => view.inactive || isActive(member));
  const hidden = resource.children.length - shown.length;
  if (shown.length === 0 && view.brief !== true) return [];
  const note = hidden === 0 || shown.length === 0 ? "" : `${hidden} member${hidden === 1 ? "" : "s"} inactive`;
  const head = `${indent}* Resource Group: ${resource.id}${collectiveFlags(resource, note)}:`;
  // Of a group the inactive members are counted, too, even where no others are.
  if (view.brief === true) return [head, ...agentLines(resource.children, `${indent}  `, "all")];
  return [head, ...shown.map((member) => primitive(member, `${indent}  `))];
}

export function isUnique(resource: Resource): boolean {
  for (let up = resource.parent; up !== undefined; up = up.parent) if (up.kind === "clone") return up.unique;
  return true;
}

/** How many instances are kept down by configuration, and by a failure. */
function countLine(facts: Facts): string[] {
  // What is no longer configured counts while it runs.
  const primitives = facts.resources.filter((each) => each.kind === "primitive" && (!each.removed || isActive(each)));
  const disabled = primitives.filter((each) => isDisabled(each) || isHeldLow(each)).length;
  const blocked = primitives.filter((each) => each.blocked).length;
  if (disabled + blocked === 0) return [];
  const counts = `${disabled} of ${primitives.length} resource instances DISABLED and ${blocked} BLOCKED`;
  return [`${counts} from further action due to failure`, ""];
}

const DISABLED = [
  "",
  "              *** Resource management is DISABLED ***",
  "  The cluster will not attempt to start, stop or recover services",
  "",
];

/** The whole report, after its heading. */
export function statusReport(facts: Facts, heading: string, counted: boolean): string {
  // The connection that a guest brings along is shown as the guest.
  const resources = facts.top.filter(
    (resource) => (!resource.removed || isActive(resource)) && resource.meta["internal_remote_node"] === undefined,
  );
  const lines = resources.flatMap((resource) => lineOf(facts, resource, "    ", { ...WHOLE, pending: counted }));
  return [
    ...(counted && facts.options.maintenance ? DISABLED : []),
    ...(counted ? countLine(facts) : []),
    `${heading}:`,
    "  * Node List:",
    ...nodeLines(facts, "    "),
    "",
    "  * Full List of Resources:",
    ...(lines.length === 0 ? ["    * No resources"] : lines),
    "",
  ].join("\n");
}
