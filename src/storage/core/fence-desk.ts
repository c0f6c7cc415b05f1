/**
 * Where DRBD's fence-peer handlers wait until something is proven: each is answered as soon as fence-peer.ts can tell,
 * and at the latest when its time is over; a Primary that had to be told "unsure" is let go on when the proof comes
 * after all. Pure: what DRBD and the peer's manager say are events, questions to them are effects.
 */
import { earliest } from "../../base/earliest.ts";
import { entryOf, setEntry } from "../../base/record.ts";
import type { Stepped } from "../../base/step.ts";
import { decideFencePeer, type FencePeerCode, type PeerWord } from "./fence-peer.ts";

/** What membership tells of a peer. */
export interface PeerSight {
  readonly name: string;
  readonly phase: "awaited" | "member" | "lost" | "left";
  /** Lost, and heard again. */
  readonly returned: boolean;
  /** No link hears it in time, though it may still count as a member. */
  readonly isQuiet?: boolean;
}

/** What the kernel tells of a resource. */
export interface ResourceSight {
  readonly name: string;
  readonly isPrimary: boolean;
  readonly isConnected: boolean;
  /** Our disk is UpToDate. */
  readonly isUpToDate: boolean;
  /** I/O stands still until the fencing of the peer is known. */
  readonly isFrozen: boolean;
}

/**
 * Whether what this node writes waits for a peer: no; perhaps, for nobody hears the peer and DRBD has not given it up;
 * or I/O is frozen until the peer is proven to be off.
 */
export type DiskWait = "none" | "silent" | "frozen";

interface Waiting {
  readonly id: number;
  readonly resource: string;
  readonly peer: string;
  readonly endsAtMs: number;
  /** When the disk is looked at next; undefined while a look is under way. */
  readonly lookAtMs?: number;
  readonly word: PeerWord;
  readonly askAtMs: number;
}

/** A Primary that was told "unsure": DRBD asks nobody again, and only we know better later. */
interface Unsure {
  readonly resource: string;
  readonly peer: string;
  /** Not before DRBD has the handler's answer; undefined once that is so. */
  readonly fromMs?: number;
}

export interface FenceDesk {
  readonly peers: readonly PeerSight[];
  /** As last told, by name. */
  readonly resources: Readonly<Record<string, ResourceSight>>;
  readonly connectedAtMs: Readonly<Record<string, number>>;
  /** When each was last told as connected with our disk UpToDate. */
  readonly currentAtMs: Readonly<Record<string, number>>;
  /** When each node's power was last read as off. */
  readonly offAtMs: Readonly<Record<string, number>>;
  readonly waiting: readonly Waiting[];
  readonly unsure: readonly Unsure[];
  /** As last told. */
  readonly wait: DiskWait;
}

export type FenceDeskEvent =
  | { readonly kind: "peers"; readonly peers: readonly PeerSight[] }
  /** All of them; not while the kernel's stream is being opened anew: that is no disconnection. */
  | { readonly kind: "resources"; readonly resources: readonly ResourceSight[] }
  /** A handler of ours asks; it waits no longer than that. */
  | {
      readonly kind: "fence-peer";
      readonly id: number;
      readonly resource: string;
      readonly peer: string | undefined;
      readonly waitMs: number;
    }
  /** After `look`: the state of our disk as the kernel has it now. */
  | { readonly kind: "looked"; readonly resource: string; readonly disk: string }
  /** After `ask-peer`. */
  | { readonly kind: "word"; readonly id: number; readonly word: "outdated" | "primary" | "unknown" }
  /** Its power was read as off. */
  | { readonly kind: "fenced"; readonly node: string }
  | { readonly kind: "tick" };

export type FenceDeskEffect =
  | { readonly kind: "look"; readonly resource: string }
  | { readonly kind: "ask-peer"; readonly id: number; readonly peer: string; readonly resource: string }
  | {
      readonly kind: "answer";
      readonly id: number;
      readonly resource: string;
      readonly code: FencePeerCode;
      readonly reason: string;
    }
  | { readonly kind: "resume"; readonly resource: string; readonly reason: string }
  | { readonly kind: "wait"; readonly wait: DiskWait };

/** How often the facts are looked at again while DRBD waits. */
const LOOK_MS = 200;
/** From our answer until the handler has ended and DRBD has taken its exit code, on a busy node. */
const HANDLER_END_MS = 2_000;
/** A living peer's manager answers at once; drbdadm on it may take a second or two. */
const ASK_WAIT_MS = 10_000;
const ASK_PAUSE_MS = 1_000;

const SILENT: PeerWord = { kind: "silent" };

export const EMPTY_DESK: FenceDesk = {
  peers: [],
  resources: {},
  connectedAtMs: {},
  currentAtMs: {},
  offAtMs: {},
  waiting: [],
  unsure: [],
  wait: "none",
};

type Step = Stepped<FenceDesk, FenceDeskEffect>;

/** DRBD 8.4 does not name the peer: then it is the only other node. */
function peerOf({ peers }: FenceDesk, named: string | undefined): string | undefined {
  if (named !== undefined && peers.some(({ name }) => name === named)) return named;
  return peers.length === 1 ? peers[0]?.name : undefined;
}

function decide(desk: FenceDesk, resource: string, peer: string, disk: string, word: PeerWord, nowMs: number) {
  const seen = desk.peers.find(({ name }) => name === peer);
  // A view is told at changes only: what it says of silence grows old, but not whether the peer is heard.
  const isHeard = seen?.phase === "member" || seen?.returned === true;
  const [connectedAtMs, powerOffConfirmedAtMs] = [entryOf(desk.connectedAtMs, resource), entryOf(desk.offAtMs, peer)];
  const currentAtMs = entryOf(desk.currentAtMs, resource);
  return decideFencePeer({
    peer,
    localDisk: disk,
    ...(connectedAtMs === undefined ? {} : { connectedAtMs }),
    ...(currentAtMs === undefined ? {} : { currentAtMs }),
    ...(powerOffConfirmedAtMs === undefined ? {} : { powerOffConfirmedAtMs }),
    ...(isHeard ? { heardAtMs: nowMs } : {}),
    hasLeft: seen?.phase === "left",
    word,
  });
}

function takeResources(desk: FenceDesk, told: readonly ResourceSight[], nowMs: number): Step {
  const connectedAtMs = { ...desk.connectedAtMs };
  for (const { name, isConnected } of told)
    if (isConnected && entryOf(desk.resources, name)?.isConnected !== true) setEntry(connectedAtMs, name, nowMs);
  const currentAtMs = { ...desk.currentAtMs };
  for (const { name, isConnected, isUpToDate } of told)
    if (isConnected && isUpToDate) setEntry(currentAtMs, name, nowMs);
  const resources = Object.fromEntries(told.map((resource) => [resource.name, resource]));
  return { state: { ...desk, resources, connectedAtMs, currentAtMs }, effects: [] };
}

type Handler = Extract<FenceDeskEvent, { kind: "fence-peer" }>;

function takeHandler(desk: FenceDesk, { id, resource, peer: named, waitMs }: Handler, nowMs: number): Step {
  const peer = peerOf(desk, named);
  if (peer === undefined) {
    const reason = `${named ?? "the peer"} is no node of this cluster`;
    return { state: desk, effects: [{ kind: "answer", id, resource, code: 1, reason }] };
  }
  const waiting = { id, resource, peer, endsAtMs: nowMs + waitMs, lookAtMs: nowMs, word: SILENT, askAtMs: nowMs };
  const unsure = desk.unsure.filter((one) => one.resource !== resource);
  return { state: { ...desk, waiting: [...desk.waiting, waiting], unsure }, effects: [] };
}

/**
 * Looks whatever is due. A living peer's manager is asked again and again beside it: a node that has just died counts
 * as a member until deadtime, and one that lives may notice the cut of DRBD's link later than we do.
 */
function lookWhenDue(desk: FenceDesk, nowMs: number): Step {
  const effects: FenceDeskEffect[] = [];
  const looks = new Set<string>();
  const waiting = desk.waiting.map((one): Waiting => {
    if (one.lookAtMs === undefined || nowMs < one.lookAtMs) return one;
    looks.add(one.resource);
    const { lookAtMs: _, ...rest } = one;
    const isMember = desk.peers.some(({ name, phase }) => name === one.peer && phase === "member");
    if (!isMember || one.word.kind !== "silent" || nowMs < one.askAtMs) return rest;
    effects.push({ kind: "ask-peer", id: one.id, peer: one.peer, resource: one.resource });
    return { ...rest, askAtMs: nowMs + ASK_WAIT_MS + ASK_PAUSE_MS };
  });
  const unsure = desk.unsure.map((one): Unsure => {
    if (one.fromMs === undefined || nowMs < one.fromMs) return one;
    // What was proven while the handler was ending has found nobody waiting: it is looked at again.
    looks.add(one.resource);
    return { resource: one.resource, peer: one.peer };
  });
  for (const resource of looks) effects.push({ kind: "look", resource });
  return { state: { ...desk, waiting, unsure }, effects };
}

function answerWaiting(desk: FenceDesk, resource: string, disk: string, nowMs: number): Step {
  const effects: FenceDeskEffect[] = [];
  const waiting: Waiting[] = [];
  const unsure = [...desk.unsure];
  for (const one of desk.waiting) {
    if (one.resource !== resource || one.lookAtMs !== undefined) {
      waiting.push(one);
      continue;
    }
    const { code, reason, settled } = decide(desk, resource, one.peer, disk, one.word, nowMs);
    if (code === 1 && !settled && nowMs < one.endsAtMs) {
      waiting.push({ ...one, lookAtMs: nowMs + LOOK_MS });
      continue;
    }
    if (code === 1) unsure.push({ resource, peer: one.peer, fromMs: nowMs + HANDLER_END_MS });
    effects.push({ kind: "answer", id: one.id, resource, code, reason });
  }
  return { state: { ...desk, waiting, unsure }, effects };
}

/**
 * Only who was told "unsure" waits for us: one whose handler was told that the peer is off goes on by itself, and a
 * resume of ours in that same moment would race with it. Another proof of the same off resumes nobody a second time.
 */
function thaw(desk: FenceDesk, resource: string, disk: string, nowMs: number): Step {
  const sight = entryOf(desk.resources, resource);
  const one = desk.unsure.find((other) => other.resource === resource && other.fromMs === undefined);
  if (one === undefined || sight?.isPrimary !== true || !sight.isFrozen) return { state: desk, effects: [] };
  const { code, reason } = decide(desk, resource, one.peer, disk, SILENT, nowMs);
  if (code !== 7) return { state: desk, effects: [] };
  const unsure = desk.unsure.filter((other) => other !== one);
  return { state: { ...desk, unsure }, effects: [{ kind: "resume", resource, reason }] };
}

function takeFenced(desk: FenceDesk, node: string, nowMs: number): Step {
  const looks = desk.unsure.filter(({ peer, fromMs }) => peer === node && fromMs === undefined);
  return {
    state: { ...desk, offAtMs: { ...desk.offAtMs, [node]: nowMs } },
    effects: looks.map(({ resource }) => ({ kind: "look", resource })),
  };
}

function takeWord(desk: FenceDesk, id: number, word: "outdated" | "primary" | "unknown", nowMs: number): FenceDesk {
  const waiting = desk.waiting.map(
    (one): Waiting =>
      one.id === id
        ? { ...one, word: word === "unknown" ? SILENT : { kind: word }, askAtMs: nowMs + ASK_PAUSE_MS }
        : one,
  );
  return { ...desk, waiting };
}

function takeEvent(desk: FenceDesk, event: FenceDeskEvent, nowMs: number): Step {
  switch (event.kind) {
    case "peers":
      return { state: { ...desk, peers: event.peers }, effects: [] };
    case "resources":
      return takeResources(desk, event.resources, nowMs);
    case "fence-peer":
      return takeHandler(desk, event, nowMs);
    case "looked": {
      const answered = answerWaiting(desk, event.resource, event.disk, nowMs);
      const thawed = thaw(answered.state, event.resource, event.disk, nowMs);
      return { state: thawed.state, effects: [...answered.effects, ...thawed.effects] };
    }
    case "word":
      return { state: takeWord(desk, event.id, event.word, nowMs), effects: [] };
    case "fenced":
      return takeFenced(desk, event.node, nowMs);
    case "tick":
      return { state: desk, effects: [] };
    default:
      return event satisfies never;
  }
}

function diskWaitOf({ resources, waiting, peers }: FenceDesk): DiskWait {
  const written = Object.values(resources).filter(({ isPrimary }) => isPrimary);
  if (written.some(({ name, isFrozen }) => isFrozen || waiting.some(({ resource }) => resource === name)))
    return "frozen";
  const isSilent = peers.some(({ phase, isQuiet }) => phase === "lost" || (phase === "member" && isQuiet === true));
  return isSilent && written.some(({ isConnected }) => isConnected) ? "silent" : "none";
}

function tellWait(desk: FenceDesk): Step {
  const wait = diskWaitOf(desk);
  return wait === desk.wait
    ? { state: desk, effects: [] }
    : { state: { ...desk, wait }, effects: [{ kind: "wait", wait }] };
}

export function stepFenceDesk(desk: FenceDesk, event: FenceDeskEvent, nowMs: number): Step {
  const taken = takeEvent(desk, event, nowMs);
  const looked = lookWhenDue(taken.state, nowMs);
  const told = tellWait(looked.state);
  return { state: told.state, effects: [...taken.effects, ...looked.effects, ...told.effects] };
}

/** Whether a disk of ours that is Consistent only holds the newest data all the same. */
export function isProvenCurrent(desk: FenceDesk, resource: string, nowMs: number): boolean {
  const peer = peerOf(desk, undefined);
  return peer !== undefined && decide(desk, resource, peer, "Consistent", SILENT, nowMs).code === 7;
}

/** When the desk next wants a tick. */
export function fenceDeskWakeAtMs({ waiting, unsure }: FenceDesk): number | undefined {
  let wakeMs: number | undefined;
  for (const { lookAtMs } of waiting) wakeMs = earliest(wakeMs, lookAtMs);
  for (const { fromMs } of unsure) wakeMs = earliest(wakeMs, fromMs);
  return wakeMs;
}
