/**
 * How the CIB writes values, read strictly unless a reader says otherwise: anything that is not clearly a boolean,
 * score, time or number is undefined, and what stands there instead is the caller's to say. One place for all readers.
 * Facts: Pacemaker Explained, "Scores", "Durations"; times also with the suffixes of crm(8) and as ISO 8601 durations.
 */
import { entryOf } from "../../base/record.ts";

/** A score beyond this is infinite: nothing outweighs it, and sums are clamped to it. */
export const INFINITY_SCORE = 1_000_000;

const TRUE = ["true", "yes", "on", "y", "1"];
const FALSE = ["false", "no", "off", "n", "0"];

/** Case does not count. */
export function readBoolean(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (TRUE.includes(word)) return true;
  return FALSE.includes(word) ? false : undefined;
}

export function readInteger(text: string): number | undefined {
  const number = /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : undefined;
  return number !== undefined && Number.isSafeInteger(number) ? number : undefined;
}

/** A count or a limit: 0 also for what is missing, no number, or below. */
export function readCount(text: string | undefined): number {
  return Math.max(0, readInteger(text ?? "") ?? 0);
}

/** `INFINITY`, `-INFINITY`, or a whole number, cut off at the infinities; `inf` is the crm shell's word alone. */
export function readScore(text: string): number | undefined {
  // No more than parseScore takes: what that reads as 0 must be told.
  const match = /^([+-]?)INFINITY$/i.exec(text);
  if (match !== null) return match[1] === "-" ? -INFINITY_SCORE : INFINITY_SCORE;
  if (/^\s*[+-]?\d+\s*$/.test(text)) return Math.max(-INFINITY_SCORE, Math.min(INFINITY_SCORE, Number(text)));
  return undefined;
}

/** As the scheduler reads it, leniently: a number counts as far as it goes, and what is none is `fallback`. */
export function parseScore(value: string | undefined, fallback = 0): number {
  if (value === undefined || value === "") return fallback;
  const number = Number.parseInt(value, 10);
  if (Number.isNaN(number)) {
    if (/^\+?INFINITY$/i.test(value)) return INFINITY_SCORE;
    return /^-INFINITY$/i.test(value) ? -INFINITY_SCORE : fallback;
  }
  return Math.max(-INFINITY_SCORE, Math.min(INFINITY_SCORE, number));
}

/** Minus infinity wins over plus infinity: what must not be is stronger than what must. Fact: "Infinity Math". */
export function addScores(left: number, right: number): number {
  if (left <= -INFINITY_SCORE || right <= -INFINITY_SCORE) return -INFINITY_SCORE;
  if (left >= INFINITY_SCORE || right >= INFINITY_SCORE) return INFINITY_SCORE;
  return Math.max(-INFINITY_SCORE, Math.min(INFINITY_SCORE, left + right));
}

const UNITS_MS: Readonly<Record<string, number>> = {
  "": 1000,
  us: 0.001,
  usec: 0.001,
  ms: 1,
  msec: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
};

/** Years and months have no fixed length; these are the lengths of ISO 8601's own recommendation. A guess. */
const ISO_MS = [365 * 86_400_000, 30 * 86_400_000, 7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1000];
/** The T is often forgotten, and the field's readers do without. */
const ISO = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/i;

/** Milliseconds: `10`, `10s`, `100ms`, `1min`, `2h`, `PT1M`. Negative ones are read as such; who takes time refuses. */
export function readTimeMs(text: string): number | undefined {
  const plain = /^\s*([+-]?\d+)\s*([a-z]*)\s*$/i.exec(text);
  if (plain !== null) {
    const unit = entryOf(UNITS_MS, (plain[2] ?? "").toLowerCase());
    return unit === undefined ? undefined : Math.trunc(Number(plain[1]) * unit);
  }
  const iso = ISO.exec(text.trim());
  if (iso === null || !/\d/.test(text)) return undefined;
  return ISO_MS.reduce((sum, lengthMs, index) => sum + Number(iso[index + 1] ?? 0) * lengthMs, 0);
}
