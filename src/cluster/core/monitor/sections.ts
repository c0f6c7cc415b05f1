/**
 * The cluster as crm_mon of Pacemaker 2.1 prints it, block by block. Compared with crm_mon 2.1.5 itself, as a black
 * box, over the scheduler's reference CIBs (test/cluster/monitor).
 */
import { type Facts, isActive, type Node, type Resource } from "../scheduler/facts/model.ts";
import { compareNames } from "../scheduler/facts/names.ts";
import { ROLE } from "../scheduler/facts/values.ts";
import {
  isDisabled,
  isUnique,
  KIND_WORD,
  lineOf,
  nodeLines,
  nodeState,
  primitiveLine,
} from "../scheduler/print/status-report.ts";
import { connectivity, shownAttributes } from "./attributes.ts";
import {
  entryLine,
  failCountOf,
  failureInDetail,
  failureLine,
  failuresOf,
  headOf,
  recordedNodes,
  recordsOf,
  shownEntries,
} from "./operations.ts";
import type { MonitorSource, MonitorWishes, Section } from "./wishes.ts";

const INDENT = "  ";
const NAME_WIDTH = 32;
const VALUE_WIDTH = 10;

export const byName = (nodes: readonly Node[]): readonly Node[] =>
  nodes.filter(({ kind }) => kind !== "ping").toSorted((left, right) => compareNames(left.name, right.name));

export interface Counts {
  readonly nodes: number;
  readonly resources: number;
  readonly disabled: number;
  readonly blocked: number;
}

export function countsOf(facts: Facts): Counts {
  const primitives = facts.resources.filter(({ kind, removed }) => kind === "primitive" && !removed);
  return {
    nodes: byName(facts.nodes).length,
    resources: primitives.length,
    disabled: primitives.filter(isDisabled).length,
    blocked: primitives.filter(({ blocked }) => blocked).length,
  };
}

const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;

const nodeName = ({ name, id }: Node, withId: boolean) => (withId && id !== name ? `${name} (${id})` : name);

/** Who leads, as text, or undefined when nobody does. */
export function centreOf({ facts, version }: MonitorSource, withId: boolean): string | undefined {
  const dc = facts.nodes.find(({ isDc }) => isDc);
  if (dc === undefined) return undefined;
  const quorum = facts.options.quorate ? "with" : "WITHOUT";
  const named = `${nodeName(dc, withId)} (version ${facts.options.all["dc-version"] ?? version ?? "unknown"})`;
  return `${named} - partition ${quorum} quorum`;
}

/** Who changed the configuration last, and when. */
function lastChange({ facts }: MonitorSource): string | undefined {
  const {
    "cib-last-written": at,
    "update-user": user,
    "update-client": client,
    "update-origin": origin,
  } = facts.cib.attributes;
  if (at === undefined) return undefined;
  const by = [
    ...(user === undefined || user === "" ? [] : [`by ${user}`]),
    ...(client === undefined || client === "" ? [] : [`via ${client}`]),
    ...(origin === undefined || origin === "" ? [] : [`on ${origin}`]),
  ];
  return [at, ...by].join(" ");
}

export function summary(source: MonitorSource, withIds: boolean): Section {
  const { facts, ctime, nowWallMs } = source;
  const { nodes, resources, disabled, blocked } = countsOf(facts);
  const notes = [
    ...(disabled > 0 ? [`${disabled} DISABLED`] : []),
    ...(blocked > 0 ? [`${blocked} BLOCKED from further action due to failure`] : []),
  ];
  const changed = lastChange(source);
  const { all, maintenance, stopAll } = facts.options;
  return {
    title: "Cluster Summary",
    lines: [
      `  * Stack: ${all["cluster-infrastructure"] ?? source.stack}`,
      `  * Current DC: ${centreOf(source, withIds) ?? "NONE"}`,
      `  * Last updated: ${ctime(nowWallMs)}`,
      ...(changed === undefined ? [] : [`  * Last change:  ${changed}`]),
      `  * ${plural(nodes, "node")} configured`,
      `  * ${plural(resources, "resource instance")} configured${notes.length === 0 ? "" : ` (${notes.join(", ")})`}`,
      ...(maintenance || stopAll ? [""] : []),
      ...(maintenance
        ? [
            "              *** Resource management is DISABLED ***",
            "  The cluster will not attempt to start, stop or recover services",
          ]
        : []),
      ...(stopAll && !maintenance
        ? ["    *** Resource management is DISABLED ***", "  The cluster will keep all resources stopped"]
        : []),
    ],
  };
}

/** What runs there, in the order of the record. */
function runningOn(facts: Facts, node: Node): readonly Resource[] {
  return recordsOf(facts, node)
    .map(({ resource }) => resource)
    .filter(({ runningOn: nodes }) => nodes.includes(node));
}

function nodesWithResources(facts: Facts, wishes: MonitorWishes): string[] {
  return byName(facts.nodes).flatMap((node) => {
    const lines = runningOn(facts, node).map((resource) =>
      primitiveLine(resource, "      ", wishes.detail || isUnique(resource), "below-node"),
    );
    const head = `  * ${KIND_WORD[node.kind]}Node ${nodeName(node, wishes.detail)}: ${stateOf(facts, node)}:`;
    return [head, "    * Resources:", ...lines];
  });
}

const stateOf = (facts: Facts, node: Node) => nodeState(facts, node) ?? (node.online ? "online" : "OFFLINE");

function nodesInDetail(facts: Facts): string[] {
  return byName(facts.nodes).map(
    (node) => `  * ${KIND_WORD[node.kind]}Node ${nodeName(node, true)}: ${stateOf(facts, node)}`,
  );
}

export function nodeSection({ facts }: MonitorSource, wishes: MonitorWishes): Section {
  if (wishes.byNode) return { title: "Node List", lines: nodesWithResources(facts, wishes) };
  if (wishes.detail) return { title: "Node List", lines: nodesInDetail(facts) };
  return { title: "Node List", lines: nodeLines(facts, INDENT) };
}

/** Whether all of it is up that should be: then a list of what is inactive leaves it out. */
function isWhole(resource: Resource): boolean {
  if (resource.kind === "clone") {
    const wanted = Math.min(resource.instanceMax, resource.children.length);
    return resource.children.filter((child) => isActive(child, true)).length >= wanted;
  }
  return isActive(resource, true);
}

/** The connection to a guest, which nobody configured as a resource of its own. */
function isImplied({ type, class: agentClass, container }: Resource): boolean {
  return agentClass === "ocf" && type === "remote" && container !== undefined;
}

export function resourceSection({ facts }: MonitorSource, wishes: MonitorWishes): Section | undefined {
  const view = { inactive: wishes.inactive, detail: wishes.detail };
  const known = facts.top.filter((resource) => !isImplied(resource) && (!resource.removed || isActive(resource)));
  const shown = known.filter((resource) =>
    wishes.byNode ? wishes.inactive && !isWhole(resource) : wishes.inactive || isActive(resource),
  );
  const lines = shown.flatMap((resource) => lineOf(facts, resource, INDENT, view));
  if (wishes.byNode) {
    if (!wishes.inactive) return undefined;
    return { title: "Inactive Resources", lines: lines.length === 0 ? ["  * No inactive resources"] : lines };
  }
  const title = wishes.inactive ? "Full List of Resources" : "Active Resources";
  if (lines.length > 0) return { title, lines };
  return { title, lines: [wishes.inactive ? "  * No resources" : "  * No active resources"] };
}

function attributeSection({ facts }: MonitorSource): Section | undefined {
  const lines = byName(facts.nodes).flatMap((node) => {
    if (!node.online) return [];
    const shown = shownAttributes(facts, node);
    if (shown.length === 0) return [];
    const rows = shown.map((attribute) => {
      const word = connectivity(attribute);
      const cells = `${attribute.name.padEnd(NAME_WIDTH)}\t: ${attribute.value.padEnd(VALUE_WIDTH)}`;
      return `    * ${cells}${word === "" ? "" : `\t: ${word}`}`;
    });
    return [`  * Node: ${node.name}:`, ...rows];
  });
  return lines.length === 0 ? undefined : { title: "Node Attributes", lines };
}

function failCountSection(source: MonitorSource): Section {
  const { facts } = source;
  const lines = recordedNodes(facts).flatMap((node) => {
    const failing = recordsOf(facts, node).filter(({ resource }) => failCountOf(resource, node) !== undefined);
    return failing.length === 0
      ? []
      : [`  * Node: ${node.name}:`, ...failing.map((record) => `    * ${headOf(record, source)}`)];
  });
  return { title: "Migration Summary", lines };
}

function operationSection(source: MonitorSource, { timing }: MonitorWishes): Section {
  const { facts } = source;
  const lines = recordedNodes(facts).flatMap((node) => {
    const records = recordsOf(facts, node).filter(({ entries }) => shownEntries(entries).length > 0);
    if (!node.online || records.length === 0) return [];
    const rows = records.flatMap((record) => [
      `    * ${headOf(record, source)}:`,
      ...shownEntries(record.entries).map((entry) => `      * ${entryLine(entry, source, timing)}`),
    ]);
    return [`  * Node: ${node.name}:`, ...rows];
  });
  return { title: "Operations", lines };
}

function failureSection(source: MonitorSource, { detail }: MonitorWishes): Section | undefined {
  const told = detail ? failureInDetail : failureLine;
  const lines = failuresOf(source.facts).map((failure) => `  * ${told(failure, source)}`);
  return lines.length === 0 ? undefined : { title: "Failed Resource Actions", lines };
}

function fencingSection({ fencing, ctime }: MonitorSource, { fencing: level }: MonitorWishes): Section | undefined {
  if (level === 0) return undefined;
  const shown = fencing.filter(({ outcome }) => level > 1 || outcome !== "confirmed");
  if (shown.length === 0) return undefined;
  const onlyFailed = shown.every(({ outcome }) => outcome !== "confirmed" && outcome !== "running");
  const lines = shown.map(({ target, action, outcome, by, atWallMs }) => {
    if (outcome === "running") return `  * ${action} of ${target} pending: client=${by}, origin=${by}`;
    const word = outcome === "confirmed" ? "successful" : "failed";
    return `  * ${action} of ${target} ${word}: delegate=${by}, client=${by}, origin=${by}, ${
      outcome === "confirmed" ? "completed" : "last-failed"
    }='${ctime(atWallMs)}'`;
  });
  return { title: onlyFailed ? "Failed Fencing Actions" : "Fencing History", lines };
}

function ticketSection({ facts, ctime }: MonitorSource): Section | undefined {
  const lines = [...facts.tickets.values()].map(({ id, granted, standby, lastGranted }) => {
    const state = `${granted ? "granted" : "revoked"}${standby ? " [standby]" : ""}`;
    const last = lastGranted === undefined ? "" : ` last-granted="${ctime(Number(lastGranted) * 1000)}"`;
    return `  * ${id}\t${state}${last}`;
  });
  return lines.length === 0 ? undefined : { title: "Tickets", lines };
}

export interface Ban {
  readonly id: string;
  readonly resource: Resource;
  readonly node: Node;
  readonly score: number;
  readonly promotedOnly: boolean;
}

/** Location constraints that keep a resource from a node. */
export function bansOf(facts: Facts, prefix: string): readonly Ban[] {
  // Newest first, as crm_mon has them.
  return facts.locations.toReversed().flatMap(({ source, resource, scores, role }) => {
    if (!source.startsWith(prefix)) return [];
    const lowest = [...scores].toReversed().filter(([, score]) => score < 0);
    return lowest.map(([node, score]) => ({ id: source, resource, node, score, promotedOnly: role === ROLE.promoted }));
  });
}

function banSection({ facts }: MonitorSource, prefix: string): Section | undefined {
  const lines = bansOf(facts, prefix).map(({ id, resource, node, promotedOnly }) => {
    const role = promotedOnly ? "running in Promoted role" : "running";
    return `  * ${id}\tprevents ${resource.id} from ${role} on ${node.name}`;
  });
  return lines.length === 0 ? undefined : { title: "Negative Location Constraints", lines };
}

/** The blocks in the order in which crm_mon prints them. */
export function sectionsOf(source: MonitorSource, wishes: MonitorWishes): readonly Section[] {
  const sections = [
    ...(wishes.hideHeaders ? [] : [summary(source, wishes.detail)]),
    nodeSection(source, wishes),
    resourceSection(source, wishes),
    wishes.attributes ? attributeSection(source) : undefined,
    wishes.operations || wishes.timing
      ? operationSection(source, wishes)
      : wishes.failCounts
        ? failCountSection(source)
        : undefined,
    failureSection(source, wishes),
    wishes.tickets ? ticketSection(source) : undefined,
    wishes.bans === undefined ? undefined : banSection(source, wishes.bans),
    fencingSection(source, wishes),
  ];
  return sections.filter((section) => section !== undefined);
}

export function monitorText(source: MonitorSource, wishes: MonitorWishes): string {
  return sectionsOf(source, wishes)
    .map(({ title, lines }) => [`${title}:`, ...lines].join("\n"))
    .join("\n\n");
}
