/**
 * A UDP socket bound to our own address of a link, and to its interface where one is named.
 * Sending is one non-blocking system call: a full buffer or a network that is down is a lost packet, as on the wire.
 */
import { createSocket, type Socket } from "node:dgram";
import {
  AF_INET,
  AF_INET6,
  bindSocket,
  closeDescriptor,
  interfaceIndex,
  MSG_DONTWAIT,
  openSocket,
  SO_BINDTODEVICE,
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
  /** Undefined when it has left, or why not. */
  send(bytes: Uint8Array, to: Uint8Array): string | undefined;
  close(): void;
}

export interface UdpSocketEvents {
  /** The bytes are only valid until the callback returns. */
  readonly onData: (bytes: Uint8Array) => void;
  readonly onClosed: (reason: string) => void;
}

/** Throws a SystemCallError when the socket cannot be bound: the address is not ours (yet), or the port is in use. */
export function openUdpSocket(
  local: { readonly address: string; readonly port: number; readonly device?: string },
  { onData, onClosed }: UdpSocketEvents,
): UdpSocket {
  const isIpv6 = local.address.includes(":");
  const fd = openSocket(isIpv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  try {
    setSocketOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    setSocketOption(fd, SOL_SOCKET, SO_PRIORITY, PRIORITY_INTERACTIVE);
    if (!isIpv6) setSocketOption(fd, IPPROTO_IP, IP_TOS, IPTOS_LOWDELAY);
    if (local.device !== undefined) setSocketOption(fd, SOL_SOCKET, SO_BINDTODEVICE, local.device);
    bindSocket(fd, socketAddress(local.address, local.port));
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
    send(bytes, to) {
      if (closed) return "closed";
      try {
        return sendTo(fd, bytes, to, MSG_DONTWAIT) === undefined ? "EAGAIN" : undefined;
      } catch (error) {
        if (error instanceof SystemCallError) return error.code;
        throw error;
      }
    },
    close: () => close("closed"),
  };
}
