/**
 * ocf:gemel:IPaddr2: a service address on an interface of this node, announced to the network.
 * The parameters are those of ocf:heartbeat:IPaddr2 that say where an address stands; one that would ask for another
 * kind of address (cluster IP, LVS) is refused by name, never ignored.
 * Facts: reference/crm-tools.md, section 6; RFC 5227 (announcements).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { entryOf } from "../../../base/record.ts";
import {
  broadcastOf,
  type Family,
  formatAddress,
  IFA_F_DADFAILED,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_F_TENTATIVE,
  IFF_LOOPBACK,
  IFF_NOARP,
  IFF_UP,
  type InterfaceAddress,
  isCalled,
  type NetworkAddress,
  type NetworkLink,
  parseAddress,
  sameAddress,
  sameNetwork,
} from "../../../hw/core/rtnetlink.ts";
import { announceAddress } from "../../../hw/edge/address-announcer.ts";
import { addAddress, deleteAddress, findRoute, listAddresses, listLinks } from "../../../hw/edge/netlink.ts";
import {
  type AgentAnswer,
  type AgentCall,
  type BuiltInAgent,
  failed,
  isTrue,
  OCF,
  operates,
  succeeded,
} from "./contract.ts";

const IPV4: Family = 2;
const ARP_COUNT = 5;
const ARP_INTERVAL_MS = 200;
/** More would be a flood, and the kernel would drop it. */
const ARP_COUNT_MAX = 1_000;
const LABEL_LENGTH_MAX = 15;
/** Duplicate-address detection takes the kernel one to two seconds. */
const DETECTION_POLL_MS = 50;

interface Wanted {
  readonly address: NetworkAddress;
  readonly prefixLength?: number;
  readonly nic?: string;
  readonly label?: string;
  readonly noPrefixRoute: boolean;
  readonly nodad: boolean;
  readonly arpCount: number;
  readonly arpIntervalMs: number;
}

interface Place {
  readonly link: NetworkLink;
  readonly prefixLength: number;
}

/** Parameters whose meaning would be lost if they were not obeyed, with the values that ask for nothing. */
const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  lvs_support: ["false", "no", "0"],
  lvs_ipv6_addrlabel: ["false", "no", "0"],
  unique_clone_address: ["false", "no", "0"],
  mac: [],
  network_namespace: [],
};

function lacks(parameters: Readonly<Record<string, string>>): string | undefined {
  const asked = Object.entries(UNSUPPORTED).flatMap(([name, harmless]) => {
    const value = entryOf(parameters, name) ?? "";
    return value === "" || harmless.includes(value.toLowerCase()) ? [] : [`${name}=${value}`];
  });
  return asked.length === 0 ? undefined : `${asked.join(", ")} is not supported: use ocf:heartbeat:IPaddr2`;
}

/** Background announcements by interface and address; a stop ends them at once. */
const announcing = new Map<string, AbortController>();

function parsePrefix(text: string, family: Family): number | undefined {
  const max = family === IPV4 ? 32 : 128;
  if (/^\d{1,3}$/.test(text)) return Number(text) <= max ? Number(text) : undefined;
  const mask = parseAddress(text);
  if (mask?.family !== IPV4 || family !== IPV4) return undefined;
  const bits = mask.bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return /^1*0*$/.test(bits) ? bits.replaceAll("0", "").length : undefined;
}

function readCount(text: string | undefined, fallback: number): number | undefined {
  if (text === undefined || text === "") return fallback;
  return /^\d{1,7}$/.test(text) ? Number(text) : undefined;
}

/** What the parameters ask for, or why they ask for nothing sensible. All faults at once. */
function readParameters(parameters: Readonly<Record<string, string>>): Wanted | string {
  const faults: string[] = [];
  const { ip = "", cidr_netmask: netmask = "", nic = "", iflabel = "" } = parameters;
  const address = parseAddress(ip);
  if (address === undefined) faults.push(`ip "${ip}" is no address`);
  const prefixLength = netmask === "" || address === undefined ? undefined : parsePrefix(netmask, address.family);
  if (netmask !== "" && address !== undefined && prefixLength === undefined)
    faults.push(`cidr_netmask "${netmask}" is no prefix length`);
  const label = iflabel === "" ? undefined : `${nic}:${iflabel}`;
  if (label !== undefined && (nic === "" || label.length > LABEL_LENGTH_MAX))
    faults.push(`iflabel "${iflabel}" needs nic, and together at most ${LABEL_LENGTH_MAX} characters`);
  const arpCount = readCount(parameters["arp_count"], ARP_COUNT);
  const arpIntervalMs = readCount(parameters["arp_interval"], ARP_INTERVAL_MS);
  if (arpCount === undefined || arpCount > ARP_COUNT_MAX) faults.push(`arp_count is no number up to ${ARP_COUNT_MAX}`);
  if (arpIntervalMs === undefined) faults.push("arp_interval is no number of milliseconds");
  const lacking = lacks(parameters);
  if (lacking !== undefined) faults.push(lacking);
  if (faults.length > 0 || address === undefined || arpCount === undefined || arpIntervalMs === undefined)
    return faults.join("; ");
  return {
    address,
    arpCount,
    arpIntervalMs,
    noPrefixRoute: isTrue(parameters["noprefixroute"]),
    nodad: isTrue(parameters["nodad"]),
    ...(prefixLength === undefined ? {} : { prefixLength }),
    ...(nic === "" ? {} : { nic }),
    ...(label === undefined ? {} : { label }),
  };
}

function holders({ address, nic }: Wanted): readonly { readonly link: NetworkLink; readonly held: InterfaceAddress }[] {
  const held = listAddresses(address.family).filter((entry) => sameAddress(entry.address, address));
  if (held.length === 0) return [];
  const links = listLinks();
  return held.flatMap((entry) => {
    const link = links.find(({ index }) => index === entry.interfaceIndex);
    return link === undefined || (nic !== undefined && !isCalled(link, nic)) ? [] : [{ link, held: entry }];
  });
}

/** Where the address belongs: the given interface, else one in its network, else the one that routes to it. */
function findPlace({ address, nic, prefixLength }: Wanted): Place | string {
  const links = listLinks();
  const hostBits = address.family === IPV4 ? 32 : 128;
  const neighbours = listAddresses(address.family)
    .filter((entry) => entry.prefixLength < hostBits && sameNetwork(entry.address, address, entry.prefixLength))
    .sort((left, right) => right.prefixLength - left.prefixLength);
  if (nic !== undefined) {
    const link = links.find((candidate) => isCalled(candidate, nic));
    if (link === undefined) return `there is no interface ${nic}`;
    const neighbour = neighbours.find(({ interfaceIndex }) => interfaceIndex === link.index);
    return { link, prefixLength: prefixLength ?? neighbour?.prefixLength ?? hostBits };
  }
  const [neighbour] = neighbours;
  const index = neighbour?.interfaceIndex ?? findRoute(address);
  const link = links.find((candidate) => candidate.index === index);
  if (link === undefined || (neighbour === undefined && (link.flags & IFF_LOOPBACK) !== 0))
    return `no interface has a network with ${formatAddress(address)} in it: give nic and cidr_netmask`;
  return { link, prefixLength: prefixLength ?? neighbour?.prefixLength ?? hostBits };
}

const announcementKey = (link: NetworkLink, address: NetworkAddress) => `${link.index} ${formatAddress(address)}`;

/** The first goes out before this returns; the others follow on their own, since a switch may miss one. */
function announce(link: NetworkLink, { address, arpCount, arpIntervalMs }: Wanted): void {
  if ((link.flags & (IFF_LOOPBACK | IFF_NOARP)) !== 0 || link.hardwareAddress.length !== 6 || arpCount === 0) return;
  const key = announcementKey(link, address);
  announcing.get(key)?.abort();
  const abort = new AbortController();
  announcing.set(key, abort);
  announceAddress(link, address);
  const repeat = async () => {
    for (let sent = 1; sent < arpCount; sent += 1) {
      await sleep(arpIntervalMs, undefined, { signal: abort.signal, ref: false });
      announceAddress(link, address);
    }
  };
  repeat()
    // Ended by a stop; or the interface went away, which the monitor will tell.
    .catch(() => {})
    .finally(() => {
      if (announcing.get(key) === abort) announcing.delete(key);
    });
}

/** IPv6: until the kernel has found nobody else with the address. */
async function detectDuplicate(wanted: Wanted, signal: AbortSignal): Promise<AgentAnswer> {
  for (;;) {
    const [holder] = holders(wanted);
    const flags = holder?.held.flags ?? IFA_F_DADFAILED;
    if ((flags & IFA_F_DADFAILED) !== 0)
      return failed(`another machine has ${formatAddress(wanted.address)} (duplicate-address detection)`);
    if ((flags & IFA_F_TENTATIVE) === 0) return succeeded;
    await sleep(DETECTION_POLL_MS, undefined, { signal });
  }
}

async function start(wanted: Wanted, signal: AbortSignal): Promise<AgentAnswer> {
  const [holder] = holders(wanted);
  if (holder !== undefined && (holder.held.flags & IFA_F_DADFAILED) === 0) {
    announce(holder.link, wanted);
    return succeeded;
  }
  const place = findPlace(wanted);
  if (typeof place === "string") return failed(place, OCF.notInstalled);
  const { link, prefixLength } = place;
  if ((link.flags & IFF_UP) === 0) return failed(`interface ${link.name} is down`);
  const { address, label, noPrefixRoute, nodad } = wanted;
  const isIpv4 = address.family === IPV4;
  const added = addAddress({
    interfaceIndex: link.index,
    address,
    prefixLength,
    flags: (noPrefixRoute ? IFA_F_NOPREFIXROUTE : 0) | (nodad && !isIpv4 ? IFA_F_NODAD : 0),
    ...(isIpv4 && prefixLength < 31 ? { broadcast: broadcastOf(address, prefixLength) } : {}),
    ...(label !== undefined && isIpv4 ? { label } : {}),
  });
  if (added.kind === "refused" && added.code !== "EEXIST")
    return failed(`adding ${formatAddress(address)} to ${link.name}: ${added.code}`);
  if (!isIpv4 && !nodad) {
    const answer = await detectDuplicate(wanted, signal);
    if (answer.code !== OCF.success) {
      deleteAddress({ interfaceIndex: link.index, address, prefixLength });
      return answer;
    }
  }
  announce(link, wanted);
  return succeeded;
}

function stop(wanted: Wanted): AgentAnswer {
  for (const { link, held } of holders(wanted)) {
    announcing.get(announcementKey(link, wanted.address))?.abort();
    const { interfaceIndex, address, prefixLength } = held;
    const removed = deleteAddress({ interfaceIndex, address, prefixLength });
    if (removed.kind === "refused" && removed.code !== "EADDRNOTAVAIL")
      return failed(`removing ${formatAddress(address)} from ${link.name}: ${removed.code}`);
  }
  // Read back: a success here lets another node take the address.
  return holders(wanted).length === 0 ? succeeded : failed(`${formatAddress(wanted.address)} is still there`);
}

function monitor(wanted: Wanted): AgentAnswer {
  const [holder] = holders(wanted);
  if (holder === undefined) return { code: OCF.notRunning, reason: "" };
  if ((holder.held.flags & IFA_F_DADFAILED) !== 0)
    return failed(`another machine has ${formatAddress(wanted.address)} too`);
  return (holder.link.flags & IFF_UP) === 0 ? failed(`interface ${holder.link.name} is down`) : succeeded;
}

function validate(wanted: Wanted): AgentAnswer {
  const place = findPlace(wanted);
  return typeof place === "string" ? failed(place, OCF.notInstalled) : succeeded;
}

function operate(call: AgentCall): Promise<AgentAnswer> {
  const { operation, parameters, signal } = call;
  const wanted = readParameters(parameters);
  if (typeof wanted === "string") {
    // Nothing can run under parameters that make no sense, so it is stopped; a failed stop would fence the node.
    const code = operation === "stop" ? OCF.success : OCF.notConfigured;
    return Promise.resolve(failed(wanted, operation === "monitor" ? OCF.notRunning : code));
  }
  return operates({
    start: () => start(wanted, signal),
    stop: () => stop(wanted),
    monitor: () => monitor(wanted),
    validate: () => validate(wanted),
  })(call);
}

export const ipAddress: BuiltInAgent = {
  type: "IPaddr2",
  shortdesc: "A service address on an interface, announced to the network",
  parameters: [
    { name: "ip", required: true, unique: true, content: "string", shortdesc: "The address, IPv4 or IPv6" },
    { name: "nic", content: "string", shortdesc: "The interface; found by the address's network when not given" },
    { name: "cidr_netmask", content: "string", shortdesc: "Prefix length; that of the interface when not given" },
    { name: "iflabel", content: "string", shortdesc: "Label of the address, behind the interface's name" },
    { name: "noprefixroute", content: "boolean", fallback: "false", shortdesc: "Make no route to the network" },
    { name: "nodad", content: "boolean", fallback: "false", shortdesc: "IPv6: no duplicate-address detection" },
    { name: "arp_count", content: "integer", fallback: "5", shortdesc: "How often the address is announced" },
    { name: "arp_interval", content: "integer", fallback: "200", shortdesc: "Milliseconds between announcements" },
  ],
  actions: [
    { name: "start", timeout: "20s" },
    { name: "stop", timeout: "20s" },
    { name: "monitor", timeout: "20s", interval: "10s" },
    { name: "validate-all", timeout: "20s" },
    { name: "meta-data", timeout: "5s" },
  ],
  lacks,
  operate,
};
