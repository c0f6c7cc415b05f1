/** Sends what tells the network that an address lives here now. Throws a SystemCallError when the kernel refuses. */
import { close } from "node:fs";
import { gratuitousArp, neighbourAdvertisement } from "../core/address-announcement.ts";
import type { NetworkAddress, NetworkLink } from "../core/rtnetlink.ts";
import {
  AF_INET,
  AF_INET6,
  AF_PACKET,
  openSocket,
  SOCK_NONBLOCK,
  SOCK_RAW,
  sendTo,
  setSocketOption,
} from "./native.ts";

const IPPROTO_ICMPV6 = 58;
const SOL_IPV6 = 41;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;

/** The kernel waits some 10 ms for its readers when a packet socket is closed (measured): not on our thread. */
function closeLater(fd: number): void {
  close(fd, () => {});
}

/** struct sockaddr_ll: to everybody on the interface. */
function packetAddress(index: number): Uint8Array {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16LE(AF_PACKET, 0);
  bytes.writeUInt16BE(0x0806, 2);
  bytes.writeInt32LE(index, 4);
  bytes[11] = 6;
  bytes.fill(0xff, 12, 18);
  return bytes;
}

/** struct sockaddr_in6 of ff02::1, all nodes of the link. */
function allNodes(index: number): Uint8Array {
  const bytes = Buffer.alloc(28);
  bytes.writeUInt16LE(AF_INET6, 0);
  bytes.set([0xff, 0x02], 8);
  bytes[23] = 1;
  bytes.writeUInt32LE(index, 24);
  return bytes;
}

/** One announcement; repeating it is the caller's. The link must have an Ethernet address. */
export function announceAddress({ index, hardwareAddress }: NetworkLink, { family, bytes }: NetworkAddress): void {
  if (family === AF_INET) {
    const fd = openSocket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
    try {
      for (const kind of ["request", "reply"] as const)
        sendTo(fd, gratuitousArp(kind, hardwareAddress, bytes), packetAddress(index));
    } finally {
      closeLater(fd);
    }
    return;
  }
  const fd = openSocket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMPV6);
  try {
    setSocketOption(fd, SOL_IPV6, IPV6_MULTICAST_HOPS, 255);
    setSocketOption(fd, SOL_IPV6, IPV6_MULTICAST_IF, index);
    sendTo(fd, neighbourAdvertisement(hardwareAddress, bytes), allNodes(index));
  } finally {
    closeLater(fd);
  }
}
