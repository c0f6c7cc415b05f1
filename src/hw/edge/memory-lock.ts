/**
 * Locks the program's own code in memory, so that a busy disk cannot stop the heartbeat with a page fault.
 * Only mappings of files that are not written to are locked: V8 gives heap pages back with madvise and aborts when that
 * fails, which it does on locked pages (measured; so never mlockall). Against swapping of the heap: no swap.
 * Node's binary holds 60 MB of tables (mostly the languages of the world) of which a keeper touches a quarter; large
 * read-only data is therefore locked page by page as it is touched, machine code and the program's text whole.
 */
import { readFileSync } from "node:fs";
import { lockMemory, lockMemoryAsTouched, populateMemory } from "./native.ts";

const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) (r.[^ ]+) \S+ \S+ (\d+)\s+\//;
/** Between the program's own text (1 MiB) and the tables. */
const LARGE_BYTES = 16n * 1024n * 1024n;

interface ProgramRange {
  readonly startAt: bigint;
  readonly lengthBytes: bigint;
  /** Large data, of which little is ever touched. */
  readonly isTable: boolean;
}

function programRanges(): readonly ProgramRange[] {
  return readFileSync("/proc/self/maps", "utf8")
    .split("\n")
    .flatMap((line): readonly ProgramRange[] => {
      const [, start, end, access, inode] = MAPPING.exec(line) ?? [];
      if (start === undefined || end === undefined || access?.[1] === "w" || inode === "0") return [];
      const startAt = BigInt(`0x${start}`);
      const lengthBytes = BigInt(`0x${end}`) - startAt;
      return [{ startAt, lengthBytes, isTable: access?.[2] !== "x" && lengthBytes > LARGE_BYTES }];
    });
}

/** How many bytes are locked now. Throws a SystemCallError where that is not allowed or exceeds RLIMIT_MEMLOCK. */
export function lockProgramCode(): number {
  for (const { startAt, lengthBytes, isTable } of programRanges()) {
    if (isTable) lockMemoryAsTouched(startAt, lengthBytes);
    else lockMemory(startAt, lengthBytes);
  }
  // VmLck counts whole ranges, touched or not; the sum over smaps would take milliseconds that nobody needs to wait.
  return Number(/VmLck:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) * 1024;
}

/**
 * For the process beside the one that has locked them: the same pages, mapped at once. They cost no further memory, and
 * no decision waits for a page fault, or for a disk, any more. Throws a SystemCallError before Linux 5.14.
 */
export function mapProgramCode(): void {
  for (const { startAt, lengthBytes, isTable } of programRanges()) if (!isTable) populateMemory(startAt, lengthBytes);
}
