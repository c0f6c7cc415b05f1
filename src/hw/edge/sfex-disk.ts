/** One lock of an sfex disk, past every cache, each access within its time. */
import { performance } from "node:perf_hooks";
import type { SharedLock } from "../core/sfex/lock.ts";
import { printSfexLock, readSfexControl, readSfexLock } from "../core/sfex/record.ts";
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
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Opens the disk with the first access, and anew when that has failed. */
export function openSfexDisk({ path, index, from, accessMs, holders }: SfexDiskOptions): SfexDisk {
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
