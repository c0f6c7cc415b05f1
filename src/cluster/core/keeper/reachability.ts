/**
 * Ping nodes: hosts beyond the cluster that tell by their answers whether this node reaches its clients. A group is
 * reachable when any of its addresses answers. Nobody is judged before deadping has passed.
 * Facts: Linux-HA ha.cf(5), ping, ping_group, deadping.
 */
import type { Stepped } from "../../../base/step.ts";

export interface PingNode {
  readonly name: string;
  readonly heardAtMs?: number;
  readonly state: "unknown" | "alive" | "dead";
}

export interface Reachability {
  readonly sinceMs: number;
  readonly deadpingMs: number;
  readonly nodes: readonly PingNode[];
}

export type ReachabilityEffect =
  | { readonly kind: "ping-node-alive" | "ping-node-dead"; readonly name: string }
  /** How many answer, each time it has changed and all are known. */
  | { readonly kind: "reachable"; readonly count: number };

export function createReachability(names: readonly string[], deadpingMs: number, nowMs: number): Reachability {
  return { sinceMs: nowMs, deadpingMs, nodes: names.map((name) => ({ name, state: "unknown" })) };
}

/** Undefined while one of them is not yet known. */
function countOf({ nodes }: Reachability): number | undefined {
  if (nodes.some(({ state }) => state === "unknown")) return undefined;
  return nodes.filter(({ state }) => state === "alive").length;
}

/** `name`: whose answer has come; undefined when only time has passed. */
export function stepReachability(
  before: Reachability,
  name: string | undefined,
  nowMs: number,
): Stepped<Reachability, ReachabilityEffect> {
  const effects: ReachabilityEffect[] = [];
  const nodes = before.nodes.map((node): PingNode => {
    if (node.name === name) {
      if (node.state !== "alive") effects.push({ kind: "ping-node-alive", name: node.name });
      return { name: node.name, heardAtMs: nowMs, state: "alive" };
    }
    if (node.state === "dead" || nowMs - (node.heardAtMs ?? before.sinceMs) < before.deadpingMs) return node;
    effects.push({ kind: "ping-node-dead", name: node.name });
    return { ...node, state: "dead" };
  });
  const state: Reachability = { ...before, nodes };
  const count = countOf(state);
  if (count !== undefined && count !== countOf(before)) effects.push({ kind: "reachable", count });
  return { state, effects };
}

/** After a pause of ours nobody's silence counts: nobody listened. */
export function restartReachability(before: Reachability, nowMs: number): Reachability {
  const nodes = before.nodes.map((node) => (node.heardAtMs === undefined ? node : { ...node, heardAtMs: nowMs }));
  return { ...before, sinceMs: nowMs, nodes };
}
