/** The command line of crm_mon, as a picture's wishes. The order of options that choose sections counts. */
import { entryOf } from "../../base/record.ts";
import {
  ALL_SECTIONS,
  ALL_TEXT_SECTIONS,
  chooseSections,
  DEFAULT_SECTIONS,
  SECTION_WORDS,
  type SectionStep,
} from "../../cluster/core/monitor/section-choice.ts";
import type { MonitorWishes } from "../../cluster/core/monitor/wishes.ts";

export const USAGE =
  "crm_mon [-1] [-AfrnotcRDbs] [-L [PREFIX]] [-m [0-3]] [-i SECONDS] [--node NODE|TAG] [--resource RESOURCE|TAG]\n" +
  "              [--include|--exclude SECTION,...] [--layout 1.0|2.1] [--output-as text|xml|json|html]\n" +
  "              [--output-to FILE] [-x FILE] [--run DIR]";

export const FLAGS = {
  "one-shot": { type: "boolean", short: "1" },
  inactive: { type: "boolean", short: "r" },
  "group-by-node": { type: "boolean", short: "n" },
  "show-detail": { type: "boolean", short: "R" },
  brief: { type: "boolean", short: "b" },
  node: { type: "string" },
  resource: { type: "string" },
  "simple-status": { type: "boolean", short: "s" },
  "as-xml": { type: "boolean", short: "X" },
  "as-html": { type: "string", short: "h" },
  "disable-ncurses": { type: "boolean", short: "N" },
  interval: { type: "string", short: "i" },
  "output-as": { type: "string" },
  "output-to": { type: "string" },
  "text-fancy": { type: "boolean" },
  layout: { type: "string" },
  "xml-file": { type: "string", short: "x" },
  verbose: { type: "boolean", short: "V" },
  quiet: { type: "boolean", short: "Q" },
  "html-cgi": { type: "boolean" },
  "web-cgi": { type: "boolean", short: "w" },
  "html-title": { type: "string" },
  "html-stylesheet": { type: "string" },
  daemonize: { type: "boolean", short: "d" },
  "pid-file": { type: "string", short: "p" },
  "external-agent": { type: "string", short: "E" },
  "external-recipient": { type: "string", short: "e" },
  "watch-fencing": { type: "boolean", short: "W" },
} as const;

const AS_SERVICE = "let the init system run it: crm_mon --output-as html --output-to FILE writes until it is ended";
const ALERTS = "alerts are told by the cluster itself: crm configure alert ID PATH";
export const REFUSED: Readonly<Record<string, string>> = {
  daemonize: AS_SERVICE,
  "pid-file": AS_SERVICE,
  "external-agent": ALERTS,
  "external-recipient": ALERTS,
  "watch-fencing": ALERTS,
};

export type Flags = Readonly<Record<string, unknown>>;

function text(flags: Flags, name: string): string | undefined {
  const value = entryOf(flags, name);
  return typeof value === "string" ? value : undefined;
}

/** By its name of today, or that of 1.1. */
export const isCgi = (flags: Flags) => flags["html-cgi"] === true || flags["web-cgi"] === true;

/** What a caller may say of the page. */
export const pageOf = (flags: Flags) => ({
  title: text(flags, "html-title"),
  stylesheet: text(flags, "html-stylesheet"),
});

export const FORMATS = ["text", "console", "xml", "json", "html"];

export function formatOf(flags: Flags): string {
  if (flags["as-xml"] === true) return "xml";
  if (typeof flags["as-html"] === "string" || isCgi(flags)) return "html";
  return text(flags, "output-as") ?? "text";
}

/** Histories are headed by the fail counts of what they are of. */
const OPERATIONS: readonly SectionStep[] = [
  { kind: "include", name: "failcounts" },
  { kind: "include", name: "operations" },
];
/** Options that choose sections: what they add or take away. */
const CHOOSERS: Readonly<Record<string, readonly SectionStep[]>> = {
  A: [{ kind: "include", name: "attributes" }],
  f: [{ kind: "include", name: "failcounts" }],
  o: OPERATIONS,
  t: OPERATIONS,
  c: [{ kind: "include", name: "tickets" }],
  D: [{ kind: "exclude", name: "summary" }],
  Q: [{ kind: "exclude", name: "times" }],
};
const LONG_CHOOSERS: Readonly<Record<string, string>> = {
  "--show-node-attributes": "A",
  "--failcounts": "f",
  "--operations": "o",
  "--timing-details": "t",
  "--tickets": "c",
  "--hide-headers": "D",
  "--quiet": "Q",
  "--neg-locations": "L",
  "--fence-history": "m",
  "--include": "I",
  "--exclude": "U",
};

/** Fact: crm_mon(8), --fence-history: 0 off, 1 failures and pending, 2 adds successes, 3 without reduction. */
function fencingSteps(level: string): readonly SectionStep[] {
  const shown = level === "0" ? [] : level === "1" ? ["fencing-failed", "fencing-pending"] : ["fencing"];
  return [{ kind: "exclude", name: "fencing" }, ...shown.map((name) => ({ kind: "include", name }) as const)];
}

interface Split {
  /** What is left for the table of flags. */
  readonly rest: readonly string[];
  readonly steps: readonly SectionStep[];
  readonly bans: string;
  readonly isTimed: boolean;
  readonly wholeFencingHistory: boolean;
  /** Of a history that has no such level. */
  readonly strangeLevel: string | undefined;
}

/** Short options stand together (`-fA1`), but not behind one that has a value (`-x`). */
const TOGETHER = /^-(?![hipEex])[A-Za-z0-9]+$/;

/** What a word's options are: those of one letter, with the value that stands in the same word. */
function readWord(word: string): { readonly letters: string; readonly value: string | undefined } {
  const [, long = "", joined] = /^(--[\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
  const letter = entryOf(LONG_CHOOSERS, long);
  if (letter !== undefined) return { letters: letter, value: joined };
  if (!TOGETHER.test(word)) return { letters: "", value: undefined };
  const [, letters = "", value = ""] = /^-([^ILUm]*[ILUm]?)(.*)$/.exec(word) ?? [];
  return { letters, value: value === "" ? undefined : value };
}

/** Whether the word behind the option is its value. Fact: crm_mon(8): that of -L and -m may be left out. */
function takesNext(letter: string | undefined, next: string | undefined): boolean {
  if (next === undefined) return false;
  if (letter === "L") return !next.startsWith("-");
  return letter === "m" ? /^\d+$/.test(next) : letter === "I" || letter === "U";
}

/** Takes out of the command line, in their order, the options that choose sections. */
export function splitSections(argv: readonly string[]): Split {
  const found = { bans: "", isTimed: false, wholeFencingHistory: false, strangeLevel: undefined as string | undefined };
  const [rest, steps]: [string[], SectionStep[]] = [[], []];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    const { letters, value } = readWord(word);
    if (letters === "") {
      rest.push(word);
      continue;
    }
    const isBehind = value === undefined && takesNext(letters.at(-1), argv[at + 1]);
    const given = isBehind ? argv[at + 1] : value;
    if (isBehind) at += 1;
    const others = letters.split("").filter((letter, index) => {
      const own = index === letters.length - 1 ? given : undefined;
      if (letter === "t") found.isTimed = true;
      if (letter === "L") found.bans = own ?? "";
      if (letter === "m") found.wholeFencingHistory = own === "3";
      if (letter === "m" && own !== undefined && !/^[0-3]$/.test(own)) found.strangeLevel = own;
      const chosen = stepsOf(letter, own, (prefix) => {
        found.bans = prefix;
      });
      steps.push(...(chosen ?? []));
      return chosen === undefined;
    });
    if (others.length > 0) rest.push(`-${others.join("")}`);
  }
  return { rest, steps, ...found };
}

/** Undefined for an option that chooses no sections. */
function stepsOf(
  letter: string,
  value: string | undefined,
  onPrefix: (prefix: string) => void,
): readonly SectionStep[] | undefined {
  if (letter === "L") return [{ kind: "include", name: "bans" }];
  if (letter === "m") return fencingSteps(value ?? "2");
  if (letter !== "I" && letter !== "U") return entryOf(CHOOSERS, letter);
  const kind = letter === "I" ? "include" : "exclude";
  return (value ?? "").split(",").map((name) => {
    const [, prefix] = /^bans:(.*)$/s.exec(name) ?? [];
    if (prefix === undefined) return { kind, name };
    onPrefix(prefix);
    return { kind, name: "bans" };
  });
}

/** What is wanted; or what is wrong with the wish. XML has everything that is not taken away. */
export function wishesOf(flags: Flags, split: Split, format: string): MonitorWishes | string {
  if (split.strangeLevel !== undefined) return `-m ${split.strangeLevel}: the history of fencing has the levels 0 to 3`;
  const isData = format === "xml" || format === "json";
  const all = isData || format === "html" ? ALL_SECTIONS : ALL_TEXT_SECTIONS;
  const chosen = chooseSections(isData ? ALL_SECTIONS : DEFAULT_SECTIONS, split.steps, all);
  if (chosen.kind !== "chosen") {
    const wrong = chosen.name === "" ? " wants sections" : ` ${chosen.name}: there is no such section`;
    return `--${chosen.kind}${wrong}; there are ${SECTION_WORDS.join(", ")}`;
  }
  const on = (name: string) => entryOf(flags, name) === true;
  return {
    sections: chosen.sections,
    inactive: on("inactive"),
    byNode: on("group-by-node"),
    timing: split.isTimed,
    detail: on("show-detail"),
    brief: on("brief"),
    bans: split.bans,
    wholeFencingHistory: split.wholeFencingHistory,
    node: text(flags, "node"),
    resource: text(flags, "resource"),
  };
}
