/**
 * Lengths of time as cluster configurations write them: `20`, `20s`, `500ms`, `2min`.
 * Fact: crm(8) and crm_simulate as a black box: a number without a unit is seconds.
 */
import { entryOf } from "../../base/record.ts";

const UNITS: Readonly<Record<string, number>> = {
  "": 1_000,
  us: 0.001,
  usec: 0.001,
  ms: 1,
  msec: 1,
  s: 1_000,
  sec: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
};

/** In milliseconds; undefined for anything else than a number of at most nine digits with a known unit. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^\s*(\d{1,9})\s*([a-z]*)\s*$/i.exec(text);
  const unit = entryOf(UNITS, (match?.[2] ?? "?").toLowerCase());
  return match === null || unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}
