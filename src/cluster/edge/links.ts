/**
 * The node's links: opens each, opens it again when it goes, signs what is sent and lets in only what is authentic,
 * fresh, of our cluster and from another node. A link that cannot be opened is a link that is down, never a reason to
 * stop. Nothing here waits: what cannot be sent at once is lost, as on a wire.
 */
import type { NodeConfig, NodeEntry } from "../../cib/node-config.ts";
import type { LinkConfig } from "../../cib/node-links.ts";
import { createSerialFrameReader, encodeSerialFrame } from "../../hw/core/serial-frame.ts";
import { openSerialPort } from "../../hw/edge/serial-port.ts";
import { openUdpSocket, socketAddress } from "../../hw/edge/udp-socket.ts";
import { decodePacket, encodePacket, type Packet, type PacketKind, type Signer } from "../core/wire/packet.ts";
import { acceptSequence, EMPTY_WINDOW, type ReplayWindow } from "../core/wire/replay-window.ts";

/** Why a packet was not let in. */
export type Refusal = "foreign" | "forged" | "version" | "replayed" | "misdirected" | "noise";

export interface LinkEvents {
  /** The payload is only valid until the callback returns. */
  readonly onPacket: (link: string, packet: Packet) => void;
  readonly onRefused: (link: string, refusal: Refusal) => void;
  /** Said once for each change: a link that cannot be opened, or could be opened again. */
  readonly onTrouble: (link: string, reason: string) => void;
  readonly onOpened: (link: string) => void;
}

export interface Links {
  /** To all nodes that the link reaches; undefined when it has left at least once, or why not. */
  send(link: string, kind: PacketKind, generation: number, payload: Uint8Array, to?: NodeEntry): string | undefined;
  close(): void;
}

const REOPEN_MS = 1000;
/** Longer than any packet of ours; what is longer on a serial line is noise. */
const PACKET_BYTES_MAX = 1400;
/** A heartbeat that waits behind two others says nothing new. */
const SERIAL_BACKLOG_MAX = 200;
/** Datagrams of the managers may queue for a second or so on a slow line. */
const SERIAL_DATAGRAM_BACKLOG_MAX = 4096;

interface OpenLink {
  transmit(packet: Uint8Array, kind: PacketKind, to: NodeEntry | undefined): string | undefined;
  close(): void;
}

interface Opening {
  readonly onBytes: (bytes: Uint8Array) => void;
  readonly onBroken: () => void;
  readonly onClosed: (reason: string) => void;
}

function openUdp(config: LinkConfig & { kind: "udp" }, self: string, { onBytes, onClosed }: Opening): OpenLink {
  const own = config.endpoints.find(({ node }) => node === self);
  if (own === undefined) throw new Error(`it has no address of ${self}`);
  const local = config.device === undefined ? own : { ...own, device: config.device };
  const socket = openUdpSocket(local, { onData: onBytes, onClosed });
  const peers = config.endpoints
    .filter(({ node }) => node !== self)
    .map(({ node, address, port }) => ({ node, address: socketAddress(address, port) }));
  return {
    transmit(packet, _, to) {
      let failure: string | undefined;
      let sent = false;
      for (const peer of peers) {
        if (to !== undefined && peer.node !== to.name) continue;
        const reason = socket.send(packet, peer.address);
        if (reason === undefined) sent = true;
        else failure = reason;
      }
      return sent ? undefined : (failure ?? "it does not reach that node");
    },
    close: () => socket.close(),
  };
}

function openSerial(config: LinkConfig & { kind: "serial" }, self: string, opening: Opening): OpenLink {
  const device = config.devices[self] ?? config.devices["*"];
  if (device === undefined) throw new Error(`it has no port of ${self}`);
  const reader = createSerialFrameReader(PACKET_BYTES_MAX);
  let broken = 0;
  const port = openSerialPort(device, config.baud, {
    onData(chunk) {
      for (const packet of reader.push(chunk)) opening.onBytes(packet);
      for (; broken < reader.broken; broken += 1) opening.onBroken();
    },
    onClosed: opening.onClosed,
  });
  return {
    transmit(packet, kind) {
      const backlogMax = kind === "heartbeat" ? SERIAL_BACKLOG_MAX : SERIAL_DATAGRAM_BACKLOG_MAX;
      return port.write(encodeSerialFrame(packet), backlogMax) ? undefined : "the line does not take it";
    },
    close: () => port.close(),
  };
}

/** One link with its own life: tries to open, judges packets, counts its sequence. */
function createLink(config: LinkConfig, index: number, self: NodeEntry, signer: Signer, events: LinkEvents) {
  const { name } = config;
  const windows = new Map<number, ReplayWindow>();
  let open: OpenLink | undefined;
  let timer: NodeJS.Timeout | undefined;
  let trouble: string | undefined;
  let sequence = 0;
  let ended = false;

  function onBytes(bytes: Uint8Array): void {
    const read = decodePacket(bytes, signer);
    if (read.kind !== "packet") {
      events.onRefused(name, read.kind);
      return;
    }
    const { packet } = read;
    // Our own packets come back from a looped line; that is no attack.
    if (packet.from === self.id) return;
    if (packet.link !== index || (packet.to !== 0 && packet.to !== self.id)) {
      events.onRefused(name, "misdirected");
      return;
    }
    const window = acceptSequence(windows.get(packet.from) ?? EMPTY_WINDOW, packet.generation, packet.sequence);
    if (window === undefined) {
      events.onRefused(name, "replayed");
      return;
    }
    windows.set(packet.from, window);
    events.onPacket(name, packet);
  }

  function fail(reason: string): void {
    open = undefined;
    if (ended) return;
    if (trouble !== reason) events.onTrouble(name, reason);
    trouble = reason;
    timer = setTimeout(tryOpen, REOPEN_MS);
  }

  function tryOpen(): void {
    const opening: Opening = { onBytes, onBroken: () => events.onRefused(name, "noise"), onClosed: fail };
    try {
      open = config.kind === "udp" ? openUdp(config, self.name, opening) : openSerial(config, self.name, opening);
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
      return;
    }
    if (trouble !== undefined) events.onOpened(name);
    trouble = undefined;
  }

  tryOpen();
  return {
    send(kind: PacketKind, generation: number, payload: Uint8Array, to: NodeEntry | undefined): string | undefined {
      if (open === undefined) return trouble ?? "not open";
      sequence += 1;
      const header = { kind, from: self.id, to: to?.id ?? 0, link: index, generation, sequence };
      return open.transmit(encodePacket(header, payload, signer), kind, to);
    },
    close(): void {
      ended = true;
      clearTimeout(timer);
      open?.close();
    },
  };
}

export function openLinks(config: NodeConfig, self: NodeEntry, signer: Signer, events: LinkEvents): Links {
  const links = new Map(
    config.links.map((link, index) => [link.name, createLink(link, index, self, signer, events)] as const),
  );
  return {
    send: (link, kind, generation, payload, to) =>
      links.get(link)?.send(kind, generation, payload, to) ?? (links.has(link) ? undefined : "no such link"),
    close() {
      for (const link of links.values()) link.close();
    },
  };
}
