/**
 * Calendar arithmetic in UTC without a clock: ISO 8601 dates of rules, to and from seconds since the epoch.
 * Facts: ISO 8601 (calendar, ordinal and week dates); the day count is the usual civil-from-days algorithm.
 */
import { entryOf } from "../../../../base/record.ts";

/** Days since 1970-01-01 of a date in the Gregorian calendar; month from 1. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

export interface Calendar {
  readonly years: number;
  readonly months: number;
  readonly monthdays: number;
  readonly yeardays: number;
  /** 1 is Monday. */
  readonly weekdays: number;
  readonly weekyears: number;
  readonly weeks: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

function isoWeek(year: number, yearday: number, weekday: number): { year: number; week: number } {
  const week = Math.floor((yearday - weekday + 10) / 7);
  const weeksOf = (y: number) => {
    const dayOf = (date: number) => ((((date + 3) % 7) + 7) % 7) + 1;
    return dayOf(daysFromCivil(y, 1, 1)) === 4 || dayOf(daysFromCivil(y, 12, 31)) === 4 ? 53 : 52;
  };
  if (week < 1) return { year: year - 1, week: weeksOf(year - 1) };
  if (week > weeksOf(year)) return { year: year + 1, week: 1 };
  return { year, week };
}

/** The fields of an instant, in UTC. */
export function calendarOf(seconds: number): Calendar {
  const days = Math.floor(seconds / 86_400);
  const rest = seconds - days * 86_400;
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthShifted = Math.floor((5 * dayOfYear + 2) / 153);
  const months = monthShifted < 10 ? monthShifted + 3 : monthShifted - 9;
  const years = yearOfEra + era * 400 + (months <= 2 ? 1 : 0);
  const weekdays = ((((days + 3) % 7) + 7) % 7) + 1;
  const yeardays = days - daysFromCivil(years, 1, 1) + 1;
  const { year: weekyears, week: weeks } = isoWeek(years, yeardays, weekdays);
  return {
    years,
    months,
    monthdays: dayOfYear - Math.floor((153 * monthShifted + 2) / 5) + 1,
    yeardays,
    weekdays,
    weekyears,
    weeks,
    hours: Math.floor(rest / 3600),
    minutes: Math.floor((rest % 3600) / 60),
    seconds: Math.floor(rest % 60),
  };
}

const DATE = /^(\d{4})(?:-?W(\d{2})-?(\d)|-(\d{2})-(\d{2})|-?(\d{3})(?!\d)|(\d{2})(\d{2}))?/;
const TIME = /^(\d{2})(?::?(\d{2}))?(?::?(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{0,2})?$/;

/**
 * Seconds since the epoch; `undefined` when the text is no date. A time without a zone is one `zoneSeconds` ahead of
 * UTC; a day without a time begins with that of UTC.
 */
export function parseDate(text: string | undefined, zoneSeconds = 0): number | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  if (trimmed === "epoch") return 0;
  const date = DATE.exec(trimmed);
  if (date === null) return undefined;
  const year = Number(date[1]);
  let days: number;
  if (date[2] !== undefined) {
    const fourth = daysFromCivil(year, 1, 4);
    const monday = fourth - ((((fourth + 3) % 7) + 7) % 7);
    days = monday + (Number(date[2]) - 1) * 7 + Number(date[3]) - 1;
  } else if (date[6] !== undefined) days = daysFromCivil(year, 1, 1) + Number(date[6]) - 1;
  else days = daysFromCivil(year, Number(date[4] ?? date[7] ?? 1), Number(date[5] ?? date[8] ?? 1));
  const rest = trimmed.slice(date[0].length).replace(/^[T ]\s*/, "");
  if (rest === "") return days * 86_400;
  const time = TIME.exec(rest);
  if (time === null) return days * 86_400;
  const zone = /^([+-])(\d{2}):?(\d{2})?$/.exec(time[4] ?? "");
  const unnamed = time[4] === undefined ? zoneSeconds : 0;
  const offset =
    zone === null ? unnamed : (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3] ?? 0)) * 60;
  return days * 86_400 + Number(time[1]) * 3600 + Number(time[2] ?? 0) * 60 + Number(time[3] ?? 0) - offset;
}

const pad = (value: number, width = 2) => String(value).padStart(width, "0");

/** `2014-05-07 00:28:00Z`, as reports print it. */
export function formatDate(seconds: number): string {
  const { years, months, monthdays, hours, minutes, seconds: rest } = calendarOf(seconds);
  return `${pad(years, 4)}-${pad(months)}-${pad(monthdays)} ${pad(hours)}:${pad(minutes)}:${pad(rest)}Z`;
}

export interface Duration {
  readonly [unit: string]: string;
}

/** Adds calendar units; months and years keep the day of the month. */
export function addDuration(seconds: number, duration: Duration): number {
  const count = (unit: string) => Number.parseInt(entryOf(duration, unit) ?? "0", 10) || 0;
  const start = calendarOf(seconds);
  const months = start.months - 1 + count("months") + 12 * (start.years + count("years"));
  const days = daysFromCivil(Math.floor(months / 12), (((months % 12) + 12) % 12) + 1, start.monthdays);
  const time = start.hours * 3600 + start.minutes * 60 + start.seconds;
  return (
    (days + count("weeks") * 7 + count("days")) * 86_400 +
    time +
    count("hours") * 3600 +
    count("minutes") * 60 +
    count("seconds")
  );
}
