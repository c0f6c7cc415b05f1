/** One lock of an sfex disk, past every cache, each access within its time. */
import { performance } from "node:perf_hooks";
import type { SharedLock } from "../core/sfex/lock.ts";
import {
  printSfexControl,
  printSfexLock,
  readSfexControl,
  readSfexLock,
  type SfexLock,
  type SfexRead,
} from "../core/sfex/record.ts";
import { createGate } from "./access-gate.ts";
import { type BlockDevice, openBlockDevice } from "./block-device.ts";

export interface SfexDisk extends SharedLock {
  close(): void;
}

export interface SfexDiskOptions {
  readonly path: string;
  readonly index: number;
  readonly from: string;
  readonly accessMs: number;
  readonly holders: () => readonly string[] | undefined;
  readonly startOf: (node: string) => number | undefined;
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Opens the disk with the first access, and anew when that has failed. */
export function openSfexDisk({ path, index, from, accessMs, holders, startOf }: SfexDiskOptions): SfexDisk {
  const gate = createGate(path, accessMs);
  let disk: BlockDevice | undefined;

  async function open(): Promise<BlockDevice> {
    const opened = await openBlockDevice(path);
    const control = readSfexControl(await opened.read(0), opened.sectorBytes);
    const isThere = control.kind === "record" && index <= control.value.lockCount;
    if (isThere) return opened;
    await opened.close();
    throw new Error(control.kind === "damaged" ? `${path}: ${control.reason}` : `${path} has no lock ${index}`);
  }

  return {
    nowMs: () => performance.now(),
    self: from,
    holders,
    startOf,
    read: () =>
      gate(async () => {
        disk ??= await open();
        return readSfexLock(await disk.read(index));
      }).catch((error: unknown) => ({ kind: "failed", reason: reasonOf(error) }) as const),
    write: (lock) =>
      gate(async () => {
        disk ??= await open();
        await disk.write(index, printSfexLock(lock, disk.sectorBytes));
      }).then(() => undefined, reasonOf),
    close: () => void disk?.close().catch(() => {}),
  };
}

/** Overwrites the first sectors of the disk: one, and one for each lock. Throws what the disk answers. */
export async function createSfexDisk(path: string, lockCount: number): Promise<void> {
  const disk = await openBlockDevice(path);
  try {
    const { sectorBytes } = disk;
    const blank = printSfexLock({ held: false, count: 0, node: "" }, sectorBytes);
    // The head comes last: a disk that was left half made must not look ready.
    for (let index = 1; index <= lockCount; index += 1) await disk.write(index, blank);
    await disk.write(0, printSfexControl({ sectorBytes, lockCount }));
  } finally {
    await disk.close();
  }
}

/** All locks of the disk, by their number. Throws when it is none. */
export async function listSfexDisk(path: string): Promise<ReadonlyMap<number, SfexRead<SfexLock>>> {
  const disk = await openBlockDevice(path);
  try {
    const control = readSfexControl(await disk.read(0), disk.sectorBytes);
    if (control.kind === "damaged") throw new Error(`${path}: ${control.reason}`);
    const locks = new Map<number, SfexRead<SfexLock>>();
    for (let index = 1; index <= control.value.lockCount; index += 1)
      locks.set(index, readSfexLock(await disk.read(index)));
    return locks;
  } finally {
    await disk.close();
  }
}
