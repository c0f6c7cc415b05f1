/**
 * A time as operators give it to the timeline, the report and the history of the shell: what has no zone is local time,
 * as the clock on their wall. Facts: crm_report(8), -f and -t; crm(8), history limit.
 */
import { parseDate } from "../cluster/core/scheduler/facts/dates.ts";
import { parseDurationMs } from "../cluster/core/scheduler/facts/values.ts";
import { localSeconds } from "./zone.ts";

/** `13:05`, `13:05:30`, `2pm`: of today. */
function todayAt(text: string, nowWallMs: number): number | undefined {
  const [, hour, minute = "0", second = "0", half] = /^(\d{1,2})(?::(\d\d))?(?::(\d\d))? ?(am|pm)?$/i.exec(text) ?? [];
  if (hour === undefined || (half === undefined && !text.includes(":"))) return undefined;
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half.toLowerCase() === "pm" ? 12 : 0);
  if (hours > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  return new Date(nowWallMs).setHours(hours, Number(minute), Number(second), 0);
}

const MONTH = /\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d/i;
/** Other texts that begin with digits would be taken for so many seconds. */
const LENGTH = /^(?:P|\d+ *[a-z]*$)/i;

/** `Jul 18 12:00`, `2026/7/18 12:00`, `Tue Sep 15 20:46:27 2026`; without a year, of this one. */
function inWords(text: string, nowWallMs: number): number | undefined {
  const isDated = MONTH.test(text) || /^\d+\/\d+/.test(text);
  const dated = /\d{4}/.test(text) ? text : `${text} ${new Date(nowWallMs).getFullYear()}`;
  const found = isDated ? Date.parse(dated) : Number.NaN;
  return Number.isNaN(found) ? undefined : found;
}

/** An instant, or a length of time before now; undefined when it is neither. */
export function readMoment(text: string | undefined, nowWallMs: number): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{4}-/.test(text) ? localSeconds((zone) => parseDate(text, zone)) : undefined;
  if (seconds !== undefined) return seconds * 1000;
  const today = todayAt(text, nowWallMs) ?? inWords(text, nowWallMs);
  if (today !== undefined) return today;
  const lengthMs = LENGTH.test(text) ? parseDurationMs(text) : undefined;
  return lengthMs === undefined ? undefined : nowWallMs - lengthMs;
}
