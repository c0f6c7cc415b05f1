/**
 * The other end of the poison pill: a node that reads its own mailbox on each disk, and ends itself when told to, or
 * when it can no longer read a majority of the disks, because then it would not hear that it was told. Pure.
 * A peer counts on it: when its kill has stood for msgwait it takes this node for dead.
 * Whoever feeds the watchdog runs this, so that a node that hangs is ended, too.
 */
import type { Stepped } from "../../base/step.ts";
import { majorityOf } from "../../hw/core/poison/disks.ts";
import { isKill, type Mailbox, type PoisonHeader } from "../../hw/core/poison/format.ts";

interface WatchedDisk {
  readonly path: string;
  /** When the last read that succeeded was begun: nothing written later is known. */
  readonly readAtMs: number;
  /** When the access that runs was begun; undefined: none runs. */
  readonly busySinceMs: number | undefined;
  readonly failure: string | undefined;
}

export interface PoisonWatchState {
  readonly disks: readonly WatchedDisk[];
  readonly loopMs: number;
  /** So long without a majority of reads is too long. */
  readonly staleMs: number;
  readonly nextReadAtMs: number;
  readonly isOver: boolean;
}

export type PoisonWatchEvent =
  | { readonly kind: "read"; readonly disk: number; readonly mailbox: Mailbox }
  | { readonly kind: "cleared"; readonly disk: number }
  | { readonly kind: "failed"; readonly disk: number; readonly reason: string }
  | { readonly kind: "tick" };

export type PoisonWatchEffect =
  | { readonly kind: "read"; readonly disk: number }
  /** Only ever for a message that does not kill. */
  | { readonly kind: "clear"; readonly disk: number }
  | { readonly kind: "end-machine"; readonly how: "reset" | "off"; readonly reason: string }
  /** Somebody asks this node to stop in order. */
  | { readonly kind: "leave"; readonly reason: string }
  | { readonly kind: "log"; readonly severity: "info" | "error"; readonly text: string };

/** What the disks promise about a node that is told to end, in the words of their headers. */
export function strictest(headers: readonly PoisonHeader[]): { readonly loopMs: number; readonly watchdogMs: number } {
  return {
    loopMs: Math.min(...headers.map(({ loopMs }) => loopMs)),
    watchdogMs: Math.min(...headers.map(({ watchdogMs }) => watchdogMs)),
  };
}

/**
 * Why a node with this watchdog may not promise to die in time, or undefined. It notices a lost majority after one
 * watchdogMs at the latest; a watchdog that is not fed then needs its own time.
 */
export function objectToPromise(headers: readonly PoisonHeader[], watchdogTimeoutMs: number): string | undefined {
  const { watchdogMs } = strictest(headers);
  if (watchdogTimeoutMs <= watchdogMs) return undefined;
  const [promised, own] = [watchdogMs / 1_000, watchdogTimeoutMs / 1_000];
  return `the fencing disks promise an end within ${promised} s, the watchdog takes ${own} s: make one fit the other`;
}

/** All disks were read, and their mailboxes cleared, at `nowMs`. */
export function createPoisonWatch(
  paths: readonly string[],
  headers: readonly PoisonHeader[],
  nowMs: number,
): PoisonWatchState {
  const { loopMs, watchdogMs } = strictest(headers);
  const disks = paths.map((path) => ({ path, readAtMs: nowMs, busySinceMs: undefined, failure: undefined }));
  return { disks, loopMs, staleMs: watchdogMs, nextReadAtMs: nowMs, isOver: false };
}

/** When so many disks as make a majority were last read. */
function majorityReadAtMs({ disks }: PoisonWatchState): number {
  const readAtMs = disks.map((disk) => disk.readAtMs).toSorted((left, right) => right - left);
  return readAtMs[majorityOf(disks.length) - 1] ?? 0;
}

/** When the watch next wants a `tick`. */
export function poisonWakeAtMs(state: PoisonWatchState): number | undefined {
  return state.isOver ? undefined : Math.min(state.nextReadAtMs, majorityReadAtMs(state) + state.staleMs);
}

function change(state: PoisonWatchState, at: number, to: Partial<WatchedDisk>): PoisonWatchState {
  return { ...state, disks: state.disks.map((disk, index) => (index === at ? { ...disk, ...to } : disk)) };
}

/** What a message that does not kill, or kills, is followed by. */
function obey(disk: number, { command, from }: Mailbox, path: string): readonly PoisonWatchEffect[] {
  const reason = `${from === "" ? "somebody" : from} has written ${command} on ${path}`;
  if (command === "clear") return [];
  if (isKill(command)) return [{ kind: "end-machine", how: command === "off" ? "off" : "reset", reason }];
  if (command === "exit") {
    return [
      { kind: "clear", disk },
      { kind: "leave", reason },
    ];
  }
  return [
    { kind: "clear", disk },
    { kind: "log", severity: "info", text: `${reason}: the mailbox is read here` },
  ];
}

/** One step; `nowMs` is monotonic. */
export function stepPoisonWatch(
  state: PoisonWatchState,
  event: PoisonWatchEvent,
  nowMs: number,
): Stepped<PoisonWatchState, PoisonWatchEffect> {
  if (state.isOver) return { state, effects: [] };
  const effects: PoisonWatchEffect[] = [];
  let next = state;
  if (event.kind !== "tick") {
    const disk = state.disks[event.disk];
    if (disk === undefined) return { state, effects };
    const idle = { busySinceMs: undefined };
    if (event.kind === "read") {
      next = change(state, event.disk, { ...idle, readAtMs: disk.busySinceMs ?? disk.readAtMs, failure: undefined });
      effects.push(...obey(event.disk, event.mailbox, disk.path));
      if (disk.failure !== undefined)
        effects.push({ kind: "log", severity: "info", text: `${disk.path} can be read again` });
    } else if (event.kind === "cleared") next = change(state, event.disk, idle);
    else {
      next = change(state, event.disk, { ...idle, failure: event.reason });
      if (disk.failure === undefined) effects.push({ kind: "log", severity: "error", text: event.reason });
    }
  }
  if (nowMs - majorityReadAtMs(next) >= next.staleMs) {
    const failures = next.disks.map(({ path, failure }) => failure ?? `${path} does not answer`).join("; ");
    const reason = `no majority of the fencing disks was read for ${next.staleMs} ms: ${failures}`;
    effects.push({ kind: "end-machine", how: "reset", reason });
  }
  if (effects.some(({ kind }) => kind === "end-machine")) return { state: { ...next, isOver: true }, effects };
  // An access that clears is one of its disk's accesses, too.
  for (const effect of effects) if (effect.kind === "clear") next = change(next, effect.disk, { busySinceMs: nowMs });
  if (nowMs >= next.nextReadAtMs) {
    next.disks.forEach(({ busySinceMs }, disk) => {
      if (busySinceMs !== undefined) return;
      next = change(next, disk, { busySinceMs: nowMs });
      effects.push({ kind: "read", disk });
    });
    next = { ...next, nextReadAtMs: nowMs + next.loopMs };
  }
  return { state: next, effects };
}
