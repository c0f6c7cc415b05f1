/**
 * `gemel iso8601`, also `iso8601`: dates, spans and durations as the rules of a configuration are read.
 * Facts: iso8601(8); outputs and exit codes of iso8601 2.1.5. Where ours differ on purpose: an offset of the zone is
 * heeded with `T`, too (2019-09-24T10:20:30+09:00), and half a date (2019-09) is refused.
 */
import process from "node:process";
import { entryOf } from "../../base/record.ts";
import {
  addDuration,
  calendarOf,
  type Duration,
  formatDate,
  parseDate,
} from "../../cluster/core/scheduler/facts/dates.ts";
import { readCommandLine } from "../control-client.ts";
import { EXIT, wrongCall } from "./ask.ts";

const USAGE = "iso8601 -n | -d DATE | -p START/END | -D DURATION  [-s|-S|-O|-W] [-L] [-E TEXT]";
export const FLAGS = {
  now: { type: "boolean", short: "n" },
  date: { type: "string", short: "d" },
  period: { type: "string", short: "p" },
  duration: { type: "string", short: "D" },
  expected: { type: "string", short: "E" },
  seconds: { type: "boolean", short: "s" },
  epoch: { type: "boolean", short: "S" },
  local: { type: "boolean", short: "L" },
  ordinal: { type: "boolean", short: "O" },
  week: { type: "boolean", short: "W" },
  verbose: { type: "boolean", short: "V" },
} as const;
const INVALID = 2;
/** Seconds from the first day of the year 0 to the epoch. */
const BEFORE_EPOCH = 62_135_596_800;

type Flags = Readonly<Record<string, string | boolean | undefined>>;

const pad = (value: number, width = 2) => String(value).padStart(width, "0");

/** How far local time is ahead, in seconds. */
const zoneOf = (seconds: number) => -new Date(seconds * 1000).getTimezoneOffset() * 60;

function zoneText(offset: number): string {
  if (offset === 0) return "Z";
  const minutes = Math.abs(offset) / 60;
  return ` ${offset < 0 ? "-" : "+"}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}

function dateText(seconds: number, flags: Flags): string {
  if (flags["seconds"] === true) return String(seconds + BEFORE_EPOCH);
  if (flags["epoch"] === true) return String(seconds);
  const offset = flags["local"] === true ? zoneOf(seconds) : 0;
  const shown = seconds + offset;
  const { years, yeardays, weekdays, weekyears, weeks } = calendarOf(shown);
  const [civil = "", time = ""] = formatDate(shown).replace("Z", "").split(" ");
  const day =
    flags["ordinal"] === true
      ? `${pad(years, 4)}-${pad(yeardays, 3)}`
      : flags["week"] === true
        ? `${pad(weekyears, 4)}-W${pad(weeks)}-${weekdays}`
        : civil;
  return `${day} ${time}${zoneText(offset)}`;
}

const DAY = String.raw`(?:\d{4}-\d{2}-\d{2}|\d{4}-?\d{3}|\d{8}|\d{4}-?W\d{2}-?\d)`;
const TIME = String.raw`[T ]\s*\d{2}(?::?\d{2}){0,2}(?:\.\d+)?\s*(?:Z|[+-]\d{2}:?\d{0,2})?`;
const WHOLE_DATE = new RegExp(`^${DAY}(?:${TIME})?$`);
const TIME_ALONE = /^\d{2}:\d{2}(?::\d{2})?Z?$/;
const HOURS_MAX = 24;

/** Undefined for what is no date, as the 30th of February. */
function dateOf(text: string, nowSeconds: number): number | undefined {
  if (text === "epoch") return 0;
  const whole = TIME_ALONE.test(text) ? `${formatDate(nowSeconds).slice(0, 10)} ${text}` : text;
  if (!WHOLE_DATE.test(whole)) return undefined;
  const [, hours] = /[T ]\s*(\d{2})/.exec(whole) ?? [];
  if (Number(hours ?? 0) > HOURS_MAX) return undefined;
  const [, year, month, day] = /^(\d{4})-?(\d{2})-?(\d{2})(?!\d)/.exec(whole) ?? [];
  if (year !== undefined) {
    const { months, monthdays } = calendarOf(parseDate(`${year}-${month ?? ""}-${day ?? ""}`) ?? 0);
    if (months !== Number(month) || monthdays !== Number(day)) return undefined;
  }
  return parseDate(whole);
}

const DURATION = /^P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)W)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?\d+)S)?)?$/;
const UNITS = ["years", "months", "weeks", "days", "hours", "minutes", "seconds"] as const;

function durationOf(text: string): Duration | undefined {
  const found = DURATION.exec(text);
  if (found === null || /[PT]$/.test(text)) return undefined;
  return Object.fromEntries(UNITS.map((unit, index) => [unit, found[index + 1] ?? "0"]));
}

const SECONDS_PER = { hour: 3600, minute: 60, second: 1 } as const;

function durationText(duration: Duration): string {
  const count = (unit: string) => Number(entryOf(duration, unit) ?? 0);
  const plural = (number: number, unit: string) => `${number} ${unit}${Math.abs(number) === 1 ? "" : "s"}`;
  const parts = [
    ...(count("years") === 0 ? [] : [plural(count("years"), "year")]),
    ...(count("months") === 0 ? [] : [plural(count("months"), "month")]),
    ...(count("days") + count("weeks") * 7 === 0 ? [] : [plural(count("days") + count("weeks") * 7, "day")]),
  ];
  const seconds = count("hours") * 3600 + count("minutes") * 60 + count("seconds");
  if (seconds === 0 && parts.length > 0) return parts.join(" ");
  let rest = Math.abs(seconds);
  const split = Object.entries(SECONDS_PER).flatMap(([unit, size]) => {
    const number = Math.floor(rest / size);
    rest -= number * size;
    return number === 0 ? [] : [plural(number, unit)];
  });
  const inWords = Math.abs(seconds) < SECONDS_PER.minute ? "" : ` (${split.join(" ")})`;
  return [...parts, `${plural(seconds, "second")}${inWords}`].join(" ");
}

const negated = (duration: Duration): Duration =>
  Object.fromEntries(Object.entries(duration).map(([unit, value]) => [unit, String(-Number(value))]));

function periodOf(text: string, nowSeconds: number): { readonly from: number; readonly to: number } | undefined {
  const [first = "", second = "", ...more] = text.split("/");
  if (more.length > 0) return undefined;
  const [from, to] = [dateOf(first, nowSeconds), dateOf(second, nowSeconds)];
  const [before, after] = [durationOf(first), durationOf(second)];
  if (from !== undefined && to !== undefined) return { from, to };
  if (from !== undefined && after !== undefined) return { from, to: addDuration(from, after) };
  if (before !== undefined && to !== undefined) return { from: addDuration(to, negated(before)), to };
  return undefined;
}

function invalid(what: string, text: string): number {
  process.stderr.write(`iso8601: Invalid ${what} specified: ${text}\n`);
  return INVALID;
}

/** Exit codes: 0; 1 not as expected; 2 not to be read; 64 wrong call. */
export function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS);
  return Promise.resolve(called.kind === "wrong" ? wrongCall("iso8601", called.reason, USAGE) : answer(called.flags));
}

function answer(flags: Flags): number {
  const tell = (line: string) => void process.stdout.write(`${line}\n`);
  const nowSeconds = Math.floor(Date.now() / 1000);
  const { date, period, duration, expected } = flags;
  const isNow = flags["now"] === true;
  if (!isNow && date === undefined && period === undefined && duration === undefined)
    return wrongCall("iso8601", "what shall be told?", USAGE);
  const seconds = isNow ? nowSeconds : typeof date === "string" ? dateOf(date, nowSeconds) : undefined;
  if (seconds === undefined && typeof date === "string") return invalid("date/time", date);
  if (seconds !== undefined) tell(`${isNow ? "Current date/time" : "Date"}: ${dateText(seconds, flags)}`);
  if (typeof period === "string") {
    const span = periodOf(period, nowSeconds);
    if (span === undefined) return invalid("interval", period);
    tell(`Period: ${dateText(span.from, flags)} to ${dateText(span.to, flags)}`);
  }
  if (typeof duration === "string") {
    const span = durationOf(duration);
    if (span === undefined) return invalid("duration", duration);
    tell(`Duration: ${durationText(span)}`);
    if (seconds !== undefined) tell(`Duration ends at: ${dateText(addDuration(seconds, span), flags)}`);
  }
  if (typeof expected !== "string" || seconds === undefined) return EXIT.done;
  return dateText(seconds, flags) === expected ? EXIT.done : EXIT.refused;
}
