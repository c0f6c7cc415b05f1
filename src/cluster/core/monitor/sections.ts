/**
 * The cluster as crm_mon of Pacemaker 2.1 prints it, block by block. Compared with crm_mon 2.1.5 itself, as a black
 * box, over the scheduler's reference CIBs (test/cluster/monitor).
 */
import { childOf, childrenOf } from "../../../base/xml.ts";
import { type Facts, isActive, type Node, type Resource } from "../scheduler/facts/model.ts";
import { ROLE } from "../scheduler/facts/values.ts";
import { agentLines } from "../scheduler/print/agent-lines.ts";
import { isUp, placesOf } from "../scheduler/print/places.ts";
import { isUnique, KIND_WORD, lineOf, nodeLines, nodeState, primitiveLine } from "../scheduler/print/status-report.ts";
import { connectivity, type ShownAttribute, shownAttributes } from "./attributes.ts";
import { narrow } from "./narrow.ts";
import {
  degradedOf,
  entryLine,
  failCountOf,
  failureInDetail,
  failureLine,
  failuresOf,
  hasHistory,
  headOf,
  recordedNodes,
  recordsOf,
  shownEntries,
} from "./operations.ts";
import { byName, nodeName, summary } from "./summary.ts";
import type { FencingNote, MonitorSource, MonitorWishes, NarrowedSource, Section, SectionName } from "./wishes.ts";

const INDENT = "  ";
const NAME_WIDTH = 32;
const VALUE_WIDTH = 10;

/** What runs there, in the order of the record. */
export function runningOn({ facts, shows }: NarrowedSource, node: Node): readonly Resource[] {
  // An anonymous clone may have several records on a node; one of them is its instance's own.
  return recordsOf(facts, node)
    .filter(({ isOwn, resource }) => isOwn && placesOf(resource).includes(node) && shows(resource))
    .map(({ resource }) => resource);
}

/** What runs there, or how much of it, and the same as it is told where its node does not stand above it. */
export function linesBelowNode(
  source: NarrowedSource,
  { brief, detail }: MonitorWishes,
  node: Node,
): readonly { readonly line: string; readonly whole: string }[] {
  const running = runningOn(source, node);
  if (brief) {
    const active = running.filter((each) => isUp(each));
    return agentLines(active, "", "below-node").map((text) => ({ line: text.slice(2), whole: "" }));
  }
  return running
    .filter((resource) => detail || !isImplied(resource))
    .map((resource) => ({
      line: primitiveLine(resource, "", isUnique(resource), "below-node").slice(2),
      whole: primitiveLine(resource, "", isUnique(resource)),
    }));
}

function nodesWithResources(source: NarrowedSource, wishes: MonitorWishes): string[] {
  return byName(source.facts.nodes).flatMap((node) => {
    if (wishes.brief && runningOn(source, node).length === 0) return [];
    const lines = linesBelowNode(source, wishes, node).map(({ line }) => `      * ${line}`);
    return [`${nodeHead(source, wishes, node)}:`, "    * Resources:", ...lines];
  });
}

const stateOf = (facts: Facts, node: Node) => nodeState(facts, node) ?? (node.online ? "online" : "OFFLINE");

/** The features that all of its programs know; Pacemaker has told them since 3.15.1. */
export function featureSet({ whole, version }: NarrowedSource, { kind, online, attributes }: Node): string | undefined {
  if (kind !== "member" || !online) return undefined;
  return attributes["#feature-set"] ?? (version === undefined ? "<3.15.1" : whole.cib.attributes["crm_feature_set"]);
}

function nodeHead(source: NarrowedSource, { detail }: MonitorWishes, node: Node): string {
  const features = detail ? featureSet(source, node) : undefined;
  const known = features === undefined ? "" : `, feature set ${features}`;
  return `  * ${KIND_WORD[node.kind]}Node ${nodeName(node, detail)}: ${stateOf(source.whole, node)}${known}`;
}

export function nodeSection(source: NarrowedSource, wishes: MonitorWishes): Section | undefined {
  const { facts, whole } = source;
  if (facts.nodes.length === 0) return undefined;
  const [kind, title] = ["nodes", "Node List"] as const;
  if (wishes.byNode) return { kind, title, lines: nodesWithResources(source, wishes) };
  if (wishes.detail) return { kind, title, lines: byName(facts.nodes).map((node) => nodeHead(source, wishes, node)) };
  return { kind, title, lines: nodeLines({ ...whole, nodes: facts.nodes }, INDENT) };
}

/** The connection that a guest brings along; once the guest is no longer configured, it stands by itself. */
function isImplied({ type, class: agentClass, container, removed }: Resource): boolean {
  return agentClass === "ocf" && type === "remote" && container !== undefined && !removed;
}

export function resourceSection({ facts }: MonitorSource, wishes: MonitorWishes): Section | undefined {
  const view = { inactive: wishes.inactive, detail: wishes.detail, brief: wishes.brief };
  const known = facts.top.filter(
    (resource) => (wishes.detail || !isImplied(resource)) && (!resource.removed || isActive(resource)),
  );
  const shown = known.filter((resource) =>
    wishes.byNode ? wishes.inactive && !isUp(resource, true) : wishes.inactive || isUp(resource),
  );
  // Counted is also what is no longer configured, and the connections that guests bring along.
  const counted = wishes.brief && !wishes.byNode ? facts.top.filter(({ kind }) => kind === "primitive") : [];
  const linesOf = (resource: Resource) => {
    const own = lineOf(facts, resource, INDENT, view);
    // Its instances are active only by what is recorded of nodes that are gone.
    return resource.kind === "clone" && own.length === 1 && !wishes.inactive ? [] : own;
  };
  const lines = [
    ...agentLines(counted, INDENT, wishes.inactive ? "all" : "active"),
    ...shown.filter((each) => !counted.includes(each)).flatMap(linesOf),
  ];
  if (wishes.byNode) {
    if (!wishes.inactive) return undefined;
    return { title: "Inactive Resources", lines: lines.length === 0 ? ["  * No inactive resources"] : lines };
  }
  const title = wishes.inactive ? "Full List of Resources" : "Active Resources";
  if (lines.length > 0) return { title, lines };
  return { title, lines: [wishes.inactive ? "  * No resources" : "  * No active resources"] };
}

/** Of the nodes that are up and have any. */
export function attributesOf(
  facts: Facts,
): readonly { readonly node: Node; readonly shown: readonly ShownAttribute[] }[] {
  return byName(facts.nodes)
    .filter(({ online }) => online)
    .map((node) => ({ node, shown: shownAttributes(facts, node) }))
    .filter(({ shown }) => shown.length > 0);
}

function attributeSection({ facts }: MonitorSource, { detail }: MonitorWishes): Section | undefined {
  const lines = attributesOf(facts).flatMap(({ node, shown }) => {
    const rows = shown.map((attribute) => {
      const word = connectivity(attribute);
      const cells = `${attribute.name.padEnd(NAME_WIDTH)}\t: ${attribute.value.padEnd(VALUE_WIDTH)}`;
      return `    * ${cells}${word === "" ? "" : `\t: ${word}`}`;
    });
    return [`  * Node: ${nodeName(node, detail)}:`, ...rows];
  });
  return lines.length === 0 ? undefined : { kind: "attributes", title: "Node Attributes", lines };
}

function failCountSection(source: NarrowedSource, { detail }: MonitorWishes): Section {
  const { facts, shows } = source;
  const lines = recordedNodes(facts).flatMap((node) => {
    const records = recordsOf(facts, node).filter(({ resource }) => shows(resource));
    const failing = records.filter(({ resource }) => failCountOf(resource, node) !== undefined);
    return failing.length === 0
      ? []
      : [
          `  * Node: ${nodeName(node, detail)}:`,
          ...failing.map((record) => `    * ${headOf({ ...record, id: record.recordedId }, source, true)}`),
        ];
  });
  return { title: "Migration Summary", lines };
}

function operationSection(source: NarrowedSource, { timing, sections, detail }: MonitorWishes): Section {
  const { facts, shows } = source;
  const lines = recordedNodes(facts).flatMap((node) => {
    const records = recordsOf(facts, node).filter(
      ({ resource, entries }) => shows(resource) && shownEntries(entries).length > 0,
    );
    if (!node.online || records.length === 0) return [];
    const rows = records.flatMap((record) => [
      `    * ${headOf(record, source, sections.has("failcounts"))}:`,
      ...shownEntries(record.entries).map((entry) => `      * ${entryLine(entry, source, timing)}`),
    ]);
    return [`  * Node: ${nodeName(node, detail)}:`, ...rows];
  });
  return { title: "Operations", lines };
}

function failureSection(source: MonitorSource, { detail }: MonitorWishes): Section | undefined {
  const told = detail ? failureInDetail : failureLine;
  const { facts } = source;
  const lines = [...failuresOf(facts), ...degradedOf(facts)].map((failure) => `  * ${told(failure, source)}`);
  return lines.length === 0 ? undefined : { title: "Failed Resource Actions", lines };
}

const FENCING_SECTION: Readonly<Record<FencingNote["outcome"], SectionName>> = {
  confirmed: "fencing-succeeded",
  running: "fencing-pending",
  "not-done": "fencing-failed",
  unknown: "fencing-failed",
};

/** Newest first; without the whole history only the latest of each node, action and end. */
export function fencingShown({ fencing }: MonitorSource, wishes: MonitorWishes): readonly FencingNote[] {
  const seen = new Set<string>();
  return fencing.filter(({ target, action, outcome }) => {
    const section = FENCING_SECTION[outcome];
    const flavour = `${target} ${action} ${section}`;
    const isNews = outcome === "running" || wishes.wholeFencingHistory || !seen.has(flavour);
    seen.add(flavour);
    return isNews && wishes.sections.has(section) && (wishes.node === undefined || wishes.node === target);
  });
}

function fencingSection(source: MonitorSource, wishes: MonitorWishes): Section | undefined {
  const { ctime } = source;
  const shown = fencingShown(source, wishes);
  if (shown.length === 0) return undefined;
  const onlyFailed = shown.every(({ outcome }) => FENCING_SECTION[outcome] === "fencing-failed");
  const lines = shown.map(({ target, action, outcome, by, atWallMs }) => {
    if (outcome === "running") return `  * ${action} of ${target} pending: client=${by}, origin=${by}`;
    const word = outcome === "confirmed" ? "successful" : "failed";
    return `  * ${action} of ${target} ${word}: delegate=${by}, client=${by}, origin=${by}, ${
      outcome === "confirmed" ? "completed" : "last-failed"
    }='${ctime(atWallMs)}'`;
  });
  return { title: onlyFailed ? "Failed Fencing Actions" : "Fencing History", lines };
}

/** Ours alone: crm_mon has no such words. Shown only when somebody has to act. */
function unprovenSection({ unproven, ctime }: MonitorSource): Section | undefined {
  if (unproven.length === 0) return undefined;
  const lines = unproven.map(({ node, device, provenWallMs, reason = "its proof is too old" }) => {
    const seen = provenWallMs === undefined ? "never seen to work" : `last seen to work '${ctime(provenWallMs)}'`;
    return `  * ${device} on ${node}: ${seen}: ${reason}`;
  });
  return { title: "Unproven Fencing Devices", lines };
}

function ticketSection({ facts, ctime }: MonitorSource): Section | undefined {
  const lines = [...facts.tickets.values()].map(({ id, granted, standby, lastGranted }) => {
    const state = `${granted ? "granted" : "revoked"}${standby ? " [standby]" : ""}`;
    const last = lastGranted === undefined ? "" : ` last-granted="${ctime(Number(lastGranted) * 1000)}"`;
    return `  * ${id}: ${state}${last}`;
  });
  return lines.length === 0 ? undefined : { kind: "tickets", title: "Tickets", lines };
}

export interface Ban {
  readonly id: string;
  readonly resource: Resource;
  readonly node: Node;
  readonly score: number;
  readonly promotedOnly: boolean;
}

/** Ids of location constraints whose rule holds where any of its conditions does. */
function disjunctions({ configuration }: Facts): ReadonlySet<string> {
  const constraints = childrenOf(childOf(configuration, "constraints"), "rsc_location");
  const found = constraints.filter((each) => childOf(each, "rule")?.attributes["boolean-op"] === "or");
  return new Set(found.map(({ attributes: { id = "" } }) => id));
}

/** Location constraints that keep a resource from a node. */
export function bansOf(facts: Facts, prefix: string): readonly Ban[] {
  const growing = disjunctions(facts);
  // Newest first, as crm_mon has them; so it has their nodes, but for those that an `or` gathered.
  return facts.locations.toReversed().flatMap(({ id, source, resource, scores, role }) => {
    if (!source.startsWith(prefix)) return [];
    const banned = [...scores].filter(([, score]) => score < 0);
    const lowest = growing.has(id) ? banned : banned.toReversed();
    return lowest.map(([node, score]) => ({ id: source, resource, node, score, promotedOnly: role === ROLE.promoted }));
  });
}

function banSection({ facts }: MonitorSource, { bans: prefix, detail }: MonitorWishes): Section | undefined {
  const lines = bansOf(facts, prefix).map(({ id, resource, node, promotedOnly }) => {
    const role = promotedOnly ? "running in Promoted role" : "running";
    return `  * ${id}\tprevents ${resource.id} from ${role} on ${nodeName(node, detail)}`;
  });
  return lines.length === 0 ? undefined : { title: "Negative Location Constraints", lines };
}

/** The blocks in the order in which crm_mon prints them. */
export function sectionsOf(whole: MonitorSource, wishes: MonitorWishes): readonly Section[] {
  const source = narrow(whole, wishes);
  const wants = (name: SectionName) => wishes.sections.has(name);
  const history = wants("operations")
    ? operationSection(source, wishes)
    : wants("failcounts")
      ? failCountSection(source, wishes)
      : undefined;
  const hasRecords = hasHistory(source.facts);
  const sections = [
    summary(source, wishes),
    wants("nodes") ? nodeSection(source, wishes) : undefined,
    wants("resources") ? resourceSection(source, wishes) : undefined,
    wants("attributes") ? attributeSection(source, wishes) : undefined,
    hasRecords ? history : undefined,
    wants("failures") ? failureSection(source, wishes) : undefined,
    wants("tickets") ? ticketSection(source) : undefined,
    wants("bans") ? banSection(source, wishes) : undefined,
    fencingSection(source, wishes),
    unprovenSection(source),
  ];
  return sections.filter((section) => section !== undefined);
}

export function monitorText(source: MonitorSource, wishes: MonitorWishes): string {
  return sectionsOf(source, wishes)
    .map(({ title, lines }) => [`${title}:`, ...lines].join("\n"))
    .join("\n\n");
}
