/**
 * The time of an event in the words of `timestamp-format`: date(1) in the C locale. Pure: instant and zone are inputs.
 * What is no conversion stands as it is written, as date(1) does it.
 * Facts: date(1) of GNU coreutils: conversions, flags `-`, `_`, `0`, `^`, `#`, a width; `%06N` cuts nanoseconds to six
 * digits.
 */
import { entryOf } from "../../../base/record.ts";
import { calendarOf } from "../scheduler/facts/dates.ts";

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;
const MONTHS = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
] as const;

export interface Instant {
  readonly wallMs: number;
  /** How far local time is ahead of UTC. */
  readonly zoneSeconds: number;
}

/** A number with the width and the filling that it has when nothing else is said; or a word. */
type Piece = readonly [value: number, width: number, filling: "0" | " "] | string;

const two = (value: number): Piece => [value, 2, "0"];
const spaced = (value: number): Piece => [value, 2, " "];
const digits = (value: number, width: number) => String(value).padStart(width, "0");

function zoneText(zoneSeconds: number, separator: string): string {
  const minutes = Math.floor(Math.abs(zoneSeconds) / 60);
  const text = `${digits(Math.floor(minutes / 60), 2)}${separator}${digits(minutes % 60, 2)}`;
  return `${zoneSeconds < 0 ? "-" : "+"}${text}`;
}

/** The conversions that are others in a row. */
const COMPOSED: Readonly<Record<string, string>> = {
  c: "%a %b %e %H:%M:%S %Y",
  D: "%m/%d/%y",
  F: "%Y-%m-%d",
  R: "%H:%M",
  r: "%I:%M:%S %p",
  T: "%H:%M:%S",
  X: "%H:%M:%S",
  x: "%m/%d/%y",
};

type Fields = ReturnType<typeof calendarOf>;

function wordOf(letter: string, at: Fields): Piece | undefined {
  const day = DAYS[at.weekdays - 1] ?? "";
  const month = MONTHS[at.months - 1] ?? "";
  switch (letter) {
    case "A":
      return day;
    case "a":
      return day.slice(0, 3);
    case "B":
      return month;
    case "b":
    case "h":
      return month.slice(0, 3);
    case "p":
      return at.hours < 12 ? "AM" : "PM";
    case "P":
      return at.hours < 12 ? "am" : "pm";
    case "n":
      return "\n";
    case "t":
      return "\t";
    case "%":
      return "%";
    default:
      return undefined;
  }
}

function dateOf(letter: string, at: Fields): Piece | undefined {
  switch (letter) {
    case "C":
      return two(Math.floor(at.years / 100));
    case "d":
      return two(at.monthdays);
    case "e":
      return spaced(at.monthdays);
    case "G":
      return [at.weekyears, 4, "0"];
    case "g":
      return two(at.weekyears % 100);
    case "j":
      return [at.yeardays, 3, "0"];
    case "m":
      return two(at.months);
    case "q":
      return [Math.ceil(at.months / 3), 1, "0"];
    case "U":
      return two(Math.floor((at.yeardays - 1 + 7 - (at.weekdays % 7)) / 7));
    case "u":
      return [at.weekdays, 1, "0"];
    case "V":
      return two(at.weeks);
    case "W":
      return two(Math.floor((at.yeardays - 1 + 8 - at.weekdays) / 7));
    case "w":
      return [at.weekdays % 7, 1, "0"];
    case "Y":
      return [at.years, 4, "0"];
    case "y":
      return two(at.years % 100);
    default:
      return undefined;
  }
}

function timeOf(letter: string, at: Fields, { wallMs }: Instant): Piece | undefined {
  const clockHours = at.hours % 12 === 0 ? 12 : at.hours % 12;
  switch (letter) {
    case "H":
      return two(at.hours);
    case "I":
      return two(clockHours);
    case "k":
      return spaced(at.hours);
    case "l":
      return spaced(clockHours);
    case "M":
      return two(at.minutes);
    case "S":
      return two(at.seconds);
    case "s":
      return [Math.floor(wallMs / 1000), 1, "0"];
    default:
      return undefined;
  }
}

/** Beyond this a width is an error of whoever wrote it. */
const WIDTH_MAX = 64;

function laid(piece: Piece, flag: string, width: number | undefined): string {
  if (typeof piece === "string") {
    const text = flag === "^" || flag === "#" ? piece.toUpperCase() : piece;
    return text.padStart(width ?? 0, flag === "0" ? "0" : " ");
  }
  const [value, usual, filling] = piece;
  if (flag === "-") return String(value);
  const wide = flag === "_" ? " " : flag === "0" ? "0" : filling;
  return String(value).padStart(width ?? usual, wide);
}

function convert(whole: string, flag: string, width: number | undefined, letter: string, instant: Instant): string {
  const { wallMs, zoneSeconds } = instant;
  const composed = entryOf(COMPOSED, letter);
  if (composed !== undefined) return laid(formatTimestamp(composed, instant), flag, width);
  if (letter === "N") {
    const nanoseconds = digits((((wallMs % 1000) + 1000) % 1000) * 1_000_000, 9);
    return width === undefined ? nanoseconds : nanoseconds.slice(0, width).padEnd(width, "0");
  }
  if (letter === "z" || letter === ":z") return zoneText(zoneSeconds, letter === "z" ? "" : ":");
  // The name of the zone is the machine's; its distance says the same.
  if (letter === "Z") return zoneSeconds === 0 ? "UTC" : zoneText(zoneSeconds, ":");
  const at = calendarOf(Math.floor(wallMs / 1000) + zoneSeconds);
  // The other case: that is the lower one only here.
  if (letter === "p" && flag === "#") return laid(at.hours < 12 ? "am" : "pm", "", width);
  const piece = wordOf(letter, at) ?? dateOf(letter, at) ?? timeOf(letter, at, instant);
  return piece === undefined ? whole : laid(piece, flag, width);
}

export function formatTimestamp(format: string, instant: Instant): string {
  return format.replaceAll(
    /%([-_0^#]?)(\d{0,3})(:?[a-zA-Z%])/g,
    (whole: string, flag: string, width: string, letter: string) => {
      const columns = width === "" ? undefined : Math.min(Number(width), WIDTH_MAX);
      return convert(whole, flag, columns, letter, instant);
    },
  );
}
