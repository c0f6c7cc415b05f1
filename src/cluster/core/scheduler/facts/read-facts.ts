/** The reading passes, one after another: from a CIB to facts. The order matters: each uses what stands before it. */
import { childOf, childrenOf, type XmlElement, xml } from "../../../../base/xml.ts";
import type { ScheduleOptions } from "../decision.ts";
import { type IdIndex, indexIds } from "./attribute-sets.ts";
import { heldBack } from "./hold-back.ts";
import { lossesOf } from "./lose-tickets.ts";
import type { Facts } from "./model.ts";
import { compareNames } from "./names.ts";
import { readConstraints } from "./read-constraints.ts";
import { limitRole } from "./read-history.ts";
import { markSelfFencing, readNodeStates, readNodes, wantFencing } from "./read-nodes.ts";
import { readOptions } from "./read-options.ts";
import { linkRemotes, readRemoteNodes } from "./read-remotes.ts";
import { markUnfencing, readResource, readResources } from "./read-resources.ts";
import { readAllHistories, readTickets } from "./read-status.ts";

function readTags(facts: Facts): void {
  for (const tag of childrenOf(childOf(facts.configuration, "tags"), "tag")) {
    const members = childrenOf(tag, "obj_ref").map(({ attributes }) => attributes["id"] ?? "");
    facts.tags.set(tag.attributes["id"] ?? "", members);
  }
}

function emptyFacts(cib: XmlElement, nowSeconds: number, { quorate, zoneSeconds = 0 }: ScheduleOptions): Facts {
  const configuration = childOf(cib, "configuration") ?? xml("configuration");
  let index: IdIndex | undefined;
  const ids = () => {
    index ??= indexIds(configuration);
    return index;
  };
  const recheck: Facts["recheck"] = { atSeconds: undefined };
  const onChangeAt = (seconds: number) => {
    if (recheck.atSeconds === undefined || seconds < recheck.atSeconds) recheck.atSeconds = seconds;
  };
  const ruleContext = { nowSeconds, zoneSeconds, onChangeAt };
  const options = readOptions(cib, configuration, ids, ruleContext, quorate);
  return {
    cib,
    configuration,
    status: childOf(cib, "status"),
    ids,
    nowSeconds,
    options,
    defaults: {
      resource: childrenOf(childOf(configuration, "rsc_defaults"), "meta_attributes"),
      operation: childrenOf(childOf(configuration, "op_defaults"), "meta_attributes"),
    },
    nodes: [],
    nodeByName: new Map(),
    nodeById: new Map(),
    resources: [],
    unfencers: [],
    top: [],
    byId: new Map(),
    byElement: new Map(),
    plainParameters: new Map(),
    templates: new Map(),
    tags: new Map(),
    tickets: new Map(),
    locations: [],
    colocations: [],
    orders: [],
    setGates: [],
    ticketConstraints: [],
    bans: [],
    toFence: [],
    clearFailures: [],
    halfArrived: [],
    failedEntries: [],
    removedHistories: [],
    haveQuorum: options.quorate,
    haveRemotes: false,
    canProtect: true,
    recheck,
    problems: [],
    ruleContext,
  };
}

function writeHeldBack(facts: Facts): void {
  const { canProtect, problems } = heldBack(facts);
  facts.canProtect = canProtect;
  facts.problems.push(...problems);
  for (const resource of canProtect ? [] : facts.resources) {
    resource.heldBack = resource.managed;
    resource.managed = false;
  }
}

/** Writes what lost tickets mean; apart from `readFacts`, since reports tell what was known before. */
export function loseTickets(facts: Facts): void {
  const { frozen, fenced } = lossesOf(facts);
  for (const resource of frozen) {
    resource.managed = false;
    resource.blocked = true;
  }
  for (const node of fenced) wantFencing(facts, node, "deadman ticket was lost");
}

/** Reads the whole CIB. */
export function readFacts(cib: XmlElement, nowWallMs: number, asked: ScheduleOptions = {}): Facts {
  const facts = emptyFacts(cib, Math.floor(nowWallMs / 1000), asked);
  readNodes(facts);
  readRemoteNodes(facts);
  facts.nodes.sort((a, b) => compareNames(a.name, b.name));
  for (const [index, node] of facts.nodes.entries()) node.index = index;
  readResources(facts);
  linkRemotes(facts, (element) => {
    const resource = readResource(facts, element, {});
    if (resource !== undefined) facts.top.push(resource);
    return resource;
  });
  markUnfencing(facts);
  readTags(facts);
  readTickets(facts);
  readNodeStates(facts);
  markSelfFencing(facts);
  readAllHistories(facts);
  writeHeldBack(facts);
  for (const resource of facts.resources) limitRole(resource);
  readConstraints(facts);
  return facts;
}
