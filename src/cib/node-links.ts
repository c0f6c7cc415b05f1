/** The `link` directive of a node's configuration: heartbeat paths over UDP and over serial lines. */
import { nearestName } from "../base/nearest.ts";

/** Speeds that termios knows, as ha.cf lists them. */
export const BAUDS: readonly string[] = ["9600", "19200", "38400", "57600", "115200", "230400", "460800"];

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

export interface SerialLinkConfig {
  readonly kind: "serial";
  readonly name: string;
  readonly baud: number;
  /** The port on each node; `*` stands for every node that is not named. */
  readonly devices: Readonly<Record<string, string>>;
}

export type LinkConfig = UdpLinkConfig | SerialLinkConfig;

type Pair = readonly [key: string, value: string];

function readPairs(words: readonly string[], issue: (message: string) => void): Pair[] {
  return words.flatMap((word): Pair[] => {
    const at = word.indexOf("=");
    if (at > 0 && at < word.length - 1) return [[word.slice(0, at), word.slice(at + 1)]];
    issue(`${word} is no KEY=VALUE`);
    return [];
  });
}

const ENDPOINT = /^(?:((?:\d{1,3}\.){3}\d{1,3})|\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]):(\d{1,5})$/;

function readEndpoint(node: string, written: string): UdpEndpoint | undefined {
  const match = ENDPOINT.exec(written);
  const [ipv4, ipv6, port] = [match?.[1], match?.[2], Number(match?.[3])];
  const address = ipv4 ?? ipv6;
  if (address === undefined || !(port >= 1 && port <= 65_535)) return undefined;
  if (ipv4?.split(".").some((byte) => Number(byte) > 255) === true) return undefined;
  return { node, address, port };
}

/** Words after `link NAME udp`; what is wrong goes to `issue`. */
export function readUdpLink(name: string, words: readonly string[], issue: (message: string) => void): UdpLinkConfig {
  const endpoints: UdpEndpoint[] = [];
  let device: string | undefined;
  let written = 0;
  for (const [key, value] of readPairs(words, issue)) {
    if (key === "device") {
      device = value;
      continue;
    }
    written += 1;
    const endpoint = readEndpoint(key, value);
    if (endpoint === undefined) issue(`${key}=${value} is no endpoint: write NODE=IPV4:PORT or NODE=[IPV6]:PORT`);
    else if (endpoints.some(({ node }) => node === key)) issue(`the node ${key} stands twice in the link ${name}`);
    else endpoints.push(endpoint);
  }
  if (written < 2) issue(`the link ${name} needs NODE=ADDRESS:PORT of two nodes at least`);
  return { kind: "udp", name, endpoints, ...(device === undefined ? {} : { device }) };
}

/** Words after `link NAME serial`; what is wrong goes to `issue`. */
export function readSerialLink(
  name: string,
  words: readonly string[],
  issue: (message: string) => void,
): SerialLinkConfig {
  const devices: Record<string, string> = {};
  let baud = 19_200;
  for (const [key, value] of readPairs(words, issue)) {
    if (key === "baud") {
      if (!BAUDS.includes(value))
        issue(`baud=${value}: write ${nearestName(value, BAUDS) ?? "19200"} or another known rate`);
      baud = Number(value);
      continue;
    }
    if (!value.startsWith("/")) issue(`${key}=${value}: the path of the port must be absolute, as /dev/ttyS1`);
    devices[key === "device" ? "*" : key] = value;
  }
  if (Object.keys(devices).length === 0) issue(`the link ${name} needs device=PATH, or NODE=PATH of each node`);
  return { kind: "serial", name, baud, devices };
}
