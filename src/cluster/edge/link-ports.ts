/**
 * What a link is made of on this node: one socket, or one or two serial ports. Each port takes whole packets and gives
 * whole packets; what is in them is not its business.
 */
import { type LinkConfig, onNode } from "../../cib/node-links.ts";
import { createSerialFrameReader, encodeSerialFrame } from "../../hw/core/serial-frame.ts";
import { createSerialLine, lineWakeAtMs, offerBeat, offerDatagram, takeFrame } from "../../hw/core/serial-line.ts";
import { openSerialPort } from "../../hw/edge/serial-port.ts";
import { openUdpSocket, socketAddress, type UdpLocal } from "../../hw/edge/udp-socket.ts";
import { segmentLabel } from "../core/messaging/segment.ts";
import { type PacketKind, senderOf } from "../core/wire/packet.ts";

/** Longer than any packet of ours; what is longer on a serial line is noise. */
const PACKET_BYTES_MAX = 1400;
/** In front of the port, beside what its kernel holds: a line that takes nothing is to get nothing. */
const SERIAL_BACKLOG_MAX = 200;
const RECEIVER_AT = 5;
const BUSY = "the line does not take it";

export interface OpenPort {
  /** `to` is the name of a node, or undefined for all; the answer is undefined when it has left, or why not. */
  transmit(packet: Uint8Array, kind: PacketKind, to: string | undefined, payload: Uint8Array): string | undefined;
  close(): void;
}

export interface PortEvents {
  readonly onBytes: (bytes: Uint8Array) => void;
  readonly onBroken: () => void;
  readonly onClosed: (reason: string) => void;
}

/** Throws when the port cannot be opened. */
export type PortOpener = (events: PortEvents) => OpenPort;

/** Whom a port belongs to, and what it may leave to the kernel to drop. */
export interface PortOwner {
  readonly self: string;
  readonly filter: Uint8Array;
}

function openUnicast(
  config: LinkConfig & { kind: "udp" },
  { self, filter }: PortOwner,
  { onBytes, onClosed }: PortEvents,
): OpenPort {
  const own = config.endpoints.find(({ node }) => node === self);
  if (own === undefined) throw new Error(`it has no address of ${self}`);
  const local = { ...own, filter, ...(config.device === undefined ? {} : { device: config.device }) };
  const socket = openUdpSocket(local, { onData: onBytes, onClosed });
  const peers = config.endpoints
    .filter(({ node }) => node !== self)
    .map(({ node, address, port }) => ({ node, address: socketAddress(address, port) }));
  return {
    transmit(packet, _, to) {
      let failure: string | undefined;
      let sent = false;
      for (const peer of peers) {
        if (to !== undefined && peer.node !== to) continue;
        const reason = socket.send(packet, peer.address);
        if (reason === undefined) sent = true;
        else failure = reason;
      }
      return sent ? undefined : (failure ?? "it does not reach that node");
    },
    close: () => socket.close(),
  };
}

function openShared(
  config: LinkConfig & { kind: "broadcast" | "multicast" },
  { self, filter }: PortOwner,
  { onBytes, onClosed }: PortEvents,
): OpenPort {
  const device = onNode(config.devices, self);
  if (device === undefined) throw new Error(`it has no interface of ${self}`);
  const { port } = config;
  const local: UdpLocal =
    config.kind === "broadcast"
      ? { address: "0.0.0.0", port, device, filter }
      : { address: config.group, port, device, filter, multicast: { hops: config.hops } };
  const destination =
    config.kind === "broadcast"
      ? socketAddress(config.address, port)
      : socketAddress(config.group.includes(":") ? `${config.group}%${device}` : config.group, port);
  const socket = openUdpSocket(local, { onData: onBytes, onClosed });
  return { transmit: (packet) => socket.send(packet, destination), close: () => socket.close() };
}

function openSerial(path: string, baud: number, { onBytes, onBroken, onClosed }: PortEvents): OpenPort {
  const reader = createSerialFrameReader(PACKET_BYTES_MAX);
  let broken = 0;
  const port = openSerialPort(path, baud, {
    onData(chunk) {
      for (const packet of reader.push(chunk)) onBytes(packet);
      for (; broken < reader.broken; broken += 1) onBroken();
    },
    onClosed,
  });
  let line = createSerialLine(baud);
  let timer: NodeJS.Timeout | undefined;

  /** Whether the port takes what it is given. */
  function pump(): boolean {
    timer = undefined;
    let takes = true;
    for (;;) {
      const taken = takeFrame(line, performance.now());
      line = taken.line;
      if (taken.frame === undefined) break;
      takes = port.write(taken.frame, SERIAL_BACKLOG_MAX);
    }
    const wakeAtMs = lineWakeAtMs(line);
    if (wakeAtMs !== undefined) timer = setTimeout(pump, Math.max(0, Math.ceil(wakeAtMs - performance.now())));
    return takes;
  }

  return {
    transmit(packet, kind, _, payload) {
      const frame = encodeSerialFrame(packet);
      const from = senderOf(packet);
      const datagram = () => ({ way: `${from} ${packet[RECEIVER_AT]}`, ...segmentLabel(payload), frame });
      const next =
        kind === "heartbeat" ? offerBeat(line, from, frame) : offerDatagram(line, datagram(), performance.now());
      if (next === undefined) return BUSY;
      line = next;
      // What waits for the line has its turn by the timer.
      return timer !== undefined || pump() ? undefined : BUSY;
    },
    close() {
      clearTimeout(timer);
      port.close();
    },
  };
}

/** How to open each port that the link has on this node. */
export function portsOf(config: LinkConfig, owner: PortOwner): readonly PortOpener[] {
  switch (config.kind) {
    case "udp":
      return [(events) => openUnicast(config, owner, events)];
    case "broadcast":
    case "multicast":
      return [(events) => openShared(config, owner, events)];
    case "serial": {
      const paths = onNode(config.devices, owner.self);
      if (paths === undefined) throw new Error(`invariant broken: ${owner.self} has no port of ${config.name}`);
      return paths.map((path) => (events) => openSerial(path, config.baud, events));
    }
  }
}
