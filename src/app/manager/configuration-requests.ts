/**
 * What operators ask in their words (standby, stop, move, ...) as operations on the configuration: Pacemaker's
 * attributes, options and constraint names, so that every tool of the field reads them.
 * Facts: Pacemaker Explained (standby, maintenance, target-role, is-managed); crm_resource(8) for cli-prefer, cli-ban.
 */
import type { Problem } from "../../base/problem.ts";
import { childOf, isXmlName, parseXml, type XmlElement } from "../../base/xml.ts";
import { OUTDATED } from "../../cluster/core/cib-store/batch.ts";
import type { ConfigurationOperation, StatusChange } from "../../cluster/core/cib-store/types.ts";
import { configurationVersion, configuredNodes } from "../../cluster/core/controller/cib-read.ts";
import {
  dropLease,
  endOf,
  endText,
  leaseOperations,
  type OverrideKind,
  trialOf,
  withoutTrial,
} from "../../cluster/core/overrides/lease.ts";
import { banFrom, clear, moveTo } from "../../cluster/core/overrides/move.ts";
import { primitivesOf as partsOf } from "../../cluster/core/scheduler/facts/model.ts";
import { ROLE } from "../../cluster/core/scheduler/facts/values.ts";
import type { ControlRequest } from "../control-protocol.ts";
import { localFacts } from "../zone.ts";
import { listPrimitives } from "./status.ts";

export type Wish =
  | {
      readonly kind: "operations";
      readonly operations: readonly ConfigurationOperation[];
      /** What is noted beside them, of itself: whoever may do the one needs no right to the other. */
      readonly notes?: readonly ConfigurationOperation[];
      readonly text: string;
    }
  | { readonly kind: "problem"; readonly problem: Problem };

type Of<Kind extends ControlRequest["kind"]> = Extract<ControlRequest, { kind: Kind }>;

export function problem(place: string, reason: string, remedy: string): Problem {
  return { severity: "error", place, reason, remedy };
}

const refuse = (place: string, reason: string, remedy: string): Wish => ({
  kind: "problem",
  problem: problem(place, reason, remedy),
});

function unknownNode(cib: XmlElement, node: string): Wish | undefined {
  const names = configuredNodes(cib).map(({ name }) => name);
  if (names.includes(node)) return undefined;
  return refuse("node", `there is no node ${node}`, `give one of ${names.join(", ")}`);
}

const nodePath = (node: string) => `//node[@uname="${node}"]`;

export function nodeAttribute(cib: XmlElement, node: string, name: string, value: string | null): Wish {
  const unknown = unknownNode(cib, node);
  if (unknown !== undefined) return unknown;
  const operation = {
    kind: "set-option",
    target: nodePath(node),
    setName: "instance_attributes",
    name,
    value,
  } as const;
  const text = value === null ? `${name} of ${node} is removed` : `${name} of ${node} is ${value}`;
  return { kind: "operations", operations: [operation], text };
}

/** Who asks, and when: what a lease needs beside the wish itself. */
export interface Asker {
  readonly by: string;
  readonly nowWallMs: number;
}

interface Wanted {
  readonly kind: OverrideKind;
  readonly subject: string;
  /** Of a ban. */
  readonly from?: string;
  readonly lifetime: string | undefined;
  readonly reason: string | undefined;
}

const configurationOf = (cib: XmlElement) => childOf(cib, "configuration");

/** An override with its lease, in one change. `make` is given the end. */
function override(
  cib: XmlElement,
  { kind, subject, from, lifetime, reason = "" }: Wanted,
  { by, nowWallMs }: Asker,
  make: (endWallMs: number | undefined) => Wish,
): Wish {
  const configuration = configurationOf(cib);
  const end = endOf(configuration, lifetime, nowWallMs);
  if (end.kind === "bad")
    return refuse("lifetime", `${lifetime ?? "the configured default"} is no time`, "write PT1H, 30min or forever");
  const made = make(end.wallMs);
  if (made.kind === "problem") return made;
  const about = from === undefined ? { kind, subject } : { kind, subject, node: from };
  const notes = leaseOperations({ ...about, endWallMs: end.wallMs, owner: by, reason });
  const until = end.wallMs === undefined ? "until it is taken back" : `until ${endText(end.wallMs)}`;
  return { ...made, notes, text: `${made.text} ${until}` };
}

/** Takes an override back, lease and all. */
function back(cib: XmlElement, kinds: readonly OverrideKind[], subject: string, made: Wish): Wish {
  if (made.kind === "problem") return made;
  const leases = kinds.flatMap((kind) => dropLease(configurationOf(cib), { kind, subject }));
  return { ...made, notes: leases };
}

const NODE_ACTIONS = {
  standby: { name: "standby", value: "on", kind: "standby" },
  online: { name: "standby", value: "off", kind: "standby" },
  maintenance: { name: "maintenance", value: "true", kind: "maintenance" },
  ready: { name: "maintenance", value: "false", kind: "maintenance" },
} as const;

/** What a node has until it leaves would win over what is asked for now: of a switch it is taken away. */
export const switchedAttribute = ({ action }: Of<"node">): string => NODE_ACTIONS[action].name;

export function nodeWish(cib: XmlElement, { node, action, lifetime, reason }: Of<"node">, asker: Asker): Wish {
  const { name, value, kind } = NODE_ACTIONS[action];
  const made = nodeAttribute(cib, node, name, value);
  if (action === "online" || action === "ready") return back(cib, [kind], node, made);
  return override(cib, { kind, subject: node, lifetime, reason }, asker, () => made);
}

function findById(element: XmlElement | undefined, id: string): XmlElement | undefined {
  if (element === undefined) return undefined;
  if (element.attributes.id === id && ["primitive", "group", "clone", "master"].includes(element.name)) return element;
  for (const child of element.children) {
    const found = findById(child, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The resource of that name, or undefined. */
export function findResource(cib: XmlElement, id: string): XmlElement | undefined {
  return findById(childOf(childOf(cib, "configuration"), "resources"), id);
}

/** The primitives in it, itself if it is one: failures are kept by primitive. */
export function primitivesOf(resource: XmlElement): readonly string[] {
  if (resource.name === "primitive") return [resource.attributes.id ?? ""];
  return listPrimitives(resource).map(({ primitive }) => primitive.attributes.id ?? "");
}

const META_OPTIONS = {
  start: { name: "target-role", value: "Started" },
  stop: { name: "target-role", value: "Stopped" },
  promote: { name: "target-role", value: "Promoted" },
  demote: { name: "target-role", value: "Unpromoted" },
  manage: { name: "is-managed", value: "true" },
  unmanage: { name: "is-managed", value: "false" },
} as const;

function metaOption(id: string, action: keyof typeof META_OPTIONS): Wish {
  const { name, value } = META_OPTIONS[action];
  const operation = { kind: "set-option", target: id, setName: "meta_attributes", name, value } as const;
  return { kind: "operations", operations: [operation], text: `${name} of ${id} is ${value}` };
}

/** Where any part of it runs now, as the status section says; where it is promoted if that alone is meant. */
function nodesOf(cib: XmlElement, id: string, { nowWallMs }: Asker, isPromoted = false): readonly string[] {
  const resource = localFacts(cib, nowWallMs).byId.get(id);
  if (resource === undefined) return [];
  const parts = partsOf(resource).filter(({ role }) => !isPromoted || role === ROLE.promoted);
  return [...new Set(parts.flatMap(({ runningOn }) => runningOn.map(({ name }) => name)))];
}

function ban(cib: XmlElement, request: Of<"resource">, asker: Asker): Wish {
  const { resource, lifetime, reason, isPromoted = false } = request;
  const running = nodesOf(cib, resource, asker, isPromoted);
  const promoted = nodesOf(cib, resource, asker, true);
  // Of a promotable clone the promoted instance is meant. Fact: crm_resource(8), --ban.
  const node = request.node ?? [running, promoted].find(({ length }) => length === 1)?.[0];
  if (node === undefined) {
    const where = running.length === 0 ? "nowhere" : `on ${running.join(" and ")}`;
    return refuse("which node", `${resource} runs ${where}, so which node is meant is not clear`, "name the node");
  }
  const unknown = unknownNode(cib, node);
  if (unknown !== undefined) return unknown;
  return override(cib, { kind: "ban", subject: resource, from: node, lifetime, reason }, asker, (endWallMs) => ({
    kind: "operations",
    operations: banFrom({ resource, node, endWallMs, isPromoted }),
    text: `${resource} is kept from ${node}`,
  }));
}

/** To a node; without one, away from where it runs, as the field's tools mean it. */
function move(cib: XmlElement, request: Of<"resource">, asker: Asker): Wish {
  const { resource, node, lifetime, reason, isPromoted = false, isForced = false } = request;
  if (node === undefined) return ban(cib, request, asker);
  const unknown = unknownNode(cib, node);
  if (unknown !== undefined) return unknown;
  const running = nodesOf(cib, resource, asker);
  if (!isForced && !isPromoted && running.length === 1 && running[0] === node)
    return refuse("resource move", `${resource} runs on ${node} already`, "name another node, or say --force");
  return override(cib, { kind: "move", subject: resource, lifetime, reason }, asker, (endWallMs) => ({
    kind: "operations",
    operations: moveTo(configurationOf(cib), { resource, node, endWallMs, isPromoted }),
    text: `${resource} is moved to ${node}; it stays there`,
  }));
}

function unmove(cib: XmlElement, request: Of<"resource">, { nowWallMs }: Asker): Wish {
  const { resource, node, isExpired = false, isForced = false } = request;
  const unknown = node === undefined ? undefined : unknownNode(cib, node);
  if (unknown !== undefined) return unknown;
  const operations = clear(configurationOf(cib), resource, {
    ...(node === undefined ? {} : { node }),
    ...(isExpired ? { expiredAtWallMs: nowWallMs } : {}),
    isForced,
  });
  if (operations.length === 0) return { kind: "operations", operations, text: `${resource} had not been moved` };
  const made: Wish = { kind: "operations", operations, text: `${resource} may run anywhere again` };
  // With a node named, something else of the resource may stay: the DC drops a lease that has nothing left by itself.
  return node === undefined && !isExpired ? back(cib, ["move", "ban"], resource, made) : made;
}

/** An attribute of a ticket is one of its element in the CIB; which ticket it is says the id. */
export function refuseTicket({ ticket, name }: Of<"ticket">): Problem | undefined {
  if (ticket !== "" && (name === undefined || (isXmlName(name) && name !== "id"))) return undefined;
  return problem("ticket", "no ticket or attribute is called so", "give a name of letters, digits, - _ and .");
}

/** Ticket states are no configuration: a site is given a ticket, and takes note when. */
export function ticketChange({ ticket, name, value }: Of<"ticket">, nowWallMs: number): StatusChange {
  if (name === undefined) return { kind: "set-ticket", ticket, attributes: null };
  const isGrant = name === "granted" && value === "true";
  const granted = isGrant ? { "last-granted": String(Math.floor(nowWallMs / 1000)) } : {};
  return { kind: "set-ticket", ticket, attributes: { [name]: value ?? null, ...granted } };
}

/** Cleanup and refresh change no configuration. */
export function resourceWish(cib: XmlElement, request: Of<"resource">, asker: Asker): Wish {
  const { resource: id, action, lifetime, reason } = request;
  const found = findResource(cib, id);
  if (found === undefined) return refuse("resource", `there is no resource ${id}`, "look at `gemel status`");
  switch (action) {
    case "start":
    case "stop":
    case "promote":
    case "demote":
      return metaOption(id, action);
    case "manage":
      return back(cib, ["unmanage"], id, metaOption(id, action));
    case "unmanage":
      return override(cib, { kind: "unmanage", subject: id, lifetime, reason }, asker, () => metaOption(id, action));
    case "move":
      return move(cib, request, asker);
    case "ban":
      return ban(cib, request, asker);
    case "unmove":
      return unmove(cib, request, asker);
    case "cleanup":
      return { kind: "operations", operations: [], text: `${id}: failures are forgotten, it is probed again` };
    default:
      return action satisfies never;
  }
}

/**
 * A whole configuration given as XML: `cib` or `configuration` is its root. `complete` gives back to what replaces all
 * what its sender was not shown.
 */
export function applyWish(
  cib: XmlElement,
  request: Of<"cib-apply">,
  asker: Asker,
  complete: (given: XmlElement) => XmlElement = (given) => given,
): Wish {
  const { mode, xml: text, base, trialMs, raises } = request;
  const now = configurationVersion(cib);
  if (base !== undefined && base !== now)
    return refuse(OUTDATED, `the configuration is ${now} now`, "read it again, make the change anew");
  const read = parseXml(text);
  if (read.kind === "not-xml") return refuse(`line ${read.line}`, read.reason, "give well-formed XML");
  const given = read.root.name === "configuration" ? read.root : childOf(read.root, "configuration");
  if (given === undefined) return refuse("/", `the root is <${read.root.name}>`, "give a cib or configuration element");
  const configuration = withoutTrial(mode === "replace" ? complete(given) : given);
  const change = { kind: mode, configuration } as const;
  const raise = raises === undefined ? [] : [{ kind: "raise", part: raises } as const];
  // Another node may have asked for something meanwhile: only the DC can tell.
  const expect = { kind: "expect", version: now } as const;
  const first = base === undefined ? [] : [expect];
  if (trialMs === undefined) return { kind: "operations", operations: [...first, change, ...raise], text: "" };
  if (!Number.isFinite(trialMs) || trialMs < TRIAL_MIN_MS)
    return refuse("trialMs", `${trialMs} ms is too short to look at anything`, "give at least 5 seconds");
  const endWallMs = asker.nowWallMs + trialMs;
  const lease = { kind: "trial", subject: now, endWallMs, owner: asker.by, reason: "" } as const;
  const said = `goes back to ${now} at ${endText(endWallMs)} unless confirmed: gemel config confirm`;
  return { kind: "operations", operations: [expect, change, ...leaseOperations(lease)], text: said };
}

/** Shorter, and the operator could not even confirm it. */
const TRIAL_MIN_MS = 5_000;

/** The trial that is on becomes the configuration. */
export function confirmWish(cib: XmlElement): Wish {
  const trial = trialOf(childOf(cib, "configuration"));
  if (trial === undefined) return refuse("configuration", "there is no trial to confirm", "see gemel config log");
  const operations = dropLease(childOf(cib, "configuration"), trial);
  return { kind: "operations", operations, text: `the configuration tried since ${trial.subject} stays` };
}
