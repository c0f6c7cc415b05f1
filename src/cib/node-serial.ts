/**
 * What a serial line can carry. Heartbeats take their share of it; and one message of the managers takes the line for
 * as long as its bytes need, in which no heartbeat leaves. So two heartbeats may come so far apart:
 *     keepalive + hops x (a message + the heartbeats that are sent on the line)
 * One hop for a cable; round a ring that is broken, each node that passes a heartbeat on may have begun a message.
 */
import type { Report } from "./node-checks.ts";
import { joinedNodes, type LinkConfig, onNode } from "./node-links.ts";

/**
 * The longest heartbeat among so many nodes on a serial line: header 20, seal 28 at most, flags and times 17, a
 * promise to end without quorum 5, an opinion of 10 on each other node; frame, checksum and escapes 8. A test holds
 * this against the real encoder.
 */
export const serialHeartbeatBytes = (nodes: number, promises = false): number =>
  20 + 28 + 17 + (promises ? 5 : 0) + 10 * (nodes - 1) + 8;

/** A piece of 1200 bytes with its header 20; header 20, seal 28; frame, checksum and escapes. */
export const SERIAL_MESSAGE_BYTES = 1290;

/** Start bit, 8 data bits, stop bit. */
const BITS_PER_BYTE = 10;
/** What heartbeats may take of a line: the rest is for the managers, who may have no other way. */
const SHARE_MAX = 0.7;

/** What goes over a line: heartbeats how often, and whether with a promise; and when silence means death. */
export interface LineUse {
  readonly keepaliveMs: number;
  readonly deadtimeMs: number;
  readonly promises: boolean;
}

type Serial = LinkConfig & { readonly kind: "serial" };

/** How long a line is taken by one round of heartbeats: a node of a ring sends its own and passes on all others. */
function beatsTakeMs(link: Serial, nodes: readonly string[], promises: boolean): number {
  const joined = joinedNodes(link, nodes).length;
  const sent = joined > 2 ? joined - 1 : 1;
  return (sent * serialHeartbeatBytes(nodes.length, promises) * BITS_PER_BYTE * 1000) / link.baud;
}

const messageTakesMs = ({ baud }: Serial): number => (SERIAL_MESSAGE_BYTES * BITS_PER_BYTE * 1000) / baud;

/** How far two heartbeats may come apart while the managers talk over the line. */
function gapMs(link: Serial, nodes: readonly string[], { keepaliveMs, promises }: LineUse): number {
  const hops = Math.max(1, joinedNodes(link, nodes).length - 1);
  return keepaliveMs + hops * (messageTakesMs(link) + beatsTakeMs(link, nodes, promises));
}

/** Serial lines by which a living node may seem dead; for those who look while all is well. */
export function slowLines(links: readonly LinkConfig[], nodes: readonly string[], use: LineUse) {
  return links.flatMap((link) => {
    if (link.kind !== "serial") return [];
    const apartMs = Math.ceil(gapMs(link, nodes, use));
    return apartMs < use.deadtimeMs ? [] : [{ name: link.name, baud: link.baud, apartMs }];
  });
}

/** A cable has two ends; what joins more nodes is a ring, and each of them needs its two ports in it. */
export function checkSerial(
  link: LinkConfig,
  line: number,
  nodes: readonly string[],
  use: LineUse,
  report: Report,
): void {
  if (link.kind !== "serial") return;
  const { name, baud } = link;
  const { keepaliveMs, deadtimeMs, promises } = use;
  const takesMs = beatsTakeMs(link, nodes, promises);
  if (takesMs > SHARE_MAX * keepaliveMs)
    report(
      line,
      `heartbeats take ${Math.ceil(takesMs)}ms of ${name} at ${baud} baud, keepalive is ${keepaliveMs}ms`,
      `write keepalive ${Math.ceil(takesMs / SHARE_MAX / 10) * 10}ms or more, or a higher baud`,
    );
  // Of times that contradict each other that is told, and nothing that follows from them.
  for (const { apartMs } of deadtimeMs > 2 * keepaliveMs ? slowLines([link], nodes, use) : [])
    report(
      line,
      `a message takes ${Math.ceil(messageTakesMs(link))}ms of ${name} at ${baud} baud, and heartbeats over it may ` +
        `come ${apartMs}ms apart; deadtime is ${deadtimeMs}ms: over this link alone a living node may be taken for ` +
        "dead",
      `write deadtime ${Math.ceil(apartMs / 100) * 100 + 100}ms or more, or a higher baud`,
      "warning",
    );
  const joined = joinedNodes(link, nodes);
  if (joined.length <= 2) return;
  for (const node of joined.filter((other) => onNode(link.devices, other)?.length !== 2))
    report(
      line,
      `the serial link ${name} joins ${joined.length} nodes, and ${node} has one port in it`,
      `write ${node}=PATH,PATH to make it a ring, or name two nodes only`,
    );
}
