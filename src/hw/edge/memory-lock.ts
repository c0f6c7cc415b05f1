/**
 * Locks the program's own code in memory, so that a busy disk cannot stop the heartbeat with a page fault.
 * Only mappings of files that are not written to are locked: V8 gives heap pages back with madvise and aborts when that
 * fails, which it does on locked pages (measured; so never mlockall). Against swapping of the heap: no swap.
 */
import { readFileSync } from "node:fs";
import { lockMemory } from "./native.ts";

const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) (r.[^ ]+) \S+ \S+ (\d+)\s+\//;

/** How many bytes are locked now. Throws a SystemCallError where that is not allowed or exceeds RLIMIT_MEMLOCK. */
export function lockProgramCode(): number {
  let lockedBytes = 0n;
  for (const line of readFileSync("/proc/self/maps", "utf8").split("\n")) {
    const [, start, end, access, inode] = MAPPING.exec(line) ?? [];
    if (start === undefined || end === undefined || access?.[1] === "w" || inode === "0") continue;
    const startAt = BigInt(`0x${start}`);
    const lengthBytes = BigInt(`0x${end}`) - startAt;
    lockMemory(startAt, lengthBytes);
    lockedBytes += lengthBytes;
  }
  return Number(lockedBytes);
}
