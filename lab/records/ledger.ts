/**
 * Numbered records, and the proof that none was lost. Pure. The client keeps a line for each record that the service
 * acknowledged; the service stores the records themselves. A record that was sent twice because its first answer got
 * lost may be stored twice; one that was never acknowledged may be there or not. Only a missing one is a loss.
 */
import { createHash } from "node:crypto";

/** The text of a record: its number and a check over it, so that a torn or foreign line is seen. */
export function recordText(number: number): string {
  return `${number} ${createHash("sha256").update(`record ${number}`).digest("hex").slice(0, 12)}`;
}

/** Numbers of the whole records in a text of lines. */
export function wholeRecords(text: string): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const line of text.split("\n")) {
    const number = Number.parseInt(line, 10);
    if (number > 0 && line === recordText(number)) numbers.add(number);
  }
  return numbers;
}

export interface Acknowledged {
  readonly number: number;
  /** When the answer came, in the lab's wall-clock time. */
  readonly atWallMs: number;
}

export function formatAcknowledged({ number, atWallMs }: Acknowledged): string {
  return `${number} ${atWallMs}\n`;
}

/** A last line without its end is left out: the client was stopped while it wrote it. */
export function readAcknowledged(text: string): readonly Acknowledged[] {
  return text
    .split("\n")
    .slice(0, -1)
    .flatMap((line) => {
      const match = /^(\d+) (\d+)$/.exec(line);
      return match === null ? [] : [{ number: Number(match[1]), atWallMs: Number(match[2]) }];
    });
}

export interface Verdict {
  readonly acknowledgedCount: number;
  readonly storedCount: number;
  /** Acknowledged and not there. */
  readonly lost: readonly number[];
}

export function verifyRecords(acknowledged: readonly Acknowledged[], storedText: string): Verdict {
  const stored = wholeRecords(storedText);
  const numbers = [...new Set(acknowledged.map(({ number }) => number))];
  return {
    acknowledgedCount: numbers.length,
    storedCount: stored.size,
    lost: numbers.filter((number) => !stored.has(number)),
  };
}

const LOST_SHOWN_MAX = 10;

export function formatVerdict({ acknowledgedCount, storedCount, lost }: Verdict): string {
  const shown = lost.slice(0, LOST_SHOWN_MAX).join(", ") + (lost.length > LOST_SHOWN_MAX ? ", ..." : "");
  const names = lost.length === 0 ? "" : ` (${shown})`;
  return `verify: ${acknowledgedCount} records acknowledged, ${storedCount} stored, ${lost.length} lost${names}`;
}

/** The longest time without an acknowledgement that overlaps `fromWallMs` and what came after; 0 for none. */
export function longestGapMs(acknowledged: readonly Acknowledged[], fromWallMs: number): number {
  let longest = 0;
  let previous: number | undefined;
  for (const { atWallMs } of acknowledged) {
    if (previous !== undefined && atWallMs >= fromWallMs) longest = Math.max(longest, atWallMs - previous);
    previous = atWallMs;
  }
  return longest;
}
