/**
 * The small vocabularies of a CIB: booleans, intervals, roles. Pure readers of attribute values.
 * Facts: Pacemaker Explained, "Durations"; crm_simulate as a black box (which
 * words are true, which units are known).
 */
import { entryOf } from "../../../../base/record.ts";

/** The words that the field takes for true; anything else is false. */
export function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(?:true|on|yes|y|1)$/i.test(value);
}

export function isFalse(value: string | undefined): boolean {
  return value !== undefined && /^(?:false|off|no|n|0)$/i.test(value);
}

export function parseBoolean(value: string | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (isTrue(value)) return true;
  return isFalse(value) ? false : fallback;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  usec: 0.001,
  ms: 1,
  msec: 1,
  "": 1000,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  d: 86_400_000,
};

const ISO_DURATION =
  /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** A length of time in ms; `undefined` when the text is none. A bare number counts seconds. */
export function parseDurationMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (text.startsWith("P")) {
    const iso = ISO_DURATION.exec(text);
    if (iso === null) return undefined;
    const [years, months, weeks, days, hours, minutes, seconds] = iso.slice(1).map((part) => Number(part ?? 0));
    const daysAll = (years ?? 0) * 365 + (months ?? 0) * 30 + (weeks ?? 0) * 7 + (days ?? 0);
    return (((daysAll * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
  }
  const plain = /^\+?(\d+)\s*([a-z]*)/i.exec(text);
  if (plain === null) return undefined;
  const unit = entryOf(UNIT_MS, (plain[2] ?? "").toLowerCase());
  return unit === undefined ? undefined : Math.floor(Number(plain[1]) * unit);
}

/** Ordered: a resource in a higher role is also in the lower ones. */
export const ROLE = { unknown: 0, stopped: 1, started: 2, unpromoted: 3, promoted: 4 } as const;
export type Role = (typeof ROLE)[keyof typeof ROLE];

const ROLE_WORDS: ReadonlyMap<string, Role> = new Map<string, Role>([
  ["stopped", ROLE.stopped],
  ["started", ROLE.started],
  ["slave", ROLE.unpromoted],
  ["unpromoted", ROLE.unpromoted],
  ["master", ROLE.promoted],
  ["promoted", ROLE.promoted],
]);

/** Both dialects: Master and Slave are the old words. */
export function parseRole(value: string | undefined): Role {
  return value === undefined ? ROLE.unknown : (ROLE_WORDS.get(value.toLowerCase()) ?? ROLE.unknown);
}

export function roleText(role: Role): string {
  return ["Unknown", "Stopped", "Started", "Unpromoted", "Promoted"][role] ?? "Unknown";
}
