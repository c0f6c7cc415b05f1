/**
 * DRBD as the manager of one node sees it: joins the desk where its fence-peer handlers wait (storage/core/fence-desk)
 * to DRBD's event stream, its tools and the peer's manager. It holds no rule.
 */
import type { MembershipView } from "../../cluster/core/membership/view.ts";
import { type DrbdState, localDisk, peerDisk } from "../../storage/core/drbd-events.ts";
import {
  type DiskWait,
  EMPTY_DESK,
  type FenceDesk,
  type FenceDeskEffect,
  type FenceDeskEvent,
  fenceDeskWakeAtMs,
  isProvenCurrent,
  type PeerSight,
  type ResourceSight,
  stepFenceDesk,
} from "../../storage/core/fence-desk.ts";
import { isWhole, type MirrorDoubt } from "../../storage/core/mirror-check.ts";
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
  /** Membership has changed, or what the links hear. */
  readonly noteView: () => void;
  /** See AgentCall.isDrbdCurrent. */
  readonly isCurrent: (resource: string) => boolean;
  readonly close: () => void;
}

export interface DrbdDeskOptions {
  readonly nowMs: () => number;
  readonly view: () => MembershipView | undefined;
  /** Asks the peer's manager over the cluster's links; bounded by the asker. */
  readonly askPeer: (peer: string, resource: string) => Promise<"outdated" | "primary" | "unknown">;
  readonly log: Log;
  readonly onChange: () => void;
  /** Told at changes. */
  readonly onWait: (wait: DiskWait) => void;
}

/** Peers as membership tells them, and whether any link hears them in time. */
function peersOf({ peers, links }: MembershipView): readonly PeerSight[] {
  return peers.map((peer) => {
    const ways = links.filter((link) => link.peer === peer.name);
    return { ...peer, isQuiet: ways.length > 0 && ways.every(({ state }) => state !== "up") };
  });
}

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

function sightsOf(state: DrbdState): readonly ResourceSight[] {
  return Object.values(state).map((resource) => ({
    name: resource.name,
    isPrimary: resource.role === "Primary",
    isConnected: Object.values(resource.connections)[0]?.connection === "Connected",
    isUpToDate: localDisk(resource) === "UpToDate",
    isFrozen: resource.suspended === "fencing",
  }));
}

export function createDrbdDesk(options: DrbdDeskOptions): DrbdDesk {
  const { nowMs, view, askPeer, log } = options;
  let desk: FenceDesk = EMPTY_DESK;
  let watch: DrbdWatch | undefined;
  let mirrors: MirrorWatch | undefined;
  let timer: NodeJS.Timeout | undefined;
  let nextId = 1;
  let whole: readonly string[] = [];
  const answers = new Map<number, (answer: FencePeerAnswer) => void>();

  function take(event: FenceDeskEvent): void {
    const stepped = stepFenceDesk(desk, event, nowMs());
    desk = stepped.state;
    for (const effect of stepped.effects) perform(effect);
  }

  function step(event: FenceDeskEvent): void {
    const seen = view();
    take({ kind: "peers", peers: seen === undefined ? [] : peersOf(seen) });
    take(event);
    clearTimeout(timer);
    const wakeMs = fenceDeskWakeAtMs(desk);
    if (wakeMs !== undefined)
      timer = setTimeout(() => step({ kind: "tick" }), Math.max(1, Math.ceil(wakeMs - nowMs())));
  }

  function perform(effect: FenceDeskEffect): void {
    switch (effect.kind) {
      case "look":
        void lookAtDrbd(effect.resource).then((look) => {
          const disk = look.kind === "there" ? localDisk(look.resource) : "DUnknown";
          step({ kind: "looked", resource: effect.resource, disk });
        });
        break;
      case "ask-peer":
        void askPeer(effect.peer, effect.resource).then((word) => step({ kind: "word", id: effect.id, word }));
        break;
      case "answer": {
        const { id, resource, code, reason } = effect;
        log(code === 1 ? "error" : "warning", `DRBD is answered ${code} for ${resource}: ${reason}`);
        answers.get(id)?.({ exitCode: code, reason });
        answers.delete(id);
        break;
      }
      case "resume":
        void resume(effect.resource, effect.reason);
        break;
      case "wait":
        options.onWait(effect.wait);
        break;
      default:
        effect satisfies never;
    }
  }

  async function resume(resource: string, reason: string): Promise<void> {
    const goesOn = await resumeDrbd(resource);
    log(goesOn ? "warning" : "error", `I/O of ${resource} ${goesOn ? "goes on" : "is still frozen"}: ${reason}`);
  }

  const onState = (state: DrbdState | undefined) => {
    if (state !== undefined) step({ kind: "resources", resources: sightsOf(state) });
    const wholeNow = Object.values(state ?? {})
      .filter(isWhole)
      .map(({ name }) => name);
    if (wholeNow.some((name) => !whole.includes(name))) mirrors?.lookSoon();
    whole = wholeNow;
    options.onChange();
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
    fencePeer(resource, peer, waitMs) {
      log("warning", `DRBD has lost ${peer ?? "its peer"} for ${resource} and asks what is proven`);
      const id = nextId;
      nextId += 1;
      return new Promise((resolve) => {
        answers.set(id, resolve);
        step({ kind: "fence-peer", id, resource, peer, waitMs });
      });
    },
    outdate: outdateDrbd,
    noteFenced(node) {
      step({ kind: "fenced", node });
      // It may be what was missing for a promotion.
      options.onChange();
    },
    noteView: () => step({ kind: "tick" }),
    isCurrent(resource) {
      step({ kind: "tick" });
      return isProvenCurrent(desk, resource, nowMs());
    },
    close() {
      clearTimeout(timer);
      watch?.close();
      mirrors?.close();
    },
  };
}
