/** Rows about the ways to the outside and to the disks: networks, disk checks, addresses, links. */
import { entryOf } from "../../../base/record.ts";
import type { Node, Resource } from "../scheduler/facts/model.ts";
import {
  type Advice,
  brokenDisks,
  failures,
  failureText,
  isAddress,
  isEverywhere,
  isShot,
  lacksInterface,
  lastFencing,
  lostAttributes,
  namesOf,
  parameterOf,
  primitives,
  type Rule,
} from "./situation.ts";

function online(nodes: readonly Node[]): string {
  return nodes.map(({ name }) => `crm node online ${name}`).join("; ");
}

const standby = (nodes: readonly Node[]) => nodes.filter((node) => node.standby);

/** Rows 4 and 8: a ping value of nothing, on one node or on all. */
export const lostNetworks: Rule = ({ facts }) =>
  [...lostAttributes(facts)].map(([attribute, nodes]): Advice => {
    const values = { attribute, nodes: namesOf(nodes), online: online(standby(nodes)) };
    return isEverywhere(facts, nodes)
      ? { code: "network-lost-everywhere", severity: "error", values }
      : { code: "network-lost", severity: "warning", values };
  });

/** Rows 5 and 9: a disk check that failed; when on all nodes, the data are in danger. */
export const lostDisks: Rule = ({ facts }) =>
  [...brokenDisks(facts)].map(([attribute, nodes]): Advice => {
    const values = { attribute, nodes: namesOf(nodes), online: online(standby(nodes)) };
    return isEverywhere(facts, nodes)
      ? { code: "disk-lost-everywhere", severity: "error", values }
      : { code: "disk-lost", severity: "warning", values };
  });

/** Row 18: the agent found no interface in the address's network, and none is configured. */
export const addressWithoutInterface: Rule = ({ facts }) =>
  failures(facts)
    .filter(lacksInterface)
    .map((failure) => {
      const { resource, node } = failure;
      const address = parameterOf(resource, "ip") ?? "";
      const values = { node: node.name, resource: resource.baseId, address, proof: failureText(failure) };
      // Where it serves on another node, only the reserve is missing.
      const severity = resource.runningOn.length === 0 ? "error" : "warning";
      return { code: "address-without-interface", severity, values };
    });

/** As long as neighbours may go on sending to the old card: a usual life of an ARP entry. */
const NEIGHBOUR_MS = 60_000;

/** When the resource was last started or stopped there, in seconds; 0 for never: a node keeps the last of the two. */
function movedSeconds({ history }: Resource, on: Node, task: "start" | "stop"): number {
  const entry = history.get(on)?.entries.findLast((one) => one.task === task);
  return Number(entry?.element.attributes["last-rc-change"] ?? 0);
}

/** Row 19: an address has just come here from elsewhere: from a node that stopped it, or that was fenced. */
export const movedAddresses: Rule = (situation) => {
  const { facts, nowWallMs } = situation;
  return primitives(facts).flatMap((resource): readonly Advice[] => {
    const [node] = resource.runningOn;
    if (!isAddress(resource) || node === undefined) return [];
    const startedMs = movedSeconds(resource, node, "start") * 1000;
    const agoMs = nowWallMs - startedMs;
    const hasLeft = (other: Node) => {
      const stoppedMs = movedSeconds(resource, other, "stop") * 1000;
      const fencing = lastFencing(situation, other.name);
      const fencedMs = fencing !== undefined && isShot(fencing) ? fencing.atWallMs : 0;
      return Math.max(stoppedMs, fencedMs) > startedMs - NEIGHBOUR_MS;
    };
    const before = facts.nodes.find((other) => other !== node && hasLeft(other));
    if (agoMs < 0 || agoMs > NEIGHBOUR_MS || before === undefined) return [];
    const seconds = String(Math.round(agoMs / 1000));
    const address = parameterOf(resource, "ip") ?? "";
    const values = { resource: resource.baseId, node: node.name, before: before.name, address, seconds };
    return [{ code: "address-moved", severity: "warning", values }];
  });
};

/** Row 20: a heartbeat path is cut; it heals by itself. Of a node that is no member every link is down. */
export const brokenLinks: Rule = ({ links, phases }) =>
  links
    .filter(({ state, peer }) => state !== "up" && entryOf(phases, peer) === "member")
    .map(({ name, peer, state }) => ({ code: "link-down", severity: "warning", values: { link: name, peer, state } }));
