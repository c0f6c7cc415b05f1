/**
 * Echo requests to hosts, and their answers, from one raw socket of each family; for hosts that are pinged for ever.
 * Nothing waits: what cannot be sent is as good as lost. Needs CAP_NET_RAW. Facts: raw(7), icmp(7), RFC 792, RFC 4443.
 */
import { randomInt } from "node:crypto";
import { decodeEchoReply, encodeEcho } from "../core/icmp-echo.ts";
import { formatAddress, type NetworkAddress, parseAddress } from "../core/rtnetlink.ts";
import {
  AF_INET,
  AF_INET6,
  closeDescriptor,
  MSG_DONTWAIT,
  openSocket,
  receiveFrom,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SystemCallError,
  sendTo,
  setSocketOption,
  watchReadable,
} from "./native.ts";
import { socketAddress } from "./udp-socket.ts";

const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const SOL_RAW = 255;
const ICMP_FILTER = 1;
const ICMP6_FILTER = 1;
const REPLY_V6 = 129;

/** A raw socket is given every ICMP message of the machine; only replies may wake us. A bit that is set blocks. */
function filterReplies(fd: number, family: typeof AF_INET | typeof AF_INET6): void {
  if (family === AF_INET) {
    // Echo reply is type 0.
    setSocketOption(fd, SOL_RAW, ICMP_FILTER, ~1);
    return;
  }
  const blocked = Buffer.alloc(32, 0xff);
  const at = REPLY_V6 >>> 3;
  blocked[at] = (blocked[at] ?? 0) & ~(1 << (REPLY_V6 & 7));
  setSocketOption(fd, IPPROTO_ICMPV6, ICMP6_FILTER, blocked);
}

export interface Pinger {
  /** One request to each address. */
  send(): void;
  close(): void;
}

function openFamily(
  family: typeof AF_INET | typeof AF_INET6,
  addresses: readonly NetworkAddress[],
  onReply: (address: string) => void,
): Pinger {
  const fd = openSocket(family, SOCK_RAW | SOCK_NONBLOCK, family === AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
  filterReplies(fd, family);
  const identifier = randomInt(0x10000);
  const buffer = Buffer.alloc(2048);
  const sender = Buffer.alloc(28);
  let sequence = 0;
  const stopWatching = watchReadable(fd, () => {
    for (;;) {
      const length = receiveFrom(fd, buffer, sender);
      if (length === undefined) break;
      if (decodeEchoReply(family, buffer.subarray(0, length), identifier) === undefined) continue;
      const from = sender.subarray(family === AF_INET ? 4 : 8, family === AF_INET ? 8 : 24);
      // Only the host itself may answer for it.
      const address = addresses.find(({ bytes }) => bytes.every((byte, at) => byte === from[at]));
      if (address !== undefined) onReply(formatAddress(address));
    }
  });
  return {
    send() {
      sequence = (sequence + 1) % 0x10000;
      for (const address of addresses) {
        try {
          sendTo(fd, encodeEcho(family, identifier, sequence), socketAddress(formatAddress(address), 0), MSG_DONTWAIT);
        } catch (error) {
          // No route, or the interface is down: just as unreachable as a host that does not answer.
          if (!(error instanceof SystemCallError)) throw error;
        }
      }
    },
    close() {
      stopWatching();
      closeDescriptor(fd);
    },
  };
}

/** `onReply`: with the address as it was written. Throws when raw sockets are not to be had. */
export function openPinger(addresses: readonly string[], onReply: (address: string) => void): Pinger {
  const parsed = addresses.flatMap((written) => {
    const address = parseAddress(written);
    return address === undefined ? [] : [{ written, address }];
  });
  const pingers = ([AF_INET, AF_INET6] as const).flatMap((family) => {
    const own = parsed.filter(({ address }) => address.family === family);
    if (own.length === 0) return [];
    const report = (from: string) => {
      for (const { written, address } of own) if (formatAddress(address) === from) onReply(written);
    };
    return [
      openFamily(
        family,
        own.map(({ address }) => address),
        report,
      ),
    ];
  });
  return {
    send() {
      for (const pinger of pingers) pinger.send();
    },
    close() {
      for (const pinger of pingers) pinger.close();
    },
  };
}
