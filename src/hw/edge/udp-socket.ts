/**
 * A UDP socket bound to our own address of a link (or to every one for broadcast, or to a multicast group), and to its
 * interface where one is named. Facts: ip(7), ipv6(7), socket(7); numbers of linux/in.h and linux/in6.h.
 * Sending is one non-blocking system call: a full buffer or a network that is down is a lost packet, as on the wire.
 */
import { createSocket, type Socket } from "node:dgram";
import {
  AF_INET,
  AF_INET6,
  attachFilter,
  bindSocket,
  closeDescriptor,
  interfaceIndex,
  localPort,
  MSG_DONTWAIT,
  openSocket,
  SO_BINDTODEVICE,
  SO_BROADCAST,
  SO_PRIORITY,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  SystemCallError,
  sendTo,
  setSocketOption,
} from "./native.ts";

const IPPROTO_IP = 0;
const IP_TOS = 1;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_TTL = 33;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;
const IPPROTO_IPV6 = 41;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_JOIN_GROUP = 20;
const IPV6_V6ONLY = 26;
const IPTOS_LOWDELAY = 0x10;
/** Interactive: leaves before bulk traffic (tc-prio(8)); the highest that needs no privilege. */
const PRIORITY_INTERACTIVE = 6;

/** A struct sockaddr_in or sockaddr_in6. `address` is a literal; an IPv6 one may carry `%INTERFACE`. */
export function socketAddress(address: string, port: number): Uint8Array {
  if (!address.includes(":")) {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt16LE(AF_INET, 0);
    bytes.writeUInt16BE(port, 2);
    bytes.set(address.split(".").map(Number), 4);
    return bytes;
  }
  const [literal = "", zone] = address.split("%");
  const bytes = Buffer.alloc(28);
  bytes.writeUInt16LE(AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(ipv6Bytes(literal), 8);
  if (zone !== undefined) bytes.writeUInt32LE(interfaceIndex(zone), 24);
  return bytes;
}

function ipv6Bytes(literal: string): Uint8Array {
  // The last 32 bits may be written as IPv4.
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(literal);
  const hex = (high: string | undefined, low: string | undefined) => (Number(high) * 256 + Number(low)).toString(16);
  const plain = dotted === null ? literal : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`;
  const [left = "", right] = plain.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const [head, tail] = [groups(left), groups(right ?? "")];
  const all = [...head, ...new Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0), ...tail];
  return Uint8Array.from(all.flatMap((group) => [(group >>> 8) & 0xff, group & 0xff]));
}

export interface UdpSocket {
  /** As bound; chosen by the kernel where 0 was asked for. */
  readonly port: number;
  /** Undefined when it has left, or why not. */
  send(bytes: Uint8Array, to: Uint8Array): string | undefined;
  close(): void;
}

export interface UdpSocketEvents {
  /** The bytes are only valid until the callback returns. */
  readonly onData: (bytes: Uint8Array) => void;
  readonly onClosed: (reason: string) => void;
}

export interface UdpLocal {
  readonly address: string;
  readonly port: number;
  readonly device?: string;
  /** A group to belong to, by way of `device`; `address` is then the group's own, so that nothing else comes in. */
  readonly multicast?: { readonly hops: number };
  /** Classic BPF: what the kernel keeps of what comes. */
  readonly filter?: Uint8Array;
}

const ipv6Only = (address: string) => address.includes(":");

/** struct ip_mreqn of ip(7); struct ipv6_mreq of ipv6(7). */
function joinGroup(fd: number, address: string, device: string, hops: number): void {
  const index = interfaceIndex(device);
  const indexBytes = Buffer.alloc(4);
  indexBytes.writeUInt32LE(index);
  if (ipv6Only(address)) {
    setSocketOption(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, Buffer.concat([ipv6Bytes(address), indexBytes]));
    setSocketOption(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index);
    setSocketOption(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops);
    setSocketOption(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
    return;
  }
  const request = Buffer.concat([Buffer.from(address.split(".").map(Number)), Buffer.alloc(4), indexBytes]);
  setSocketOption(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, request);
  setSocketOption(fd, IPPROTO_IP, IP_MULTICAST_IF, request);
  setSocketOption(fd, IPPROTO_IP, IP_MULTICAST_TTL, hops);
  setSocketOption(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
}

/** Before the socket is bound, so that nothing comes in before it. Without it all is as well, but for a flood. */
function tryFilter(fd: number, filter: Uint8Array): void {
  try {
    attachFilter(fd, filter);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
  }
}

function setUp(fd: number, { address, port, device, multicast, filter }: UdpLocal): void {
  if (filter !== undefined) tryFilter(fd, filter);
  setSocketOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  setSocketOption(fd, SOL_SOCKET, SO_BROADCAST, 1);
  setSocketOption(fd, SOL_SOCKET, SO_PRIORITY, PRIORITY_INTERACTIVE);
  if (ipv6Only(address)) setSocketOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  else {
    setSocketOption(fd, IPPROTO_IP, IP_TOS, IPTOS_LOWDELAY);
    // Or a socket for broadcast hears every group that another link of this machine has joined.
    setSocketOption(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
  }
  if (device !== undefined) setSocketOption(fd, SOL_SOCKET, SO_BINDTODEVICE, device);
  const scoped = multicast !== undefined && ipv6Only(address) && device !== undefined;
  bindSocket(fd, socketAddress(scoped ? `${address}%${device}` : address, port));
  if (multicast !== undefined && device !== undefined) joinGroup(fd, address, device, multicast.hops);
}

/** The interface has gone, perhaps for another one of the same name: this socket will never work again. */
const GONE: readonly string[] = ["ENODEV", "ENXIO"];

/** Throws a SystemCallError when the socket cannot be bound: the address is not ours (yet), or the port is in use. */
export function openUdpSocket(local: UdpLocal, { onData, onClosed }: UdpSocketEvents): UdpSocket {
  const isIpv6 = ipv6Only(local.address);
  const fd = openSocket(isIpv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  let port: number;
  try {
    setUp(fd, local);
    port = localPort(fd);
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
  // Reading is left to Node's own event loop; it owns the descriptor from here on.
  const socket: Socket = createSocket(isIpv6 ? "udp6" : "udp4");
  let closed = false;
  const close = (reason: string) => {
    if (closed) return;
    closed = true;
    socket.close();
    onClosed(reason);
  };
  socket.on("message", onData);
  socket.on("error", (error) => close(error.message));
  socket.bind({ fd });
  return {
    port,
    send(bytes, to) {
      if (closed) return "closed";
      try {
        return sendTo(fd, bytes, to, MSG_DONTWAIT) === undefined ? "EAGAIN" : undefined;
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        if (GONE.includes(error.code)) close(`the interface has gone (${error.code})`);
        return error.code;
      }
    },
    close: () => close("closed"),
  };
}
