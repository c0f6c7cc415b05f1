/**
 * Nodes and what the status says of them: online, unclean, on standby, leaving.
 * Silence is no proof of anything: with fencing, a node that should be there and is not must be fenced.
 * Facts: Pacemaker Explained, "Cluster Nodes", "Node Status"; behaviour of crm_simulate 2.1.5.
 */
import { addEntry, setEntry } from "../../../../base/record.ts";
import type { XmlElement } from "../../../../base/xml.ts";
import { childOf, childrenOf } from "../../../../base/xml.ts";
import { parseScore } from "../../../../cib/schema/values.ts";
import { addSets } from "./attribute-sets.ts";
import type { NodeDraft, Reading } from "./draft.ts";
import { isTrue } from "./values.ts";

export function addNode(facts: Reading, id: string, name: string, kind: NodeDraft["kind"]): NodeDraft {
  const node: NodeDraft = {
    index: facts.nodes.length,
    id,
    name,
    kind,
    inBundle: false,
    attributes: {},
    permanent: {},
    utilization: {},
    score: 0,
    online: false,
    unclean: kind === "member" && facts.options.startupFencing && facts.options.fencingEnabled,
    pending: false,
    standby: false,
    standbyOnFail: false,
    maintenance: false,
    shutdown: false,
    expectedUp: false,
    fenceReasons: [],
    discoverResources: true,
    isDc: facts.cib.attributes["dc-uuid"] === id,
    remote: undefined,
    remoteRequiresReset: false,
    remoteWasFenced: false,
    remoteMaintenance: false,
  };
  facts.nodes.push(node);
  facts.nodeByName.set(name, node);
  facts.nodeById.set(id, node);
  return node;
}

/** Attributes that every rule may ask for, whoever configured what. */
function addBuiltIn(facts: Reading, node: NodeDraft): void {
  const { attributes } = node;
  attributes["#uname"] = node.name;
  attributes["#id"] = node.id;
  attributes["#kind"] = node.kind === "member" ? "cluster" : node.kind === "guest" ? "container" : node.kind;
  attributes["#is_dc"] = node.isDc ? "true" : "false";
  const cluster = facts.options.all["cluster-name"];
  if (cluster !== undefined) attributes["#cluster-name"] = cluster;
  const site = attributes["site-name"] ?? cluster;
  if (site !== undefined) attributes["#site-name"] = site;
}

function addConfigured(facts: Reading, node: NodeDraft, element: XmlElement): void {
  const context = { ...facts.ruleContext, nodeAttributes: node.attributes };
  addSets(childrenOf(element, "instance_attributes"), facts.ids, context, node.permanent);
  for (const [name, value] of Object.entries(node.permanent)) addEntry(node.attributes, name, value);
  addSets(childrenOf(element, "utilization"), facts.ids, context, node.utilization);
}

/** The `nodes` section. */
export function readNodes(facts: Reading): void {
  for (const element of childrenOf(childOf(facts.configuration, "nodes"), "node")) {
    const { id = "", uname, type, score } = element.attributes;
    const name = uname ?? id;
    if (facts.nodeByName.has(name)) continue;
    const kind = type === "remote" || type === "ping" ? type : "member";
    const node = addNode(facts, id, name, kind);
    node.score = parseScore(score);
    addBuiltIn(facts, node);
    addConfigured(facts, node, element);
  }
}

/** A node that only a connection resource makes known. */
export function addRemoteNode(facts: Reading, name: string, kind: "remote" | "guest"): NodeDraft {
  const node = facts.nodeByName.get(name) ?? addNode(facts, name, name, kind);
  node.kind = kind;
  addBuiltIn(facts, node);
  return node;
}

/** The time (s) of the last fencing since the connection was lost; 0 is none. */
function wasFenced(value: string | undefined): boolean {
  return isTrue(value) || Number(value ?? 0) > 0;
}

/** Whether the node has been in the cluster for too long without its manager; until then, when it will have been. */
function isOverdue({ options, nowSeconds, ruleContext }: Reading, { in_ccm: since = "" }: XmlElement["attributes"]) {
  if (options.nodePendingTimeoutMs === 0 || !/^\d{2,}$/.test(since)) return false;
  const dueAt = Number(since) + options.nodePendingTimeoutMs / 1000;
  if (nowSeconds >= dueAt) return true;
  ruleContext.onChangeAt?.(dueAt);
  return false;
}

/** `true`, or the time (s) since which it holds. */
function membershipFlag(value: string | undefined, isOnline: boolean): boolean {
  if (value === undefined) return false;
  if (/^\d{2,}$/.test(value)) return Number(value) > 0;
  return isOnline ? value === "online" : isTrue(value);
}

function judgeWithoutFencing(
  node: NodeDraft,
  inCluster: boolean,
  process: boolean,
  join: string,
  expected: string,
): void {
  node.online = inCluster && process && join === "member";
  if (node.online || !inCluster) return;
  if (process) node.pending = join !== "member" && join !== "banned" && join !== "nack" ? node.pending : node.pending;
  else if (expected === "member") node.fenceReasons.push("node is partially and/or un-expectedly down");
}

function judgeWithFencing(
  node: NodeDraft,
  inCluster: boolean,
  process: boolean,
  join: string,
  expected: string,
  terminate: boolean,
): void {
  node.online = inCluster && (process || expected === "member");
  if (node.shutdown) {
    node.online = process;
    return;
  }
  if (!inCluster && !process && expected === "down" && !terminate) return;
  if (terminate) node.fenceReasons.push("fencing was requested");
  else if (expected === "down") {
    // It is coming or going: not to be used, not to be feared.
    if (inCluster && process && join === "member") return;
    if (inCluster || process) node.pending = true;
    node.standby ||= inCluster || process;
  } else if (!inCluster) node.fenceReasons.push("peer is no longer part of the cluster");
  else if (!process) node.fenceReasons.push("peer process is no longer available");
  else if (join === "banned" || join === "nack") {
    node.fenceReasons.push("peer failed Pacemaker membership criteria");
  } else if (join === "down") {
    node.pending = true;
    node.standby = true;
  } else if (join !== "member") {
    node.pending = true;
    node.standby = true;
  }
}

export function addTransient(facts: Reading, node: NodeDraft, state: XmlElement): void {
  const transient = childOf(state, "transient_attributes");
  const own = addSets(childrenOf(transient, "instance_attributes"), facts.ids, facts.ruleContext, {});
  for (const [name, value] of Object.entries(own)) setEntry(node.attributes, name, value);
  const utilization = addSets(childrenOf(transient, "utilization"), facts.ids, facts.ruleContext, {});
  for (const [name, value] of Object.entries(utilization)) addEntry(node.utilization, name, value);
}

function judge(facts: Reading, node: NodeDraft, state: XmlElement): void {
  const { in_ccm: ccm, crmd, join = "down", expected = "down" } = state.attributes;
  const inCluster = membershipFlag(ccm, false);
  const process = membershipFlag(crmd, true);
  node.expectedUp = expected === "member";
  const shutdown = node.attributes["shutdown"] ?? state.attributes["shutdown"];
  node.shutdown = shutdown !== undefined && shutdown !== "0" && shutdown !== "" && shutdown !== "false";
  if (node.shutdown) node.expectedUp = false;
  const terminate = node.attributes["terminate"];
  const terminated = isTrue(terminate) || (terminate !== undefined && /^[1-9]\d*$/.test(terminate));
  node.unclean = false;
  const isArriving = inCluster && !process && !node.shutdown && expected !== "member";
  // A state that says nothing of membership was not written by a member: nobody has seen the node yet.
  if (ccm === undefined && facts.options.fencingEnabled)
    node.fenceReasons.push("peer has not been seen by the cluster");
  else if (facts.options.fencingEnabled && isArriving && !terminated && isOverdue(facts, state.attributes))
    node.fenceReasons.push("peer pending timed out on joining the process group");
  else if (facts.options.fencingEnabled) judgeWithFencing(node, inCluster, process, join, expected, terminated);
  else judgeWithoutFencing(node, inCluster, process, join, expected);
}

function isStandby(value: string | undefined): boolean {
  return isTrue(value);
}

/**
 * Marks it as to be fenced. The first reason is what the report tells. Who may not touch the connection of a remote
 * node does not switch it off either; nor is anything of it started elsewhere, for the node is in maintenance then.
 */
export function wantFencing(facts: Reading, node: NodeDraft, reason: string): void {
  if (node.kind === "remote" && node.remote?.managed === false) return;
  facts.toFence.push(node);
  node.fenceReasons.push(reason);
  const container = node.kind === "guest" ? node.remote?.container : undefined;
  if (node.kind !== "guest") node.unclean = true;
  else if (container?.managed === true) {
    // A guest is fenced by recovering its container.
    container.failed = true;
    node.remoteRequiresReset = true;
  }
}

/** The `node_state`s of cluster nodes; remote nodes wait until the state of their connection is known. */
export function readNodeStates(facts: Reading): void {
  const told = new Set<NodeDraft>();
  for (const state of childrenOf(facts.status, "node_state")) {
    const { id = "", uname = "" } = state.attributes;
    const node = facts.nodeById.get(id) ?? facts.nodeByName.get(uname);
    if (node === undefined) {
      facts.problems.push({
        severity: "warning",
        place: `/cib/status/node_state[@id="${id}"]`,
        reason: `the status knows a node ${uname} that the configuration does not`,
        remedy: "remove it with crm_node --remove, or add it to the nodes",
      });
      continue;
    }
    told.add(node);
    if (node.kind === "remote" || node.kind === "guest") {
      addTransient(facts, node, state);
      node.remoteMaintenance = isTrue(state.attributes["node_in_maintenance"]);
      node.remoteWasFenced = wasFenced(state.attributes["node_fenced"]);
      continue;
    }
    addTransient(facts, node, state);
    judge(facts, node, state);
    if (node.fenceReasons.length > 0) {
      node.unclean = true;
      facts.toFence.push(node);
    }
  }
  // Of a node without a state nobody knows more than that it is not there, or has only now been reached.
  for (const node of facts.nodes) if (told.has(node)) applyNodeAttributes(facts, node);
}

/** A partition that lost its quorum and must not go on: every node of it gives itself up. */
export function markSelfFencing(facts: Reading): void {
  const { options, nodes, cib } = facts;
  if (options.quorate || options.noQuorumPolicy !== "fence" || !isTrue(cib.attributes["no-quorum-panic"])) return;
  for (const node of nodes)
    if (node.kind === "member" && node.online && !node.unclean)
      wantFencing(facts, node, "cluster does not have quorum");
}

/** Standby, maintenance and discovery as the attributes say. */
function applyNodeAttributes(facts: Reading, node: NodeDraft): void {
  if (isStandby(node.attributes["standby"])) node.standby = true;
  if (isTrue(node.attributes["maintenance"])) node.maintenance = true;
  const discovery = node.attributes["resource-discovery-enabled"];
  if (discovery === undefined || isTrue(discovery)) return;
  if (node.kind === "member" && facts.options.fencingEnabled) return;
  node.discoverResources = false;
}
