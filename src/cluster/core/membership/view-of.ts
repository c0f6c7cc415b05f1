/** The state of membership as the manager and whoever looks are told it. */
import type { KeeperReport } from "../keeper/report.ts";
import { heardPercent } from "./link-history.ts";
import { elapsedMs } from "./peer-clock.ts";
import { isQuorate, tieHold } from "./quorum.ts";
import { waitMsFor } from "./silent-end.ts";
import type { MembershipState, PeerState } from "./state.ts";
import type { MembershipView, PromiseView } from "./view.ts";

function promiseOf({ heartbeat, quiet }: PeerState, votes: number): PromiseView | undefined {
  // One that takes its majority of another number of nodes promises nothing that we could count on.
  if (heartbeat?.promise?.votes !== votes) return undefined;
  const { endsWithinMs } = heartbeat.promise;
  const endedAfterMs = quiet?.endedAfterMs;
  const waitMs = waitMsFor(endsWithinMs);
  return {
    endsWithinMs,
    waitMs,
    isQuiet: quiet !== undefined,
    ...(endedAfterMs === undefined ? {} : { endedAfterMs }),
  };
}

/** What the manager is told. */
export function viewOf(state: MembershipState, nowMs: number): MembershipView {
  const { config, members, epoch } = state;
  const joined = state.peers.filter(({ phase }) => phase === "member");
  const dissenting = joined.filter(({ heartbeat }) => heartbeat?.members !== members || heartbeat.epoch !== epoch);
  const hold = state.hold?.reason ?? tieHold(state);
  const kindOf = (link: string) => config.links.find(({ name }) => name === link)?.kind ?? "udp";
  return {
    self: config.self,
    generation: state.generation,
    epoch,
    members: [config.self, ...joined.map(({ name }) => name)].toSorted(),
    agreed: dissenting.length === 0,
    ...(dissenting.length === 0 ? {} : { dissenting: dissenting.map(({ name }) => name) }),
    ...(state.reachable === undefined ? {} : { reachable: state.reachable }),
    peers: state.peers.map((peer) => {
      const { name, phase, generation, heardAtMs, returned, heartbeat } = peer;
      const promise = config.lease === undefined ? undefined : promiseOf(peer, config.nodes.length);
      return {
        name,
        phase,
        generation,
        returned,
        ...(phase === "member" && heartbeat?.reachable !== undefined ? { reachable: heartbeat.reachable } : {}),
        ...(heardAtMs === undefined ? {} : { silentMs: Math.round(nowMs - heardAtMs) }),
        ...(promise === undefined ? {} : { promise }),
      };
    }),
    links: state.peers.flatMap(({ name: peer, links }) =>
      Object.entries(links).map(([name, link]) => ({ name, kind: kindOf(name), peer, state: link.state })),
    ),
    settled: state.settled,
    quorate: isQuorate(state),
    ...(hold === undefined ? {} : { hold }),
  };
}

/** How good each link was lately, for those who look. */
export function qualityOf(
  { config, peers }: MembershipState,
  nowMs: number,
): Pick<KeeperReport, "links" | "keepaliveMs" | "deadtimeMs"> {
  const { keepaliveMs, deadtimeMs } = config;
  const links = peers.flatMap(({ name: peer, links: ofPeer }) => {
    const known = Object.values(ofPeer).filter(({ history }) => history.known > 0);
    const newest = known.map(({ history }) => history.newestBeat);
    const newestBeat = newest.reduce((last, beat) => (elapsedMs(last, beat) > 0 ? beat : last), newest[0] ?? 0);
    return Object.entries(ofPeer).map(([name, { state, history }]) => {
      const percent = heardPercent(history, newestBeat);
      return {
        name,
        peer,
        state,
        ...(percent === undefined ? {} : { heardPercent: percent }),
        changes: history.changes.map(({ state: to, atMs }) => ({ state: to, agoMs: Math.round(nowMs - atMs) })),
      };
    });
  });
  return { links, keepaliveMs, deadtimeMs };
}
