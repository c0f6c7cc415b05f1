/**
 * The node's links: opens each, opens it again when it goes, signs what is sent and lets in only what is authentic,
 * fresh, of our cluster and from another node. A link that cannot be opened is a link that is down, never a reason to
 * stop. Nothing here waits: what cannot be sent at once is lost, as on a wire.
 */
import type { NodeConfig, NodeEntry } from "../../cib/node-config.ts";
import { joinedNodes, type LinkConfig } from "../../cib/node-links.ts";
import {
  decodePacket,
  encodePacket,
  type Packet,
  type PacketKind,
  type Signer,
  WIRE_VERSION,
} from "../core/wire/packet.ts";
import { packetFilter } from "../core/wire/packet-filter.ts";
import {
  acceptAmongMany,
  acceptSequence,
  EMPTY_WIDE_WINDOW,
  EMPTY_WINDOW,
  type ReplayWindow,
  type WideWindow,
} from "../core/wire/replay-window.ts";
import { type OpenPort, type PortEvents, type PortOpener, portsOf } from "./link-ports.ts";
import { createRingWays } from "./ring-ways.ts";

/** Why a packet was not let in. */
export type Refusal = "foreign" | "forged" | "version" | "replayed" | "misdirected" | "noise";

export interface LinkEvents {
  /** The payload is only valid until the callback returns. */
  readonly onPacket: (link: string, packet: Packet) => void;
  /** `detail`: what is known of the sender, for the log; only of an authentic packet. */
  readonly onRefused: (link: string, refusal: Refusal, detail?: string) => void;
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

/** One port with its own life: opened, and opened again when it goes. */
function keepOpen(opener: PortOpener, { onBytes, onBroken }: Omit<PortEvents, "onClosed">, events: PortLife) {
  let open: OpenPort | undefined;
  let timer: NodeJS.Timeout | undefined;
  let trouble: string | undefined;
  let ended = false;

  function fail(reason: string): void {
    open = undefined;
    if (ended) return;
    if (trouble !== reason) events.onTrouble(reason);
    trouble = reason;
    timer = setTimeout(tryOpen, REOPEN_MS);
  }

  function tryOpen(): void {
    try {
      open = opener({ onBytes, onBroken, onClosed: fail });
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
      return;
    }
    if (trouble !== undefined) events.onOpened();
    trouble = undefined;
  }

  tryOpen();
  return {
    transmit: (
      packet: Uint8Array,
      kind: PacketKind,
      to: string | undefined,
      payload: Uint8Array,
    ): string | undefined => (open === undefined ? (trouble ?? "not open") : open.transmit(packet, kind, to, payload)),
    close(): void {
      ended = true;
      clearTimeout(timer);
      open?.close();
    },
  };
}

interface PortLife {
  readonly onTrouble: (reason: string) => void;
  readonly onOpened: () => void;
}

/** The key was right: it is a node of ours, of another time. */
function versionText({ from, version }: { readonly from: number; readonly version: number }): string {
  const own = `this node ${WIRE_VERSION}`;
  if (version === WIRE_VERSION)
    return `node ${from} sends a kind of packet that this node does not know: update this one`;
  return `node ${from} speaks version ${version}, ${own}: update the older one`;
}

interface Ends {
  readonly self: NodeEntry;
  /** The ids of all other nodes. */
  readonly others: readonly number[];
}

/** Whether a packet is heard for the first time; counts it as heard then. */
function createReplayGuard(kind: LinkConfig["kind"]): (packet: Packet) => boolean {
  const windows = new Map<number, ReplayWindow>();
  const wide = new Map<number, WideWindow>();
  return ({ from, generation, sequence }) => {
    if (kind === "serial") {
      const window = acceptAmongMany(wide.get(from) ?? EMPTY_WIDE_WINDOW, generation, sequence);
      if (window !== undefined) wide.set(from, window);
      return window !== undefined;
    }
    const window = acceptSequence(windows.get(from) ?? EMPTY_WINDOW, generation, sequence);
    if (window !== undefined) windows.set(from, window);
    return window !== undefined;
  };
}

/** One link: counts its sequence, judges what comes, and passes on what goes round a ring. */
function createLink(config: LinkConfig, index: number, { self, others }: Ends, signer: Signer, events: LinkEvents) {
  const { name } = config;
  const isNew = createReplayGuard(config.kind);
  const openers = portsOf(config, { self: self.name, filter: packetFilter(others) });
  const isRing = openers.length > 1;
  // What one node is told, all can hear there.
  const isShared = isRing || config.kind === "broadcast" || config.kind === "multicast";
  const ways = createRingWays();
  let sequence = 0;

  function onBytes(bytes: Uint8Array, port: number): void {
    const read = decodePacket(bytes, signer);
    if (read.kind !== "packet") {
      const detail = read.kind === "version" ? versionText(read) : undefined;
      events.onRefused(name, read.kind, detail);
      return;
    }
    const { packet } = read;
    // Our own packets come back from a looped line, a ring or a switch; that is no attack.
    if (packet.from === self.id) return;
    const mine = packet.to === 0 || packet.to === self.id;
    if (packet.link !== index || !(mine || isShared)) {
      events.onRefused(name, "misdirected");
      return;
    }
    if (!isNew(packet)) {
      // Round a ring everything comes twice, from either side.
      if (!isRing) events.onRefused(name, "replayed");
      return;
    }
    if (isRing && packet.kind === "heartbeat") ways.hear(packet.from, port);
    // Each packet is new only once, so it goes round once; a broken ring is still a line. Ours has arrived.
    for (const [other, { transmit }] of ports.entries())
      if (other !== port && packet.to !== self.id) transmit(bytes, packet.kind, undefined, packet.payload);
    if (mine) events.onPacket(name, packet);
  }

  const ports = openers.map((opener, port) =>
    keepOpen(
      opener,
      { onBytes: (bytes) => onBytes(bytes, port), onBroken: () => events.onRefused(name, "noise") },
      { onTrouble: (reason) => events.onTrouble(name, reason), onOpened: () => events.onOpened(name) },
    ),
  );
  return {
    /** To all that the link reaches, or to one; undefined when it has left by one port at least. */
    send(kind: PacketKind, generation: number, payload: Uint8Array, to: NodeEntry | undefined): string | undefined {
      sequence += 1;
      const header = { kind, from: self.id, to: to?.id ?? 0, link: index, generation, sequence };
      const packet = encodePacket(header, payload, signer);
      const only = isRing && kind === "datagram" && to !== undefined ? ways.portFor(to.id, payload) : undefined;
      const chosen = only === undefined ? ports : ports.filter((_port, index) => index === only);
      const failures = chosen.map((port) => port.transmit(packet, kind, to?.name, payload));
      return failures.includes(undefined) ? undefined : failures[0];
    },
    close(): void {
      for (const port of ports) port.close();
    },
  };
}

/** A link that does not join this node is none of its own; its place in the configuration still counts. */
export function openLinks(config: NodeConfig, self: NodeEntry, signer: Signer, events: LinkEvents): Links {
  const names = config.nodes.map(({ name }) => name);
  const others = config.nodes.flatMap(({ id }) => (id === self.id ? [] : [id]));
  const links = new Map(
    config.links.flatMap((link, index) =>
      joinedNodes(link, names).includes(self.name)
        ? [[link.name, createLink(link, index, { self, others }, signer, events)] as const]
        : [],
    ),
  );
  return {
    send: (link, kind, generation, payload, to) =>
      links.get(link)?.send(kind, generation, payload, to) ?? (links.has(link) ? undefined : "no such link"),
    close() {
      for (const link of links.values()) link.close();
    },
  };
}
