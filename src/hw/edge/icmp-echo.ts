/** Pings hosts in process: all at once, each as often as told. Needs CAP_NET_RAW. */
import { randomInt } from "node:crypto";
import { decodeEchoReply, encodeEcho } from "../core/icmp-echo.ts";
import type { NetworkAddress } from "../core/rtnetlink.ts";
import {
  AF_INET,
  AF_INET6,
  closeDescriptor,
  interfaceIndex,
  openSocket,
  receiveFrom,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SystemCallError,
  sendTo,
  watchReadable,
} from "./native.ts";

const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;

export interface EchoOrder {
  readonly attempts: number;
  /** How long each attempt waits. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** `zone`: the interface of a link-local address. */
export type EchoTarget = NetworkAddress & { readonly zone?: string };

/** Throws a SystemCallError where there is no such interface. */
function socketAddress({ family, bytes, zone }: EchoTarget): Uint8Array {
  const address = Buffer.alloc(family === AF_INET ? 16 : 28);
  address.writeUInt16LE(family, 0);
  address.set(bytes, family === AF_INET ? 4 : 8);
  if (zone !== undefined) address.writeUInt32LE(interfaceIndex(zone), 24);
  return address;
}

/** Which of the addresses (of one family) have answered; resolves as soon as all have. */
function pingFamily(addresses: readonly EchoTarget[], family: 2 | 10, order: EchoOrder): Promise<Set<EchoTarget>> {
  const answered = new Set<EchoTarget>();
  if (addresses.length === 0) return Promise.resolve(answered);
  const fd = openSocket(family, SOCK_RAW | SOCK_NONBLOCK, family === AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
  const identifier = randomInt(0x10000);
  return new Promise((resolve) => {
    let attempt = 0;
    let timer: NodeJS.Timeout | undefined;
    const finish = () => {
      clearTimeout(timer);
      order.signal.removeEventListener("abort", finish);
      stopWatching();
      closeDescriptor(fd);
      resolve(answered);
    };
    const buffer = Buffer.alloc(2048);
    const sender = Buffer.alloc(28);
    const takeAnswers = () => {
      for (;;) {
        const length = receiveFrom(fd, buffer, sender);
        if (length === undefined) break;
        const sequence = decodeEchoReply(family, buffer.subarray(0, length), identifier);
        const from = [...sender.subarray(family === AF_INET ? 4 : 8, family === AF_INET ? 8 : 24)];
        const index = sequence === undefined ? -1 : sequence % addresses.length;
        const address = addresses[index];
        // Only the host itself may answer for it.
        const isFromIt = address?.bytes.every((byte, at) => byte === from[at]) === true;
        if (address !== undefined && isFromIt) answered.add(address);
      }
    };
    const stopWatching = watchReadable(fd, () => {
      takeAnswers();
      if (answered.size === addresses.length) finish();
    });
    const send = () => {
      // After a stall of this process the timer comes before the socket: who has answered meanwhile is not silent.
      takeAnswers();
      if (attempt === order.attempts || answered.size === addresses.length) {
        finish();
        return;
      }
      addresses.forEach((address, index) => {
        if (answered.has(address)) return;
        try {
          sendTo(
            fd,
            encodeEcho(family, identifier, (attempt * addresses.length + index) & 0xffff),
            socketAddress(address),
          );
        } catch (error) {
          // No route, or the interface is down: just as unreachable as a host that does not answer.
          if (!(error instanceof SystemCallError)) throw error;
        }
      });
      attempt += 1;
      timer = setTimeout(send, order.timeoutMs);
    };
    order.signal.addEventListener("abort", finish, { once: true });
    send();
  });
}

/** Those of the targets that have answered. */
export async function pingAddresses(
  addresses: readonly EchoTarget[],
  order: EchoOrder,
): Promise<ReadonlySet<EchoTarget>> {
  const [four, six] = await Promise.all([
    pingFamily(
      addresses.filter(({ family }) => family === AF_INET),
      AF_INET,
      order,
    ),
    pingFamily(
      addresses.filter(({ family }) => family === AF_INET6),
      AF_INET6,
      order,
    ),
  ]);
  return new Set([...four, ...six]);
}
