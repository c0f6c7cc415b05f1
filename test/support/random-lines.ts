/**
 * Lines that somebody might type, and some that nobody would: for every command of the program, by all its names, and
 * for every level of the crm shell. The words are names that are there, names that are not, names that every object
 * inherits, numbers, times, and what breaks quoting, paths and XML; and what the command's own help names.
 */
import { OPTIONS } from "../../src/app/commands/help-options.ts";
import { COMMANDS } from "../../src/app/commands/index.ts";
import { EVERYWHERE, LEVELS, type LevelName } from "../../src/app/crm/levels.ts";
import { STATEMENT_NAMES } from "../../src/cib/crm-syntax/parse.ts";
import { fc } from "./repeatable.ts";

/** One asks all of the hardware and takes seconds; the other would try its default: hundreds of random worlds. */
const NOT_HERE = ["inventory", "sim"];
export const FUZZED = Object.keys(COMMANDS).filter((name) => !NOT_HERE.includes(name));

/** No program is ever given a zero byte in an argument; a line of the shell may hold one. */
const ZERO = "\u0000";

const WORDS = [
  ...["node01", "node02", "p_ip", "prmDB", "grpDB", "nothing", "status", "configuration", "crm_config", "cib"],
  ...["stonith-enabled", "standby", "on", "off", "true", "false", "INFINITY", "-1", "0", "99999999999999999999", "1e9"],
  ...[
    "",
    " ",
    "'",
    '"',
    "<",
    "]]>",
    "<x/>",
    '<nodes><node id="1"/></nodes>',
    "//*",
    "//nvpair[",
    "/cib/..",
    "../../etc",
  ],
  ...["PT1H", "P", "forever", "2026-11-21", "reboot", "now", "日本", ZERO, "a".repeat(5_000)],
  ...["constructor", "__proto__", "toString", "valueOf", "hasOwnProperty"],
];
export const word = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...WORDS) }, fc.string({ maxLength: 12 }));

const FLAGS = [
  ...["-1", "-G", "-D", "-Q", "-n", "-v", "-N", "-r", "-t", "-l", "-o", "-A", "-X", "-x", "-R", "-C", "-M", "-B", "-U"],
];
const VERBS = [
  ...["show", "list", "log", "diff", "rollback", "start", "stop", "cleanup", "configure", "resource", "primitive"],
];

/** What would wait for a person, for a device's answer, or for the cluster. */
const WAITING = ["-", "-p", "-w", "--watch", "-e", "-E", "edit", "-L", "-K", "try", "probe", "ipmi", "--restart"];

/** What may stand for the capitals of a help text. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  NODE: ["node01", "node02", "nothing"],
  RESOURCE: ["p_ip", "prmDB", "grpDB", "nothing"],
  ID: ["p_ip", "nothing", "1"],
  NAME: ["stonith-enabled", "standby", "note", "target-role", "is-managed"],
  FILE: ["cib.xml", "nothing"],
  XML: ["<x/>", '<nvpair id="n" name="a" value="b"/>', '<primitive id="p_ip" class="ocf" type="Dummy"/>', "<a"],
  XPATH: ["//nvpair", "//primitive[@id='p_ip']", "/cib/configuration", "//*", "//nvpair[", "string(//@id)"],
  TIME: ["10s", "PT1H", "2026-11-21 08:00:00Z", "1h (ago)", "-5"],
  DATE: ["2026-11-21", "2026-366", "2026-W53-7", "epoch 1"],
  SCORE: ["10", "-INFINITY", "1e9"],
  SECTION: ["nodes", "resources", "crm_config", "status", "constraints"],
  WHEN: ["reboot", "forever"],
  TICKET: ["one", "nothing"],
};

interface Typed {
  readonly flag: string | undefined;
  /** In capitals; undefined of a flag without a value. */
  readonly value: string | undefined;
}

/** The options, verbs and values that the help of a command names: what a call of it is made of. */
function typedOf(command: string): readonly Typed[] {
  const rows = (OPTIONS[command] ?? []).map(([typed]) => typed.replaceAll(", ", " | "));
  const text = [COMMANDS[command]?.usage ?? "", ...rows].join(" | ");
  // Of `-x, --xml-file FILE` the short option takes the same value.
  const flags = [...text.matchAll(/(--?[a-zA-Z0-9][\w-]*)(?: \| --[\w-]+)?(?:[ =[]*([A-Z][A-Z-]+))?/g)];
  const alone = [...text.matchAll(/(?<![-\w])(?:([a-z][a-z.-]+)|([A-Z][A-Z-]+))/g)];
  return [
    { flag: "--json", value: undefined },
    ...flags.map(([, flag, value]) => ({ flag, value })),
    ...alone.map(([, verb, value]) => ({ flag: verb, value })),
  ];
}

const valueFor = (capitals: string) =>
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...(VALUES[capitals] ?? WORDS)) }, word);

/** As the help has it: each option with a value if it wants one. */
function calledAsTold(command: string): fc.Arbitrary<string[]> {
  const pieces = typedOf(command).map(({ flag, value }) => {
    const before = flag === undefined ? [] : [flag];
    return value === undefined ? fc.constant(before) : valueFor(value).map((given) => [...before, given]);
  });
  return fc.array(fc.oneof(...pieces), { minLength: 1, maxLength: 4 }).map((all) => all.flat());
}

const isSafe = (argv: readonly string[]) => !argv.some((one) => WAITING.includes(one));
const isArgv = (argv: readonly string[]) => isSafe(argv) && !argv.some((one) => one.includes(ZERO));

/** Words behind a command. A first one is there, so that nothing becomes interactive. */
export function argumentsOf(command: string): fc.Arbitrary<string[]> {
  const own = typedOf(command).flatMap(({ flag }) => flag ?? []);
  const said = fc.oneof(word, fc.constantFrom(...FLAGS), fc.constantFrom(...VERBS), fc.constantFrom(...own));
  const anything = fc.array(said, { minLength: 1, maxLength: 6 });
  return fc.oneof({ weight: 3, arbitrary: calledAsTold(command) }, anything).filter(isArgv);
}

/** The names by which it is called: its own, behind the program's, and those of its links. */
export function callsOf(command: string): readonly (readonly [program: string, ...argv: string[]])[] {
  const links = COMMANDS[command]?.names ?? [];
  return [["gemel", command], ...links.map((name): readonly [string] => [name])];
}

export const levels = Object.keys(LEVELS) as LevelName[];
const SIGNS = ["(", ")", "[", "]", "{", "}", ":", "inf:", "-inf:", "100:", "\\", '"', "'", "=", "#", "$id=x", "/p_.*/"];
const PARTS = [
  ...["params", "meta", "utilization", "op", "operations", "rule", "attributes", "role=Started", "interval=10s"],
  ...["target-role=Stopped", "#uname", "eq", "ne", "lt", "defined", "date", "in", "and", "or", "ip=10.0.0.1", "set"],
  ...["ocf:heartbeat:Dummy", "Dummy", "stonith:null", "web:start", "web:Promoted", "@web", "score=INFINITY", "delete"],
];

/** One line of the shell at that level: a word of the level, a statement or anything, and what may stand behind. */
export function shellLine(level: LevelName): fc.Arbitrary<string> {
  const statements = level === "configure" ? STATEMENT_NAMES : [];
  const first = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...LEVELS[level], ...statements) },
    { weight: 1, arbitrary: fc.constantFrom(...EVERYWHERE) },
    { weight: 1, arbitrary: word },
  );
  const behind = fc.oneof(word, fc.constantFrom(...SIGNS), fc.constantFrom(...PARTS), fc.constantFrom("web", "alpha"));
  return fc
    .tuple(first, fc.array(behind, { maxLength: 8 }))
    .map(([verb, more]) => [verb, ...more])
    .filter(isSafe)
    .map((words) => words.join(" "));
}
