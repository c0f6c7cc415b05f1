/**
 * DRBD as the manager of one node sees it: the state of its resources, when their links were lost, and the answer to
 * its fence-peer handler, which waits here until something is proven. What counts as proven: storage/core/fence-peer.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { MembershipView } from "../../cluster/core/membership/view.ts";
import { type DrbdState, localDisk, peerDisk } from "../../storage/core/drbd-events.ts";
import { decideFencePeer, type PeerWord } from "../../storage/core/fence-peer.ts";
import type { MirrorDoubt } from "../../storage/core/mirror-check.ts";
import { lookAtDrbd, lookAtMirror, outdateDrbd, resumeDrbd } from "../../storage/edge/drbd-tools.ts";
import { type DrbdWatch, watchDrbd } from "../../storage/edge/drbd-watcher.ts";
import type { DrbdStatus, FencePeerAnswer } from "../control-protocol.ts";
import type { Log } from "./log.ts";
import { type MirrorWatch, watchMirrors } from "./mirror-watch.ts";

export interface DrbdDesk {
  /** Begins to watch, once; for nodes whose configuration has DRBD. */
  readonly watch: () => void;
  readonly status: () => readonly DrbdStatus[];
  readonly fencePeer: (resource: string, peer: string | undefined, waitMs: number) => Promise<FencePeerAnswer>;
  /** On behalf of the peer. */
  readonly outdate: (resource: string) => Promise<"outdated" | "primary" | "unknown">;
  readonly noteFenced: (node: string) => void;
  readonly close: () => void;
}

export interface DrbdDeskOptions {
  readonly nowMs: () => number;
  readonly view: () => MembershipView | undefined;
  /** Asks the peer's manager over the cluster's links; bounded by the asker. */
  readonly askPeer: (peer: string, resource: string) => Promise<"outdated" | "primary" | "unknown">;
  readonly log: Log;
  readonly onChange: () => void;
}

/** How often the facts are looked at again while DRBD waits. */
const LOOK_MS = 200;
/** From our answer until the handler has ended and DRBD has taken its exit code, on a busy node. */
const HANDLER_END_MS = 2_000;
/** A living peer's manager answers at once; drbdadm on it may take a second or two. */
const ASK_WAIT_MS = 10_000;
const ASK_PAUSE_MS = 1_000;

function statusOf(state: DrbdState): readonly DrbdStatus[] {
  return Object.values(state).map((resource) => {
    const connection = Object.values(resource.connections)[0];
    const volumes = Object.values(connection?.volumes ?? {});
    return {
      resource: resource.name,
      role: resource.role,
      disk: localDisk(resource),
      connection: connection?.connection ?? "StandAlone",
      peerRole: connection?.peerRole ?? "Unknown",
      peerDisk: connection === undefined ? "DUnknown" : peerDisk(connection),
      replication: volumes[0]?.replication ?? "Off",
      outOfSyncKib: volumes.reduce((sum, { outOfSyncKib }) => sum + outOfSyncKib, 0),
      isSuspended: resource.suspended !== "no",
    };
  });
}

function withDoubt(status: DrbdStatus, doubt: MirrorDoubt | undefined): DrbdStatus {
  if (doubt === undefined) return status;
  // The figure of the last look: the stream of events does not repeat it.
  const outOfSyncKib = doubt.kind === "out-of-sync" ? doubt.behindKib : status.outOfSyncKib;
  return { ...status, outOfSyncKib, doubt: doubt.kind };
}

export function createDrbdDesk(options: DrbdDeskOptions): DrbdDesk {
  const { nowMs, view, askPeer, log } = options;
  /** When each resource's connection was last established, and when each node's power was last read as off. */
  const connectedAtMs: Record<string, number> = {};
  const offAtMs: Record<string, number> = {};
  let connected: Readonly<Record<string, boolean>> = {};
  let watch: DrbdWatch | undefined;
  let mirrors: MirrorWatch | undefined;
  /**
   * Resources whose handler was answered "unsure": only these wait for us. One whose handler was told that the peer is
   * off goes on by itself; a resume of ours in that same moment would race with it.
   */
  const unsure = new Set<string>();

  const onState = (state: DrbdState | undefined) => {
    const now = Object.fromEntries(
      statusOf(state ?? {}).map(({ resource, connection }) => [resource, connection === "Connected"]),
    );
    for (const [resource, isConnected] of Object.entries(now))
      if (isConnected && connected[resource] !== true) connectedAtMs[resource] = nowMs();
    // While the stream is being opened anew nothing is known; that is no disconnection.
    if (state !== undefined) connected = now;
    options.onChange();
  };

  const peerOf = (peer: string | undefined): string | undefined => {
    const peers = view()?.peers.map(({ name }) => name) ?? [];
    if (peer !== undefined && peers.includes(peer)) return peer;
    return peers.length === 1 ? peers[0] : undefined;
  };

  const decide = async (resource: string, peer: string, word: PeerWord) => {
    const look = await lookAtDrbd(resource);
    const seen = view()?.peers.find(({ name }) => name === peer);
    // A view is told at changes only: what it says of silence grows old, but not whether the peer is heard.
    const isHeard = seen?.phase === "member" || seen?.returned === true;
    const [connection, off] = [connectedAtMs[resource], offAtMs[peer]];
    return decideFencePeer({
      peer,
      localDisk: look.kind === "there" ? localDisk(look.resource) : "DUnknown",
      ...(connection === undefined ? {} : { connectedAtMs: connection }),
      ...(off === undefined ? {} : { powerOffConfirmedAtMs: off }),
      ...(isHeard ? { heardAtMs: nowMs() } : {}),
      hasLeft: seen?.phase === "left",
      word,
    });
  };

  const ask = async (resource: string, peer: string): Promise<PeerWord> => {
    const timer = new AbortController();
    const late = sleep(ASK_WAIT_MS, "unknown" as const, { signal: timer.signal }).catch(() => "unknown" as const);
    const word = await Promise.race([askPeer(peer, resource), late]);
    timer.abort();
    return word === "unknown" ? { kind: "silent" } : { kind: word };
  };

  /**
   * Asks a living peer again and again, beside the waiting: a node that has just died counts as a member until
   * deadtime, and a node that lives may notice the cut of DRBD's link later than we do.
   */
  const listen = (resource: string, peer: string) => {
    let word: PeerWord = { kind: "silent" };
    let askAtMs = 0;
    return {
      word: (): PeerWord => word,
      askAgain() {
        const isMember = view()?.members.includes(peer) === true;
        if (!isMember || word.kind !== "silent" || nowMs() < askAtMs) return;
        askAtMs = nowMs() + ASK_WAIT_MS;
        void ask(resource, peer).then((answer) => {
          word = answer;
          askAtMs = nowMs() + ASK_PAUSE_MS;
        });
      },
    };
  };

  /** A Primary whose handler was told "unsure" in the end: DRBD asks nobody again, and only we know better now. */
  const thaw = async (node: string) => {
    for (const { name, role, suspended } of Object.values(watch?.state() ?? {})) {
      if (role !== "Primary" || suspended !== "fencing" || !unsure.has(name) || peerOf(undefined) !== node) continue;
      const { code, reason } = await decide(name, node, { kind: "silent" });
      if (code !== 7) continue;
      // Another proof of the same off must not resume it a second time.
      if (!unsure.delete(name)) continue;
      const goesOn = await resumeDrbd(name);
      log(goesOn ? "warning" : "error", `I/O of ${name} ${goesOn ? "goes on" : "is still frozen"}: ${reason}`);
    }
  };

  /** What was proven while the handler was ending has found nobody waiting: it is looked at again. */
  const noteUnsure = (resource: string, peer: string) => {
    unsure.add(resource);
    void thaw(peer);
  };

  return {
    watch() {
      watch ??= watchDrbd({ onState });
      mirrors ??= watchMirrors({
        resources: () => Object.keys(watch?.state() ?? {}),
        look: lookAtMirror,
        log,
        onChange: options.onChange,
      });
    },
    status: () => statusOf(watch?.state() ?? {}).map((status) => withDoubt(status, mirrors?.doubt(status.resource))),
    async fencePeer(resource, named, waitMs) {
      const peer = peerOf(named);
      if (peer === undefined) return { exitCode: 1, reason: `${named ?? "the peer"} is no node of this cluster` };
      const endsAtMs = nowMs() + waitMs;
      log("warning", `DRBD has lost ${peer} for ${resource} and asks what is proven`);
      unsure.delete(resource);
      const heard = listen(resource, peer);
      for (;;) {
        heard.askAgain();
        const { code, reason, settled } = await decide(resource, peer, heard.word());
        if (code !== 1 || settled || nowMs() >= endsAtMs) {
          if (code === 1) void sleep(HANDLER_END_MS).then(() => noteUnsure(resource, peer));
          log(code === 1 ? "error" : "warning", `DRBD is answered ${code} for ${resource}: ${reason}`);
          return { exitCode: code, reason };
        }
        await sleep(LOOK_MS);
      }
    },
    outdate: outdateDrbd,
    noteFenced(node) {
      offAtMs[node] = nowMs();
      void thaw(node);
    },
    close() {
      watch?.close();
      mirrors?.close();
    },
  };
}
