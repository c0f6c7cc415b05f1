/**
 * Which datagrams of the managers a keeper passes on, and by which links it sends them.
 * A peer that is lost or has left has no say, nor has another start of it than the one that is heard.
 */
import { entryOf } from "../../../base/record.ts";
import type { MembershipState, PeerState } from "./state.ts";
import type { MembershipView } from "./view.ts";

/** The name of the peer whose manager may be heard; undefined when the datagram is to be dropped. */
export function admitsDatagram(state: MembershipState, from: number, generation: number): string | undefined {
  const peer = state.peers.find(({ id }) => id === from);
  if (peer === undefined || peer.generation !== generation || generation <= peer.refusedGeneration) return undefined;
  return peer.phase === "member" || peer.phase === "awaited" ? peer.name : undefined;
}

export interface DatagramRoute {
  readonly link: string;
  readonly peer: string;
  readonly id: number;
}

type Link = MembershipState["config"]["links"][number];

/** That is not down; where all are, whatever the peer was heard on since: a link that heals is better than none. */
function openLinks(config: MembershipState["config"], { links }: PeerState): readonly Link[] {
  const isUp = ({ name }: Link) => (entryOf(links, name)?.state ?? "down") !== "down";
  if (config.links.every(isUp)) return config.links;
  const open = config.links.filter(isUp);
  return open.length > 0 ? open : config.links.filter(({ name }) => (entryOf(links, name)?.goodBeats ?? 0) > 0);
}

/** To a peer by name, or to all members with `*`: by every network link that is open, else by serial lines. */
export function datagramRoutes({ config, peers }: MembershipState, to: string): readonly DatagramRoute[] {
  const routes: DatagramRoute[] = [];
  for (const peer of peers) {
    if (to === "*" ? peer.phase !== "member" : peer.name !== to) continue;
    const open = openLinks(config, peer);
    const isFast = open.some(({ kind }) => kind !== "serial");
    for (const { name, kind } of open)
      if (!isFast || kind !== "serial") routes.push({ link: name, peer: peer.name, id: peer.id });
  }
  return routes;
}

/** The peers to which datagrams go by serial lines alone, as the manager sees them. */
export function slowPeers({ links }: MembershipView): readonly string[] {
  const open = links.filter(({ state }) => state !== "down");
  const onSerial = new Set(open.flatMap(({ kind, peer }) => (kind === "serial" ? [peer] : [])));
  for (const { kind, peer } of open) if (kind !== "serial") onSerial.delete(peer);
  return [...onSerial];
}
