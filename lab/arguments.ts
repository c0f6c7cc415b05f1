/**
 * The lab's command line, read and checked as a whole before anything starts. Pure. The table below is what `help`
 * prints, and what a wrong word is compared with.
 */
import type { Problem } from "../src/base/problem.ts";
import {
  isLinkName,
  isNetworkName,
  isNodeName,
  isStrikeName,
  isVice,
  LINKS,
  type LinkName,
  NODES,
  type NodeName,
  STRIKES,
  type StrikeName,
  VICES,
  type Vice,
} from "./names.ts";

type ArgumentKind = "node" | "link" | "count" | "rows" | "percent" | "strike" | "vice" | "words";

interface CommandShape {
  readonly summary: string;
  /** In order. A question mark makes it optional; `words` takes all that is left. */
  readonly takes: readonly (ArgumentKind | `${ArgumentKind}?`)[];
}

export const COMMANDS = {
  up: { summary: "start the pair and show both nodes until Ctrl-C (the same as no command)", takes: [] },
  demo: { summary: "the guided tour: write, power cut, takeover, verify, power on, rejoin", takes: [] },
  soak: {
    summary: "so many power cuts (20 unless given), or freezes, panics, splits; alternating sides",
    takes: ["count?", "strike?"],
  },
  boards: {
    summary: "the tour of boards: dead, stuck, refusing, slow, dull, lying, none, an RSA (18 minutes), or some: 9,10",
    takes: ["rows?"],
  },
  site: {
    summary: "the DRBD and Apache site of the source documents, unchanged, on the pair (5 minutes)",
    takes: [],
  },
  troubles: {
    summary: "the 20 rows of what `gemel status` tells, each provoked and healed (20 minutes), or some: 12,15",
    takes: ["rows?"],
  },
  status: { summary: "both nodes as they are now", takes: [] },
  watch: { summary: "the live view, until Ctrl-C", takes: [] },
  console: { summary: "the node's serial console; Ctrl-] leaves it", takes: ["node"] },
  "power-cut": { summary: "cut the power of a node (the active one unless named)", takes: ["node?"] },
  "power-on": { summary: "press the power button of a node that is off", takes: ["node?"] },
  freeze: { summary: "stop a node's processor (the active one unless named)", takes: ["node?"] },
  thaw: { summary: "let a frozen node go on", takes: ["node?"] },
  panic: { summary: "crash a node's kernel (the active one unless named)", takes: ["node?"] },
  cut: { summary: "cut a link: service, private, serial, bmc-alpha, bmc-bravo", takes: ["link", "node?"] },
  join: { summary: "join a link again (all that are cut unless named)", takes: ["link?", "node?"] },
  split: { summary: "cut every link between the nodes; boards and client stay", takes: [] },
  noise: { summary: "garble so much of what the serial cable carries; 0 ends it", takes: ["percent"] },
  "bmc-down": { summary: "hang the BMC of a node (the active one unless named)", takes: ["node?"] },
  "bmc-up": { summary: "let hung BMCs go on", takes: ["node?"] },
  "bmc-vice": {
    summary: "a board that is slow, stuck, refusing, dull or lying about power; none ends it",
    takes: ["vice", "node?"],
  },
  "bmc-password": {
    summary: "spoil the password that the peer has for a node's BMC; again mends it",
    takes: ["node?"],
  },
  "disk-error": { summary: "make every access to a node's mirrored disk fail", takes: ["node?"] },
  "disk-mend": { summary: "end the disk errors", takes: ["node?"] },
  write: { summary: "write numbered records through the virtual address (for ever, or so many)", takes: ["count?"] },
  verify: { summary: "is every acknowledged record there? Exit code 1 if one is lost", takes: [] },
  logs: { summary: "the last lines of a node's log (both unless named)", takes: ["node?"] },
  memory: { summary: "what keeper and manager cost each node", takes: [] },
  run: { summary: "run a shell command on a node over the lab's own line", takes: ["node", "words"] },
  down: { summary: "take the running lab down", takes: [] },
  help: { summary: "this page", takes: [] },
} as const satisfies Readonly<Record<string, CommandShape>>;

export type CommandName = keyof typeof COMMANDS;

export interface Call {
  readonly lab: string;
  readonly command: CommandName;
  readonly node?: NodeName;
  readonly link?: LinkName;
  /** Of records or rounds; of `noise` the percentage. */
  readonly count?: number;
  /** Numbers of the table of troubles, or of the scenarios of boards. */
  readonly rows?: readonly number[];
  /** What `soak` does. */
  readonly strike?: StrikeName;
  /** What is wrong with a board from now on. */
  readonly vice?: Vice;
  /** The shell command of `run`. */
  readonly words?: string;
}

export type ReadCall =
  | { readonly kind: "call"; readonly call: Call }
  | { readonly kind: "problem"; readonly problem: Problem };

export const LAB_DEFAULT = "lab";
const COUNT_MAX = 1_000_000;
/** The table of troubles is the longest: docs/operations/what-to-do.md. */
const ROWS_MAX = 20;

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}

function problem(place: string, reason: string, remedy: string): ReadCall {
  return { kind: "problem", problem: { severity: "error", place, reason, remedy } };
}

/** `--lab NAME` may stand anywhere; it is taken out of the words. */
function takeLab(argv: readonly string[]): { readonly lab: string | undefined; readonly words: readonly string[] } {
  const at = argv.indexOf("--lab");
  if (at < 0) return { lab: LAB_DEFAULT, words: argv };
  return { lab: argv[at + 1], words: [...argv.slice(0, at), ...argv.slice(at + 2)] };
}

type Argument = Pick<Call, "node" | "link" | "count" | "rows" | "strike" | "vice" | "words">;

/** The argument, or what is wrong with it. */
function readArgument(kind: ArgumentKind, word: string): Argument | string {
  switch (kind) {
    case "node":
      return isNodeName(word) ? { node: word } : `there is no node ${word}; the nodes are ${NODES.join(" and ")}`;
    case "link":
      return isLinkName(word) ? { link: word } : `there is no link ${word}; the links are ${LINKS.join(", ")}`;
    case "count":
      return /^\d+$/.test(word) && Number(word) >= 1 && Number(word) <= COUNT_MAX
        ? { count: Number(word) }
        : `${word} is no number from 1 to ${COUNT_MAX}`;
    case "rows": {
      const rows = word.split(",").map(Number);
      return rows.every((row) => Number.isInteger(row) && row >= 1 && row <= ROWS_MAX)
        ? { rows }
        : `${word} is no list of numbers from 1 to ${ROWS_MAX}`;
    }
    case "percent":
      return /^\d+$/.test(word) && Number(word) <= 100 ? { count: Number(word) } : `${word} is no number from 0 to 100`;
    case "strike":
      return isStrikeName(word) ? { strike: word } : `${word} is none of ${STRIKES.join(", ")}`;
    case "vice":
      return isVice(word) ? { vice: word } : `${word} is none of ${VICES.join(", ")}`;
    case "words":
      return { words: word };
  }
}

const KINDS: readonly ArgumentKind[] = ["node", "link", "count", "rows", "percent", "strike", "vice", "words"];

function kindOf(take: ArgumentKind | `${ArgumentKind}?`): ArgumentKind {
  return KINDS.find((kind) => take === kind || take === `${kind}?`) ?? "words";
}

function readWords(lab: string, command: CommandName, words: readonly string[]): ReadCall {
  const { takes }: CommandShape = COMMANDS[command];
  const remedy = `write: ${usageOf(command)}`;
  const rest = [...words];
  let call: Call = { lab, command };
  let refusal: string | undefined;
  for (const take of takes) {
    const kind = kindOf(take);
    const word = kind === "words" ? rest.join(" ") : (rest[0] ?? "");
    if (word === "") {
      if (take.endsWith("?")) continue;
      return problem(command, kind === "words" ? "the shell command is missing" : `the ${kind} is missing`, remedy);
    }
    const argument = readArgument(kind, word);
    if (typeof argument === "string") {
      // What may be left out may be left out before something else.
      refusal ??= argument;
      if (!take.endsWith("?")) break;
      continue;
    }
    refusal = undefined;
    call = { ...call, ...argument };
    rest.splice(0, kind === "words" ? rest.length : 1);
  }
  const [extra] = rest;
  if (extra !== undefined) return problem(command, refusal ?? `${extra} is one word too many`, remedy);
  if (command === "join" && call.node !== undefined && call.link === undefined) {
    return problem(command, "the link is missing", remedy);
  }
  if (call.link !== undefined && call.node !== undefined && !isNetworkName(call.link)) {
    return problem(command, `${call.link} has no end of its own for ${call.node}`, "leave the node away");
  }
  return { kind: "call", call };
}

export function readArguments(argv: readonly string[]): ReadCall {
  const { lab, words } = takeLab(argv);
  if (lab === undefined) return problem("--lab", "the name is missing", "write: --lab NAME");
  const [first = "up", ...rest] = words;
  const command = first === "--help" || first === "-h" ? "help" : first;
  if (!isCommandName(command)) return problem(first, "there is no such command", "see `npm run lab -- help`");
  return readWords(lab, command, rest);
}

export function usageOf(command: CommandName): string {
  const { takes }: CommandShape = COMMANDS[command];
  const words = takes.map((take) => (take.endsWith("?") ? `[${kindOf(take).toUpperCase()}]` : take.toUpperCase()));
  return [command, ...words].join(" ");
}

export function helpText(): string {
  const names = Object.keys(COMMANDS).filter(isCommandName);
  const width = Math.max(...names.map((name) => usageOf(name).length));
  const rows = names.map((name) => `  ${usageOf(name).padEnd(width)}  ${COMMANDS[name].summary}`);
  return [
    "usage: npm run lab [-- [--lab NAME] COMMAND]",
    "",
    "A pair of emulated appliances, alpha and bravo. Without a command it starts the pair and shows it until Ctrl-C;",
    "the other commands then work from a second terminal. `demo`, `soak`, `boards` and `site` start one if none runs.",
    "",
    ...rows,
    "",
  ].join("\n");
}
