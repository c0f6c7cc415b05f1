/**
 * The shared disk as tie-breaker: while this node seeks it, the lock of sfex on that disk, taken, renewed and given
 * back. The protocol is storage/core/sfex-lease.ts; this joins it to the disk. Who loses the lock has no quorum from
 * then on: the lease ends by our own clock before anybody else may take it.
 */
import { printSfexLock, readSfexControl, readSfexLock } from "../../hw/core/sfex/record.ts";
import { type BlockDevice, openBlockDevice } from "../../hw/edge/block-device.ts";
import {
  createSfexLease,
  type SfexEffect,
  type SfexEvent,
  sfexWakeAtMs,
  stepSfexLease,
  TIE_LOCK_RETRY_MS,
  TIE_LOCK_TIMES,
} from "../../storage/core/sfex-lease.ts";
import type { Log } from "./log.ts";

export interface TieLock {
  /** Told at each step; only a change does something. */
  seek(wanted: boolean): void;
  /** Why the lock could not be taken if the cluster parted now; undefined while nothing speaks against it. */
  trouble(): string | undefined;
  close(): void;
}

const LOCK_INDEX = 1;
/** A disk that is gone, or was never made a lock disk, must be known before the cluster parts. */
const LOOK_EVERY_MS = 60_000;

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function openLockDisk(path: string): Promise<BlockDevice> {
  const disk = await openBlockDevice(path);
  const control = readSfexControl(await disk.read(0), disk.sectorBytes);
  if (control.kind !== "damaged") return disk;
  await disk.close();
  throw new Error(`${path}: ${control.reason}`);
}

export function createTieLock(path: string, node: string, log: Log, onHeld: (held: boolean) => void): TieLock {
  let lease = createSfexLease(node, TIE_LOCK_TIMES);
  let disk: BlockDevice | undefined;
  let timer: NodeJS.Timeout | undefined;
  let wanted = false;
  let trouble = "";
  let unready: string | undefined;
  let isLooking = false;
  const looking = setInterval(() => void look(), LOOK_EVERY_MS);

  function noteLook(reason: string | undefined): void {
    if (reason !== undefined && reason !== unready)
      log.say("error", `tie-breaker: ${reason}: if the cluster parted now, no half would have quorum`);
    if (reason === undefined && unready !== undefined) log.say("notice", `tie-breaker: ${path} can be read again`);
    unready = reason;
  }

  /** Reads, and writes nothing; whoever has the disk or wants it finds out by himself. */
  async function look(): Promise<void> {
    if (isLooking) noteLook(`${path} does not answer`);
    if (isLooking || wanted) return;
    isLooking = true;
    try {
      const seen = await openLockDisk(path);
      await seen.read(LOCK_INDEX);
      await seen.close();
      noteLook(undefined);
    } catch (error) {
      noteLook(reasonOf(error));
    }
    isLooking = false;
  }
  void look();

  function step(event: SfexEvent): void {
    const stepped = stepSfexLease(lease, event, performance.now());
    lease = stepped.state;
    for (const effect of stepped.effects) perform(effect);
    const wakeAtMs = sfexWakeAtMs(lease);
    if (wakeAtMs === undefined) return;
    clearTimeout(timer);
    timer = setTimeout(step, Math.max(0, Math.ceil(wakeAtMs - performance.now())), { kind: "tick" });
  }

  const failed = (error: unknown) => step({ kind: "disk-failed", reason: reasonOf(error) });

  function perform(effect: SfexEffect): void {
    switch (effect.kind) {
      case "read":
        disk?.read(LOCK_INDEX).then((bytes) => step({ kind: "read", result: readSfexLock(bytes) }), failed);
        return;
      case "write":
        disk
          ?.write(LOCK_INDEX, printSfexLock(effect.lock, disk.sectorBytes))
          .then(() => step({ kind: "wrote" }), failed);
        return;
      case "acquired":
        log.say("notice", `tie-breaker: the lock on ${path} is ours`);
        trouble = "";
        onHeld(true);
        return;
      case "refused":
        retry(`the lock on ${path} is not to be had: ${effect.reason}`);
        return;
      case "lost":
        onHeld(false);
        retry(`the lock on ${path} is lost: ${effect.reason}`);
        return;
      case "released":
        onHeld(false);
    }
  }

  function retry(reason: string): void {
    if (trouble !== reason) log.say("warning", `tie-breaker: ${reason}`);
    trouble = reason;
    clearTimeout(timer);
    if (wanted) timer = setTimeout(() => void acquire(), TIE_LOCK_RETRY_MS);
  }

  async function acquire(): Promise<void> {
    try {
      disk ??= await openLockDisk(path);
    } catch (error) {
      retry(reasonOf(error));
      return;
    }
    if (wanted) step({ kind: "acquire" });
  }

  return {
    seek(now) {
      if (now === wanted) return;
      wanted = now;
      clearTimeout(timer);
      if (now) void acquire();
      else step({ kind: "release" });
    },
    trouble: () => unready,
    close() {
      wanted = false;
      clearInterval(looking);
      clearTimeout(timer);
    },
  };
}
