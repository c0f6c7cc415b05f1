/**
 * The reading passes, one after another: from a CIB to facts. The order matters: each uses what stands before it. What
 * nodes and resources are is settled on drafts (`draft.ts`); everything else each pass returns. The whole is a value.
 */
import { childOf, childrenOf, type XmlElement, xml } from "../../../../base/xml.ts";
import { lazyIds } from "../../../../cib/sets.ts";
import type { ScheduleOptions } from "../decision.ts";
import type { Reading } from "./draft.ts";
import { heldBack } from "./hold-back.ts";
import { internalColocations } from "./internal-colocations.ts";
import { lossesOf } from "./lose-tickets.ts";
import type { Constraints, Facts, Setting, Tags, Ticket } from "./model.ts";
import { compareNames } from "./names.ts";
import { readConstraints } from "./read-constraints.ts";
import { limitRole } from "./read-history.ts";
import { markSelfFencing, readNodeStates, readNodes, wantFencing } from "./read-nodes.ts";
import { readOptions } from "./read-options.ts";
import { linkRemotes, readRemoteNodes } from "./read-remotes.ts";
import { markUnfencing, readResource, readResources } from "./read-resources.ts";
import { readAllHistories, readTickets } from "./read-status.ts";

function readTags({ configuration }: Setting): Tags {
  const tags = childrenOf(childOf(configuration, "tags"), "tag");
  return new Map(
    tags.map((tag) => [
      tag.attributes["id"] ?? "",
      childrenOf(tag, "obj_ref").map(({ attributes }) => attributes["id"] ?? ""),
    ]),
  );
}

function readSetting(cib: XmlElement, nowSeconds: number, { quorate, zoneSeconds = 0 }: ScheduleOptions): Setting {
  const configuration = childOf(cib, "configuration") ?? xml("configuration");
  const ids = lazyIds(configuration);
  const recheck: { atSeconds: number | undefined } = { atSeconds: undefined };
  const onChangeAt = (seconds: number) => {
    if (recheck.atSeconds === undefined || seconds < recheck.atSeconds) recheck.atSeconds = seconds;
  };
  const ruleContext = { nowSeconds, zoneSeconds, onChangeAt };
  return {
    cib,
    configuration,
    status: childOf(cib, "status"),
    ids,
    nowSeconds,
    options: readOptions(cib, configuration, ids, ruleContext, quorate),
    defaults: {
      resource: childrenOf(childOf(configuration, "rsc_defaults"), "meta_attributes"),
      operation: childrenOf(childOf(configuration, "op_defaults"), "meta_attributes"),
    },
    ruleContext,
    recheck,
    plainParameters: new WeakMap(),
  };
}

function emptyReading(setting: Setting): Reading {
  return {
    ...setting,
    nodes: [],
    nodeByName: new Map(),
    nodeById: new Map(),
    resources: [],
    top: [],
    byId: new Map(),
    byElement: new Map(),
    templates: new Map(),
    unfencers: [],
    bans: [],
    clearFailures: [],
    toFence: [],
    halfArrived: [],
    orphanedGuests: new Map(),
    failedEntries: [],
    haveRemotes: false,
    problems: [],
  };
}

/** Nodes and resources as configured, then as the status tells of them. */
function readKnown(setting: Setting): Reading {
  const reading = emptyReading(setting);
  readNodes(reading);
  readRemoteNodes(reading);
  reading.nodes.sort((a, b) => compareNames(a.name, b.name));
  for (const [index, node] of reading.nodes.entries()) node.index = index;
  readResources(reading);
  linkRemotes(reading, (element) => {
    const resource = readResource(reading, element, {});
    if (resource !== undefined) reading.top.push(resource);
    return resource;
  });
  markUnfencing(reading);
  readNodeStates(reading);
  markSelfFencing(reading);
  readAllHistories(reading);
  return reading;
}

/** Where nothing can be fenced, nothing is acted on; true when it can. */
function holdBack(reading: Reading): boolean {
  const { canProtect, problems } = heldBack(reading);
  reading.problems.push(...problems);
  for (const resource of canProtect ? [] : reading.resources) {
    resource.heldBack = resource.managed;
    resource.managed = false;
  }
  return canProtect;
}

function loseTickets(reading: Reading, { ticketConstraints }: Constraints, tickets: ReadonlyMap<string, Ticket>): void {
  const { frozen, fenced } = lossesOf(ticketConstraints, tickets);
  for (const { index } of frozen) {
    const resource = reading.resources[index];
    if (resource === undefined) continue;
    resource.managed = false;
    resource.blocked = true;
  }
  for (const { index } of fenced) {
    const node = reading.nodes[index];
    if (node !== undefined) wantFencing(reading, node, "deadman ticket was lost");
  }
}

/**
 * Reads the whole CIB. A report tells what is known and configured; a decision also goes by what lost tickets mean, and
 * by the colocations that nobody writes.
 */
export function readFacts(
  cib: XmlElement,
  nowWallMs: number,
  asked: ScheduleOptions = {},
  purpose: "report" | "decision" = "report",
): Facts {
  const setting = readSetting(cib, Math.floor(nowWallMs / 1000), asked);
  const reading = readKnown(setting);
  const canProtect = holdBack(reading);
  for (const resource of reading.resources) limitRole(resource);
  const tags = readTags(setting);
  const tickets = readTickets(setting);
  const { problems, ...constraints } = readConstraints(reading, tags);
  if (purpose === "decision") loseTickets(reading, constraints, tickets);
  const internal = purpose === "decision" ? internalColocations(reading) : [];
  return {
    ...reading,
    // Named one by one: a second spread is copied property by property, for every CIB.
    locations: constraints.locations,
    orders: constraints.orders,
    setGates: constraints.setGates,
    ticketConstraints: constraints.ticketConstraints,
    colocations: [...constraints.colocations, ...internal],
    tags,
    tickets,
    canProtect,
    problems: [...reading.problems, ...problems],
  };
}
