/**
 * `gemel crm-resource`, also `crm_resource`: everything about resources in the words of the field. This file reads the
 * call and finds who answers it; what is only told stands in crm-resource-query.ts, what changes something in
 * crm-resource-change.ts. Facts: crm_resource(8); outputs of crm_resource 2.1.5 on CIB files.
 */
import { entryOf } from "../../base/record.ts";
import type { XmlElement } from "../../base/xml.ts";
import { withoutInstance } from "../../cib/instance-name.ts";
import { readCommandLine, refuseOutput } from "../control-client.ts";
import { wrongCall } from "./ask.ts";
import { BY_HAND } from "./crm-resource-agent.ts";
import { CHANGES } from "./crm-resource-change.ts";
import { EXPLANATIONS } from "./crm-resource-explain.ts";
import { QUERIES } from "./crm-resource-query.ts";
import { answeredInXml } from "./xml-answer.ts";

export interface ResourceCall {
  readonly socketPath: string;
  /** Without the number of an instance. */
  readonly resource: string | undefined;
  /** As it was called, with the number of an instance. */
  readonly named: string | undefined;
  readonly node: string | undefined;
  /** Of the action itself: the parameter's name for -g, -p and -d. */
  readonly argument: string;
  readonly value: string | undefined;
  /** instance_attributes, meta_attributes or utilization. */
  readonly set: string;
  /** Words that belong to no flag: NAME=VALUE of --digests. */
  readonly words: readonly string[];
  /** NAME=VALUE of every --option. */
  readonly options: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** With `--output-as=xml`: takes what is told. */
  readonly add?: (element: XmlElement) => void;
}

export type ResourceAction = (call: ResourceCall) => Promise<number>;

const USAGE =
  "crm_resource -L | -l | -W | -q | -w | -a | -A | -O | -o | -g NAME | -Y\n" +
  "       crm_resource -p NAME -v VALUE | -d NAME  [-m | -z]    -C | -R | -M | -B | -U | --restart | --fail | -D\n" +
  "       crm_resource --force-start|--force-stop|--force-check[=LEVEL]|--force-promote|--force-demote -r RESOURCE\n" +
  "       crm_resource --validate[=LEVEL] (-r RESOURCE | --class C --provider P --agent A --option NAME=VALUE...)\n" +
  "       crm_resource --digests -r RESOURCE -N NODE [NAME=VALUE...] | --wait\n" +
  "       with: -r RESOURCE [-N NODE] [-u LIFETIME] [--promoted] [-f] [-Q] [--wait] [--reason TEXT]";
export const FLAGS = {
  list: { type: "boolean", short: "L" },
  "list-raw": { type: "boolean", short: "l" },
  "list-operations": { type: "boolean", short: "O" },
  "list-all-operations": { type: "boolean", short: "o" },
  "list-standards": { type: "boolean" },
  "list-ocf-providers": { type: "boolean" },
  "list-agents": { type: "string" },
  "list-ocf-alternatives": { type: "string" },
  "show-metadata": { type: "string" },
  "query-xml": { type: "boolean", short: "q" },
  "query-xml-raw": { type: "boolean", short: "w" },
  locate: { type: "boolean", short: "W" },
  constraints: { type: "boolean", short: "a" },
  stack: { type: "boolean", short: "A" },
  why: { type: "boolean", short: "Y" },
  "get-parameter": { type: "string", short: "g" },
  "set-parameter": { type: "string", short: "p" },
  "delete-parameter": { type: "string", short: "d" },
  "force-start": { type: "boolean" },
  "force-stop": { type: "boolean" },
  "force-check": { type: "boolean" },
  "force-promote": { type: "boolean" },
  "force-demote": { type: "boolean" },
  validate: { type: "boolean" },
  digests: { type: "boolean" },
  recursive: { type: "boolean" },
  cleanup: { type: "boolean", short: "C" },
  refresh: { type: "boolean", short: "R" },
  reprobe: { type: "boolean", short: "P" },
  move: { type: "boolean", short: "M" },
  migrate: { type: "boolean" },
  ban: { type: "boolean", short: "B" },
  clear: { type: "boolean", short: "U" },
  "un-move": { type: "boolean" },
  "un-migrate": { type: "boolean" },
  expired: { type: "boolean", short: "e" },
  restart: { type: "boolean" },
  fail: { type: "boolean", short: "F" },
  delete: { type: "boolean", short: "D" },
  wait: { type: "boolean" },
  resource: { type: "string", short: "r" },
  node: { type: "string", short: "N" },
  host: { type: "string", short: "H" },
  "parameter-value": { type: "string", short: "v" },
  meta: { type: "boolean", short: "m" },
  utilization: { type: "boolean", short: "z" },
  lifetime: { type: "string", short: "u" },
  class: { type: "string" },
  agent: { type: "string" },
  provider: { type: "string" },
  operation: { type: "string", short: "n" },
  interval: { type: "string", short: "I" },
  timeout: { type: "string", short: "T" },
  "set-name": { type: "string", short: "s" },
  nvpair: { type: "string", short: "i" },
  "resource-type": { type: "string", short: "t" },
  reason: { type: "string" },
  promoted: { type: "boolean" },
  master: { type: "boolean" },
  force: { type: "boolean", short: "f" },
  quiet: { type: "boolean", short: "Q" },
  verbose: { type: "boolean", short: "V" },
  "output-as": { type: "string" },
  "output-to": { type: "string" },
} as const;

/** Names of the same thing that older tools have. */
const ALIASES: Readonly<Record<string, string>> = {
  migrate: "move",
  "un-move": "clear",
  "un-migrate": "clear",
  reprobe: "refresh",
};
const ACTIONS: Readonly<Record<string, ResourceAction>> = { ...QUERIES, ...EXPLANATIONS, ...CHANGES, ...BY_HAND };

/** Of what is told these are written as XML, of what is changed all: the result is all there is to tell. */
const IN_XML = [
  ...["locate", "list-raw", "get-parameter", "list-standards", "list-ocf-providers", "list-agents"],
  ...["list-ocf-alternatives", ...Object.keys(CHANGES)],
];

interface Split {
  readonly rest: readonly string[];
  readonly options: readonly string[];
  readonly level?: string;
}

/** What parseArgs cannot tell: a level that may follow a flag, and an option that may come several times. */
function splitSpecials(argv: readonly string[]): Split {
  const rest: string[] = [];
  const options: string[] = [];
  let level: string | undefined;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    const [, flag, given] = /^(--(?:force-check|validate))=(.*)$/.exec(word) ?? [];
    if (flag !== undefined) {
      level = given;
      rest.push(flag);
    } else if (word.startsWith("--option=")) options.push(word.slice("--option=".length));
    else if (word === "--option") {
      at += 1;
      options.push(argv[at] ?? "");
    } else rest.push(word);
  }
  return level === undefined ? { rest, options } : { rest, options, level };
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** Exit codes: 0; 1 refused or failed; 64 wrong call; 69 no manager; 105 there is no such thing. */
export async function run(argv: readonly string[]): Promise<number> {
  const { rest, options, level } = splitSpecials(argv);
  const called = readCommandLine(rest, FLAGS);
  if (called.kind === "wrong") return wrongCall("crm_resource", called.reason, USAGE);
  const { socketPath, words } = called;
  const flags = level === undefined ? called.flags : { ...called.flags, level };
  const asked = Object.keys(flags).map((name) => entryOf(ALIASES, name) ?? name);
  // `--wait` alone is an action; beside another one it says: come back when it is done.
  const actions = [...new Set(asked.filter((name) => Object.hasOwn(ACTIONS, name)))];
  const [name = asked.includes("wait") ? "wait" : "", second] = actions.filter((each) => each !== "wait");
  const action = entryOf(ACTIONS, name);
  if (action === undefined) return wrongCall("crm_resource", "what shall be done?", USAGE);
  if (second !== undefined) return wrongCall("crm_resource", `--${name} and --${second} exclude each other`, USAGE);
  const isXml = flags["output-as"] === "xml" && IN_XML.includes(name);
  const refusal = refuseOutput(isXml ? { ...flags, "output-as": "text" } : flags);
  if (refusal !== undefined) return wrongCall("crm_resource", refusal, USAGE);
  const spelled = Object.keys(flags).find((each) => (entryOf(ALIASES, each) ?? each) === name) ?? name;
  const set =
    flags["meta"] === true ? "meta_attributes" : flags["utilization"] === true ? "utilization" : "instance_attributes";
  const named = text(flags["resource"]);
  const call: ResourceCall = {
    socketPath,
    named,
    resource: named === undefined ? undefined : withoutInstance(named),
    node: text(flags["node"]) ?? text(flags["host"]),
    argument: text(entryOf(flags, spelled)) ?? "",
    value: text(flags["parameter-value"]),
    set,
    words,
    options,
    flags,
  };
  return isXml ? await answeredInXml("crm_resource", argv, (add) => action({ ...call, add })) : await action(call);
}
