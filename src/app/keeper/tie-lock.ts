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
  close(): void;
}

const LOCK_INDEX = 1;

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
    close() {
      wanted = false;
      clearTimeout(timer);
    },
  };
}
