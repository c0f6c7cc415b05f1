/**
 * The lines of ha.cf that name cables and hosts: heartbeat media and ping nodes. What is written wrongly is told at its
 * own line, and not first where it would stand in the node configuration.
 * Facts: ha.cf(5); reference/heartbeat.md, section 1.
 */
import { isAddress } from "../node-directives.ts";
import { isGroup } from "../node-links.ts";
import { type Answer, type Draft, type Handler, isTrue, taken, wrong } from "./answers.ts";

function addUnicast(draft: Draft, device: string, address: string, place: string): void {
  // Both families over one interface are two links, each with an address of every node.
  const isSame = (other: string | undefined) => other?.includes(":") === address.includes(":");
  const index = draft.media.findIndex(
    (one) => one.kind === "unicast" && one.device === device && one.port === draft.port && isSame(one.addresses[0]),
  );
  const before = draft.media[index];
  if (before?.kind === "unicast") draft.media[index] = { ...before, addresses: [...before.addresses, address] };
  else draft.media.push({ kind: "unicast", place, device, port: draft.port, addresses: [address] });
}

const PORT_MAX = 65_535;
const HOPS_MAX = 255;

export const unicast: Handler = (draft, [device, address, ...rest], { place }) => {
  if (device === undefined || address === undefined || rest.length > 0)
    return wrong("ucast names an interface and an address", "write ucast eth1 10.0.0.2");
  if (!isAddress(address))
    return wrong(`${address} is no IPv4 or IPv6 address`, "names are not looked up here: write its address");
  addUnicast(draft, device, address, place);
  return taken(`a udp link over ${device}`);
};

export const broadcast: Handler = (draft, devices) => {
  if (devices.length === 0) return wrong("bcast names no interface", "write bcast eth1");
  for (const device of devices) draft.media.push({ kind: "broadcast", device, port: draft.port });
  return taken(devices.map((device) => `a broadcast link over ${device}`).join(", "));
};

export const multicast: Handler = (draft, [device, group, port, hops, loop, ...rest]) => {
  if (device === undefined || group === undefined || port === undefined || hops === undefined || rest.length > 0)
    return wrong("mcast names interface, group, port, ttl and loop", "write mcast eth0 225.0.0.1 694 1 0");
  const isIpv6 = group.includes(":");
  if (!isGroup(group)) return wrong(`${group} is no multicast address`, "write one of 224.0.0.0/4 or ff00::/8");
  const isNumber = (word: string, most: number) => /^\d+$/.test(word) && Number(word) <= most;
  if (!isNumber(port, PORT_MAX) || Number(port) === 0 || !isNumber(hops, HOPS_MAX))
    return wrong("mcast: port and ttl are numbers, of a port and up to 255", "write 694 1 0 behind the group");
  if (loop !== undefined && !/^[01]$/.test(loop)) return wrong(`mcast: loop is 0 or 1, not ${loop}`, "write 0");
  // A ttl of 0 never left the machine.
  const most = Math.max(1, Number(hops));
  draft.media.push({ kind: "multicast", device, group, port: Number(port), hops: most });
  const noted = isTrue(loop) ? "; loop is not needed" : "";
  return taken(`a multicast link${isIpv6 ? " over IPv6" : ""} by ${device}${noted}`);
};

export const serial: Handler = (draft, ports) => {
  if (ports.length === 0 || !ports.every((port) => port.startsWith("/")))
    return wrong("serial names no port", "write serial /dev/ttyS0");
  draft.media.push({ kind: "serial", ports, baud: draft.baud });
  return taken(`${ports.join(", ")} at ${draft.baud} baud`);
};

/** Heartbeat looked names up when it started. */
function noAddresses(words: readonly string[]): Answer | undefined {
  const strange = words.filter((word) => !isAddress(word));
  if (strange.length === 0) return undefined;
  return wrong(`${strange.join(", ")}: no IPv4 or IPv6 address`, "names are not looked up here: write the address");
}

export const ping: Handler = (draft, addresses) => {
  if (addresses.length === 0) return wrong("ping names no host", "write ping 10.0.0.254");
  const strange = noAddresses(addresses);
  if (strange !== undefined) return strange;
  for (const address of addresses)
    draft.pings.push({ name: `ping-${address.replace(/[^A-Za-z0-9.-]/g, "-")}`, addresses: [address] });
  return taken(addresses.map((address) => `ping node ${address}`).join(", "));
};

export const pingGroup: Handler = (draft, [name, ...addresses]) => {
  if (name === undefined || addresses.length === 0)
    return wrong("ping_group names a group and its hosts", "write ping_group gates 10.0.0.254 10.0.0.253");
  const strange = noAddresses(addresses);
  if (strange !== undefined) return strange;
  draft.pings.push({ name, addresses });
  return taken(`ping ${name} ${addresses.join(" ")}`);
};
