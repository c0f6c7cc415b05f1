/**
 * The `link` directive of a node's configuration: heartbeat paths over UDP (to each peer, by broadcast or multicast)
 * and over serial lines. The same line serves all nodes: `device=` is the interface or port on every node, `NODE=` on
 * that one.
 */
import { nearestName } from "../base/nearest.ts";
import { entryOf, setEntry } from "../base/record.ts";

/** Speeds that termios knows, as ha.cf lists them. */
export const BAUDS: readonly string[] = ["9600", "19200", "38400", "57600", "115200", "230400", "460800"];
/** Where ha.cf(5) puts heartbeats when no port is named: ha-cluster of services(5). */
export const PORT_DEFAULT = 694;
/** Further away there is no heartbeat network any more. */
const HOPS_MAX = 32;
/** A ring joins each node to two neighbours; more ports would be another kind of net. */
const RING_PORTS = 2;

export interface UdpEndpoint {
  readonly node: string;
  readonly address: string;
  readonly port: number;
}

export interface UdpLinkConfig {
  readonly kind: "udp";
  readonly name: string;
  readonly endpoints: readonly UdpEndpoint[];
  /** The interface that the socket is bound to, when it is named. */
  readonly device?: string;
}

/** What stands on which node; `*` stands for every node that is not named. */
type PerNode<Value> = Readonly<Record<string, Value>>;

export interface BroadcastLinkConfig {
  readonly kind: "broadcast";
  readonly name: string;
  /** Where it is sent to: every host on the cable, unless a directed address is written. */
  readonly address: string;
  readonly port: number;
  readonly devices: PerNode<string>;
}

export interface MulticastLinkConfig {
  readonly kind: "multicast";
  readonly name: string;
  readonly group: string;
  readonly port: number;
  /** Routers that a packet may pass, and one. */
  readonly hops: number;
  readonly devices: PerNode<string>;
}

export interface SerialLinkConfig {
  readonly kind: "serial";
  readonly name: string;
  readonly baud: number;
  /** One port is the end of a cable between two nodes; two are this node's place in a ring. */
  readonly devices: PerNode<readonly string[]>;
}

export type LinkConfig = UdpLinkConfig | BroadcastLinkConfig | MulticastLinkConfig | SerialLinkConfig;
export type LinkKind = LinkConfig["kind"];

type Issue = (message: string) => void;
type Pair = readonly [key: string, value: string];

/** What the configuration says of this node. */
export const onNode = <Value>(of: PerNode<Value>, node: string): Value | undefined => entryOf(of, node) ?? of["*"];

function readPairs(words: readonly string[], issue: Issue): Pair[] {
  return words.flatMap((word): Pair[] => {
    const at = word.indexOf("=");
    if (at > 0 && at < word.length - 1) return [[word.slice(0, at), word.slice(at + 1)]];
    issue(`${word} is no KEY=VALUE`);
    return [];
  });
}

/** Takes the named keys out of the pairs; what is left are nodes. */
function takeKeys(pairs: readonly Pair[], keys: readonly string[]) {
  const taken: Readonly<Record<string, string>> = Object.fromEntries(pairs.filter(([key]) => keys.includes(key)));
  return { taken, rest: pairs.filter(([key]) => !keys.includes(key)) };
}

const isIpv4 = (text: string) =>
  /^(?:\d{1,3}\.){3}\d{1,3}$/.test(text) && text.split(".").every((byte) => Number(byte) <= 255);
const isPort = (port: number) => Number.isInteger(port) && port >= 1 && port <= 65_535;

const ENDPOINT = /^(?:((?:\d{1,3}\.){3}\d{1,3})|\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]):(\d{1,5})$/;

function readEndpoint(node: string, written: string): UdpEndpoint | undefined {
  const match = ENDPOINT.exec(written);
  const [ipv4, ipv6, port] = [match?.[1], match?.[2], Number(match?.[3])];
  const address = ipv4 ?? ipv6;
  if (address === undefined || !isPort(port)) return undefined;
  if (ipv4 !== undefined && !isIpv4(ipv4)) return undefined;
  return { node, address, port };
}

function readUdpLink(name: string, pairs: readonly Pair[], issue: Issue): UdpLinkConfig {
  const { taken, rest } = takeKeys(pairs, ["device"]);
  const endpoints: UdpEndpoint[] = [];
  for (const [key, value] of rest) {
    const endpoint = readEndpoint(key, value);
    if (endpoint === undefined) issue(`${key}=${value} is no endpoint: write NODE=IPV4:PORT or NODE=[IPV6]:PORT`);
    else if (endpoints.some(({ node }) => node === key)) issue(`the node ${key} stands twice in the link ${name}`);
    else endpoints.push(endpoint);
  }
  if (rest.length < 2) issue(`the link ${name} needs NODE=ADDRESS:PORT of two nodes at least`);
  const { device } = taken;
  return { kind: "udp", name, endpoints, ...(device === undefined ? {} : { device }) };
}

function readPort(written: string | undefined, issue: Issue): number {
  const port = Number(written ?? PORT_DEFAULT);
  if (!isPort(port)) issue(`port=${written}: a port is a number from 1 to 65535`);
  return port;
}

/** `device=IF` and `NODE=IF`; without any there is no telling which network is meant. */
function readInterfaces(name: string, device: string | undefined, rest: readonly Pair[], issue: Issue) {
  const devices: Record<string, string> = { ...(device === undefined ? {} : { "*": device }) };
  for (const [node, value] of rest) {
    // IFNAMSIZ of linux/if.h: 15 characters and the closing zero.
    if (!/^[^\s/]{1,15}$/.test(value)) issue(`${node}=${value} is no name of a network interface`);
    setEntry(devices, node, value);
  }
  if (Object.keys(devices).length === 0)
    issue(`the link ${name} needs device=INTERFACE, or NODE=INTERFACE of each node`);
  return devices;
}

function readBroadcastLink(name: string, pairs: readonly Pair[], issue: Issue): BroadcastLinkConfig {
  const { taken, rest } = takeKeys(pairs, ["device", "port", "address"]);
  const { address = "255.255.255.255" } = taken;
  if (!isIpv4(address)) issue(`address=${address} is no IPv4 broadcast address`);
  const devices = readInterfaces(name, taken["device"], rest, issue);
  return { kind: "broadcast", name, address, port: readPort(taken["port"], issue), devices };
}

/** RFC 5771: 224.0.0.0/4; RFC 4291, section 2.7: ff00::/8. */
export function isGroup(address: string): boolean {
  if (isIpv4(address)) return Number(address.split(".")[0]) >= 224 && Number(address.split(".")[0]) <= 239;
  return /^ff[0-9a-f]{2}:[0-9a-f:]+$/i.test(address);
}

function readMulticastLink(name: string, pairs: readonly Pair[], issue: Issue): MulticastLinkConfig {
  const { taken, rest } = takeKeys(pairs, ["device", "port", "group", "hops"]);
  const { group = "", hops = "1" } = taken;
  if (group === "") issue(`the link ${name} needs group=ADDRESS, as group=239.77.0.1 or group=ff02::77:1`);
  else if (!isGroup(group)) issue(`group=${group} is no multicast address: write one of 224.0.0.0/4 or ff00::/8`);
  if (!/^\d+$/.test(hops) || Number(hops) < 1 || Number(hops) > HOPS_MAX)
    issue(`hops=${hops}: write a number from 1 (this network only) to ${HOPS_MAX}`);
  const devices = readInterfaces(name, taken["device"], rest, issue);
  return { kind: "multicast", name, group, port: readPort(taken["port"], issue), hops: Number(hops), devices };
}

function readSerialLink(name: string, pairs: readonly Pair[], issue: Issue): SerialLinkConfig {
  const { taken, rest } = takeKeys(pairs, ["baud", "device"]);
  const { baud = "19200", device } = taken;
  if (!BAUDS.includes(baud)) issue(`baud=${baud}: write ${nearestName(baud, BAUDS) ?? "19200"} or another known rate`);
  const all: readonly Pair[] = [...(device === undefined ? [] : [["*", device] as const]), ...rest];
  const devices: Record<string, readonly string[]> = {};
  for (const [node, value] of all) {
    const ports = value.split(",");
    const key = node === "*" ? "device" : node;
    if (!ports.every((port) => port.startsWith("/")))
      issue(`${key}=${value}: the path of the port must be absolute, as /dev/ttyS1`);
    if (ports.length > RING_PORTS || new Set(ports).size < ports.length)
      issue(`${key}=${value}: write one port for a cable, or two different ones for a place in a ring`);
    setEntry(devices, node, ports);
  }
  if (all.length === 0) issue(`the link ${name} needs device=PATH, or NODE=PATH of each node`);
  return { kind: "serial", name, baud: Number(baud), devices };
}

/** Words after `link NAME KIND`; what is wrong goes to `issue`. */
export function readLink(name: string, kind: LinkKind, words: readonly string[], issue: Issue): LinkConfig {
  const pairs = readPairs(words, issue);
  switch (kind) {
    case "udp":
      return readUdpLink(name, pairs, issue);
    case "broadcast":
      return readBroadcastLink(name, pairs, issue);
    case "multicast":
      return readMulticastLink(name, pairs, issue);
    case "serial":
      return readSerialLink(name, pairs, issue);
  }
}

/** The nodes that a link names; `*` is none. */
export function namedNodes(link: LinkConfig): readonly string[] {
  if (link.kind === "udp") return link.endpoints.map(({ node }) => node);
  return Object.keys(link.devices).filter((name) => name !== "*");
}

/** The nodes, out of all, that a link joins. */
export function joinedNodes(link: LinkConfig, nodes: readonly string[]): readonly string[] {
  if (link.kind !== "udp" && link.devices["*"] !== undefined) return nodes;
  return nodes.filter((name) => namedNodes(link).includes(name));
}
