/**
 * What advice is made from: the CIB as the scheduler reads it, and what only a running node knows. Plain, so that any
 * trouble can be written down in a test.
 */
import { childrenOf } from "../../../base/xml.ts";
import type { ToldTrouble } from "../alerts/dispatch.ts";
import type { ClockReading } from "../clock-skew.ts";
import type { LinkView, PeerPhase } from "../membership/view.ts";
import { connectivity, shownAttributes } from "../monitor/attributes.ts";
import { failuresOf } from "../monitor/operations.ts";
import { cloneOf, type Facts, type HistoryEntry, type Node, type Resource } from "../scheduler/facts/model.ts";
import type { Code } from "./codes.ts";

export interface FencingFact {
  readonly target: string;
  readonly action: string;
  readonly outcome: "confirmed" | "not-done" | "unknown" | "running";
  /** `srv02: the cluster`: who asked, with the node first. */
  readonly by: string;
  /** Whoever asked had never met the target since its own start. */
  readonly hasNotMet?: true;
  readonly evidence: string;
  /** Why it was not confirmed; empty when it was. */
  readonly reason: string;
  /** It runs, and a person's word is all that it waits for. */
  readonly awaitsPerson?: true;
  readonly atWallMs: number;
}

/** It took the node's power, or a part of it, and was read back. */
export const isShot = ({ outcome, action }: FencingFact): boolean => outcome === "confirmed" && action !== "on";

/** Of the keeper: whether it is well, and how near its members have come to a false death. */
export interface KeeperFact {
  readonly ailment?: string;
  readonly tieTrouble?: string;
  readonly deadtimeMs: number;
  readonly worstSilenceMs: number;
  readonly lateP99Ms: number;
}

/** A device by which a node may have to fence, and whether it could now. */
export interface ProofFact {
  readonly node: string;
  readonly device: string;
  readonly state: "new" | "proven" | "failing" | "expired";
  readonly provenWallMs?: number;
  readonly reason?: string;
}

export interface DrbdFact {
  readonly resource: string;
  readonly role: string;
  readonly disk: string;
  readonly connection: string;
  readonly replication: string;
  readonly isSuspended: boolean;
  readonly outOfSyncKib: number;
  readonly doubt?: "out-of-sync" | "bitmap-left";
}

export interface Situation {
  readonly facts: Facts;
  readonly self: string;
  readonly nowWallMs: number;
  readonly dc: string | undefined;
  /** False while it is too early to judge absent peers. */
  readonly isSettled: boolean;
  /** Something is being started, stopped or fenced right now. */
  readonly isBusy: boolean;
  readonly phases: Readonly<Record<string, PeerPhase | "self">>;
  readonly links: readonly LinkView[];
  /** Oldest first. */
  readonly fencing: readonly FencingFact[];
  readonly isFencingEnabled: boolean;
  /** Nodes that a configured device can fence. */
  readonly fenceable: readonly string[];
  readonly proofs: readonly ProofFact[];
  readonly drbd: readonly DrbdFact[];
  readonly keeper: KeeperFact | undefined;
  /** Why our disk does not take the configuration, while that is so. */
  readonly cibRefusal: string | undefined;
  /** Both sides had changed the configuration, and nobody has changed anything since. */
  readonly conflict: ConflictFact | undefined;
  /** The wall clocks of the other members beside ours, as last asked for. */
  readonly clocks: readonly ClockReading[];
  /** Alerts of this node that do not reach whom they are for. */
  readonly alerts: readonly ToldTrouble[];
  /** What has kept the DC from deciding for long, while that is so. */
  readonly heldUp: string | undefined;
  readonly blocked: readonly { readonly key: string; readonly node?: string; readonly reason: string }[];
}

export interface ConflictFact {
  /** The version that came out of it (`ADMIN.EPOCH`). */
  readonly version: string;
  /** How many lines of the losing side are not in force. */
  readonly lost: number;
}

/** One thing to know: which, how bad, and the words that its texts are filled with. */
export interface Advice {
  readonly code: Code;
  readonly severity: "error" | "warning";
  readonly values: Readonly<Record<string, string>>;
}

export type Rule = (situation: Situation) => readonly Advice[];

export const members = (facts: Facts): readonly Node[] => facts.nodes.filter(({ kind }) => kind === "member");

export const primitives = (facts: Facts): readonly Resource[] =>
  facts.resources.filter(({ kind, removed }) => kind === "primitive" && !removed);

/** Nodes where an agent has said that a host group cannot be reached at all, by attribute. */
export function lostAttributes(facts: Facts): ReadonlyMap<string, readonly Node[]> {
  return byAttribute(facts, (node) =>
    shownAttributes(facts, node)
      .filter((attribute) => connectivity(attribute) === "Connectivity is lost")
      .map(({ name }) => name),
  );
}

/** Nodes where a disk check has failed, by attribute. Fact: Linux-HA Japan, diskd: the value is `ERROR`. */
export function brokenDisks(facts: Facts): ReadonlyMap<string, readonly Node[]> {
  return byAttribute(facts, (node) =>
    shownAttributes(facts, node)
      .filter(({ value }) => value === "ERROR")
      .map(({ name }) => name),
  );
}

function byAttribute(facts: Facts, namesOf: (node: Node) => readonly string[]): ReadonlyMap<string, readonly Node[]> {
  const found = new Map<string, Node[]>();
  for (const node of members(facts).filter(({ online }) => online))
    for (const name of namesOf(node)) found.set(name, [...(found.get(name) ?? []), node]);
  return found;
}

/** Whether every node that could run services is among these. */
export function isEverywhere(facts: Facts, nodes: readonly Node[]): boolean {
  const online = members(facts).filter((node) => node.online);
  return online.length > 1 && nodes.length >= online.length;
}

export interface FailureFact {
  readonly entry: HistoryEntry;
  readonly resource: Resource;
  readonly node: Node;
  readonly code: number;
  readonly isTimeout: boolean;
  readonly reason: string;
}

const STATUS_TIMED_OUT = 2;

export function failures(facts: Facts): readonly FailureFact[] {
  return failuresOf(facts).map(({ entry, resource, node }) => ({
    entry,
    resource,
    node,
    code: Number(entry.element.attributes["rc-code"] ?? 1),
    isTimeout: Number(entry.element.attributes["op-status"]) === STATUS_TIMED_OUT,
    reason: entry.element.attributes["exit-reason"] ?? "",
  }));
}

/** `monitor rc=7 (not running)` and the like, as proof. */
export function failureText({ entry, code, isTimeout, reason }: FailureFact): string {
  const how = isTimeout ? "Timed Out" : `rc=${code}`;
  return `${entry.task}_${entry.intervalMs} ${how}${reason === "" ? "" : `, ${reason}`}`;
}

/** A parameter that the configuration gives; undefined when it is left out. */
export function parameterOf({ element }: Resource, name: string): string | undefined {
  const pairs = childrenOf(element, "instance_attributes").flatMap((set) => childrenOf(set, "nvpair"));
  return pairs.find(({ attributes }) => attributes["name"] === name)?.attributes["value"];
}

export const isAddress = ({ type }: Resource): boolean => /^IPaddr2?$|^IPv6addr$/.test(type);

/** What the agents of addresses say where they find no interface: ours 5, the shell's 1 or 6. */
const NO_INTERFACE = [1, 5, 6];

/** An address without a nic did not start: what is missing is an interface in its network, not the agent. */
export function lacksInterface({ resource, entry, code, isTimeout }: FailureFact): boolean {
  if (!isAddress(resource) || entry.task !== "start" || isTimeout) return false;
  return NO_INTERFACE.includes(code) && parameterOf(resource, "nic") === undefined;
}

/** May stand on one node only: no clone above it. */
export const isSingle = (resource: Resource): boolean => cloneOf(resource) === undefined;

export const namesOf = (nodes: readonly Node[]): string => nodes.map(({ name }) => name).join(", ");

/** The last word of the fencer on that node. */
export function lastFencing({ fencing }: Situation, target: string): FencingFact | undefined {
  return fencing.findLast((record) => record.target === target && record.outcome !== "running");
}
