/** Primitives counted by their agents, as crm_mon --brief has them: `3/5 (ocf:heartbeat:IPaddr2): Active node1`. */
import type { Resource } from "../facts/model.ts";
import { compareNames } from "../facts/names.ts";
import { placesOf } from "./places.ts";

/**
 * `all` also tells of how many and of agents with nothing active, `active` does not; `below-node` counts what stands
 * below a node already, so that none is named.
 */
export function agentLines(
  resources: readonly Resource[],
  indent: string,
  view: "all" | "active" | "below-node",
): string[] {
  const byAgent = Map.groupBy(resources, agentName);
  const agents = [...byAgent.entries()].toSorted(([left], [right]) => (left < right ? -1 : 1));
  return agents.flatMap(([agent, members]) => {
    const line = (count: string, node: string) => `${indent}* ${count}\t(${agent}):\tActive ${node}`;
    if (view === "below-node") return [line(String(members.length), "")];
    const total = view === "all" ? `/${members.length}` : "";
    const byNode = Map.groupBy(members.flatMap(placesOf), ({ name }) => name);
    const names = [...byNode.keys()].toSorted(compareNames);
    if (names.length === 0) return view === "all" ? [line(`0${total}`, "").trimEnd()] : [];
    return names.map((name) => line(`${byNode.get(name)?.length ?? 0}${total}`, name));
  });
}

/** `ocf:heartbeat:IPaddr2`. */
export function agentName({ class: agentClass, provider, type }: Resource): string {
  return [agentClass, ...(provider === "" ? [] : [provider]), type].join(":");
}
