/**
 * The node configuration that a Heartbeat site becomes. What ha.cf left to each machine (whose address a `ucast` line
 * names) is taken from what is known of this one, and asked for where that does not say.
 */
import type { Problem } from "../../base/problem.ts";
import { entryOf } from "../../base/record.ts";
import { printMs } from "./ha-cf.ts";
import type { Knowledge, Medium, Site } from "./site.ts";

type Unicast = Extract<Medium, { readonly kind: "unicast" }>;

/** The one that is left when all others are known. */
function onlyOne<Value>(values: readonly Value[]): Value | undefined {
  return values.length === 1 ? values[0] : undefined;
}

/** Which node has which address on this interface; undefined where that cannot be told. */
function assignAddresses(
  medium: Unicast,
  nodes: readonly string[],
  knowledge: Knowledge,
): Map<string, string> | undefined {
  const { self, interfaces, owners } = knowledge;
  const local = entryOf(interfaces, medium.device) ?? [];
  const listed = [...new Set(medium.addresses)];
  const own = Object.values(interfaces).flat();
  const assigned = new Map<string, string>();
  for (const address of listed) {
    const owner = entryOf(owners, address) ?? (self !== undefined && own.includes(address) ? self : undefined);
    if (owner !== undefined) assigned.set(owner, address);
  }
  // Files that are not the same on all nodes name the peers only: our own address is the interface's.
  const family = (address: string) => address.includes(":");
  const [first = ""] = listed;
  const mine = onlyOne(local.filter((address) => family(address) === family(first) && !address.startsWith("fe80")));
  if (self !== undefined && !assigned.has(self) && mine !== undefined && nodes.includes(self)) assigned.set(self, mine);
  const openNode = onlyOne(nodes.filter((node) => !assigned.has(node)));
  const openAddress = onlyOne(listed.filter((address) => ![...assigned.values()].includes(address)));
  if (openNode !== undefined && openAddress !== undefined) assigned.set(openNode, openAddress);
  return nodes.every((node) => assigned.has(node)) ? assigned : undefined;
}

const endpoint = (address: string, port: number) =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

function linkLine(
  medium: Medium,
  name: string,
  site: Site,
  knowledge: Knowledge,
  problems: Problem[],
): string | undefined {
  const { nodes } = site;
  switch (medium.kind) {
    case "broadcast":
      return `link ${name} broadcast device=${medium.device} port=${medium.port}`;
    case "multicast":
      return (
        `link ${name} multicast group=${medium.group} device=${medium.device} port=${medium.port}` +
        (medium.hops === 1 ? "" : ` hops=${medium.hops}`)
      );
    case "serial":
      return `link ${name} serial device=${medium.ports.join(",")} baud=${medium.baud}`;
    case "unicast": {
      const assigned = assignAddresses(medium, nodes, knowledge);
      if (assigned !== undefined) {
        const ends = nodes.map((node) => `${node}=${endpoint(assigned.get(node) ?? "", medium.port)}`);
        return `link ${name} udp ${ends.join(" ")} device=${medium.device}`;
      }
      problems.push({
        severity: "error",
        place: medium.place,
        reason: `whose addresses ${medium.addresses.join(" and ")} are cannot be told`,
        remedy: `give --address NODE=ADDRESS for each of ${nodes.join(", ")}, or import on a node`,
      });
      return undefined;
    }
  }
}

/** Two ports of a pair are two cables; two of more nodes are a place in the ring. */
function splitSerial(media: readonly Medium[], nodes: readonly string[]): Medium[] {
  return media.flatMap((medium): Medium[] => {
    if (medium.kind !== "serial" || nodes.length > 2) return [medium];
    return medium.ports.map((port) => ({ ...medium, ports: [port] }));
  });
}

/** A name for each link, after its interface or port. */
function nameOf(medium: Medium, taken: readonly string[]): string {
  const base = medium.kind === "serial" ? (medium.ports[0]?.split("/").at(-1) ?? "serial") : medium.device;
  const plain = base.replace(/[^A-Za-z0-9_-]/g, "-");
  const candidates = [
    plain,
    `${plain}-${medium.kind}`,
    ...Array.from({ length: 64 }, (_, index) => `${plain}-${index + 2}`),
  ];
  return candidates.find((name) => !taken.includes(name)) ?? plain;
}

/** The watchdog counts whole seconds. */
const wholeSeconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000));

export function printNodeConfig(site: Site, knowledge: Knowledge, hasResources: boolean, problems: Problem[]): string {
  const { cluster, nodes, times, pings, watchdog, linkAttributes, realtime } = site;
  const names: string[] = [];
  const links = splitSerial(site.media, nodes).flatMap((medium) => {
    const name = nameOf(medium, names);
    names.push(name);
    return linkLine(medium, name, site, knowledge, problems) ?? [];
  });
  const { keepalive, warntime, deadtime, initdead, deadping } = times;
  const lines = [
    `cluster ${cluster}`,
    ...nodes.map((node, index) => `node ${node} id ${index + 1}`),
    `keepalive ${printMs(keepalive)}`,
    `warntime ${printMs(warntime)}`,
    `deadtime ${printMs(deadtime)}`,
    `initdead ${printMs(initdead)}`,
    ...(pings.length === 0 ? [] : [`deadping ${printMs(deadping)}`]),
    ...pings.map(({ name, addresses }) => `ping ${name} ${addresses.join(" ")}`),
    ...links,
    "authkeys authkeys",
    watchdog === undefined ? "watchdog none" : `watchdog ${watchdog} timeout ${wholeSeconds(deadtime)}s`,
    ...(linkAttributes ? ["link-attributes on"] : []),
    ...(realtime ? [] : ["realtime off"]),
    ...(hasResources ? ["configuration cluster.crm"] : []),
  ];
  return `${lines.join("\n")}\n`;
}
