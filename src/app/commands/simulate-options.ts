/**
 * The options of `gemel simulate`, by the names of crm_simulate(8): one table, from which reading and help are made.
 */
import { isFalse, isTrue } from "../../cluster/core/scheduler/facts/values.ts";
import { type Injections, parseOperationSpec } from "../../cluster/core/scheduler/print/injections.ts";
import type { OperationSpec } from "../../cluster/core/scheduler/print/simulated-run.ts";
import { parseArgs } from "../arguments.ts";

interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly help: string;
}

export const OPTIONS = {
  "live-check": { type: "boolean", short: "L", help: "take the CIB of the running cluster" },
  "xml-file": { type: "string", short: "x", value: "FILE", help: "take the CIB from a file, - for standard input" },
  "xml-pipe": { type: "boolean", short: "p", help: "take the CIB from standard input" },
  run: { type: "boolean", short: "R", help: "show what the cluster would do" },
  simulate: { type: "boolean", short: "S", help: "do it in simulation, too, and show the status afterwards" },
  "in-place": { type: "boolean", short: "X", help: "like -S, and write the result back into the file" },
  "show-attrs": { type: "boolean", short: "A", help: "show node attributes" },
  "show-failcounts": { type: "boolean", short: "c", help: "show fail counts" },
  "show-scores": { type: "boolean", short: "s", help: "show scores" },
  "show-utilization": { type: "boolean", short: "U", help: "show capacity and who takes it" },
  quiet: { type: "boolean", short: "Q", help: "only what another option asks for" },
  verbose: { type: "boolean", short: "V", multiple: true, help: "tell everything that is doubtful in the CIB" },
  json: { type: "boolean", help: "the decision as JSON, every action with its reason" },
  "output-as": { type: "string", value: "FORMAT", help: "text or xml, as crm_simulate writes it" },
  "output-to": { type: "string", value: "FILE", help: "write the report there, - is standard output" },
  "text-fancy": { type: "boolean", help: "lists with headings: always so here" },
  "set-datetime": { type: "string", short: "t", value: "TIME", help: "judge as of this time (ISO 8601)" },
  quorum: { type: "string", short: "q", value: "1|0", help: "with or without quorum" },
  watchdog: { type: "string", short: "w", value: "1|0", help: "with or without a watchdog device" },
  "node-up": { type: "string", short: "u", multiple: true, value: "NODE", help: "bring a node online" },
  "node-down": { type: "string", short: "d", multiple: true, value: "NODE", help: "take a node offline" },
  "node-fail": { type: "string", short: "f", multiple: true, value: "NODE", help: "let a node fail" },
  "op-inject": {
    type: "string",
    short: "i",
    multiple: true,
    value: "OP",
    help: "let an operation have had this result",
  },
  "op-fail": { type: "string", short: "F", multiple: true, value: "OP", help: "let an operation fail in simulation" },
  "ticket-grant": { type: "string", short: "g", multiple: true, value: "TICKET", help: "grant a ticket" },
  "ticket-revoke": { type: "string", short: "r", multiple: true, value: "TICKET", help: "revoke a ticket" },
  "ticket-standby": { type: "string", short: "b", multiple: true, value: "TICKET", help: "put a ticket on standby" },
  "ticket-activate": { type: "string", short: "e", multiple: true, value: "TICKET", help: "take it off standby" },
  "save-input": { type: "string", short: "I", value: "FILE", help: "write the CIB with the changes asked for" },
  "save-output": { type: "string", short: "O", value: "FILE", help: "write the CIB as it is afterwards" },
  "save-graph": { type: "string", short: "G", value: "FILE", help: "write the transition as XML" },
  "save-dotfile": { type: "string", short: "D", value: "FILE", help: "write the transition as a Graphviz picture" },
  "all-actions": { type: "boolean", short: "a", help: "in the picture, also actions that are merely possible" },
  profile: { type: "string", short: "P", value: "DIR", help: "CPU time of the decision for each *.xml of a directory" },
  repeat: { type: "string", short: "N", value: "N", help: "with --profile: so many times each" },
  worker: {
    type: "boolean",
    help: "with --profile: in a thread, as the manager decides a large cluster; by the clock",
  },
  batch: { type: "string", value: "DIR", help: "graph, picture, report and scores of each *.xml of a directory" },
  out: { type: "string", value: "DIR", help: "with --batch: where to" },
  times: { type: "string", value: "FILE", help: "with --batch: a clock for some cases, lines of NAME tab TIME" },
  "run-dir": { type: "string", value: "DIR", help: "with -L: where the manager's socket is" },
  version: { type: "boolean", short: "$", help: "the version of gemel" },
  help: { type: "boolean", short: "h", help: "this text" },
} as const satisfies Readonly<Record<string, Option>>;

const SYNOPSIS = `usage: gemel simulate -x FILE | -L [-R | -S] [-s] [-Q] [changes...] [-D PICTURE] [-G GRAPH] [--json]
       gemel simulate --batch DIR --out DIR [--times FILE]
       gemel simulate --profile DIR [--repeat N]
`;

const EXAMPLES = `
OP is RESOURCE_TASK_INTERVAL@NODE=CODE: the interval in milliseconds, the code an OCF exit code.

What would happen if alpha failed now, and how would it end?
    gemel simulate -LS --node-fail alpha
The monitor of http finds it stopped, and its stop fails; keep what that leads to:
    gemel simulate -x cib.xml -S --op-inject http_monitor_10000@alpha=7 --op-fail http_stop_0@alpha=1 -O after.xml
Why is something where it is: gemel why RESOURCE [NODE]

Exit codes: 0; 1 with -S, when orders go round in a circle so that the transition cannot be done; 64 a wrong call; 66 a
file that cannot be read or holds no CIB; 68 a node or resource that the CIB does not know; 69 no manager answers; 74 a
file that cannot be written; 78 the CIB is not valid.
`;

export const USAGE = SYNOPSIS;

export function helpText(): string {
  const rows = Object.entries(OPTIONS).map(([name, option]: [string, Option]) => {
    const short = option.short === undefined ? "    " : `-${option.short}, `;
    return { flag: `${short}--${name}${option.value === undefined ? "" : `=${option.value}`}`, help: option.help };
  });
  const width = Math.max(...rows.map(({ flag }) => flag.length));
  return `${SYNOPSIS}\n${rows.map(({ flag, help }) => `  ${flag.padEnd(width)}  ${help}`).join("\n")}\n${EXAMPLES}`;
}

const list = (values: readonly string[] | undefined) => values ?? [];

function operationsOf(values: readonly string[] | undefined): OperationSpec[] {
  return list(values).map((text) => {
    const spec = parseOperationSpec(text);
    if (spec === undefined)
      throw new Error(
        `Invalid operation spec: ${text}; write RESOURCE_TASK_INTERVAL@NODE=CODE, as http_monitor_10000@alpha=7`,
      );
    return spec;
  });
}

/** Reads the command line; throws an error that says what is wrong with it. */
export function readArguments(argv: readonly string[]) {
  // The peer's help comes in parts (--help-all, --help-synthetic, ...); here all of it is one page.
  const args = argv.map((word) => (word.startsWith("--help-") ? "--help" : word));
  const { values } = parseArgs({ args, options: OPTIONS });
  if (values.repeat !== undefined && !/^\d+$/.test(values.repeat))
    throw new Error(`Cannot parse integer value "${values.repeat}" for --repeat; write a number of rounds, as 100`);
  for (const name of ["quorum", "watchdog"] as const) {
    const value = values[name];
    if (value !== undefined && !isTrue(value) && !isFalse(value))
      throw new Error(`--${name}=${value} is neither with nor without; write 1 or 0`);
  }
  const injections: Injections = {
    ...(values.quorum === undefined ? {} : { quorum: values.quorum }),
    ...(values.watchdog === undefined ? {} : { watchdog: values.watchdog }),
    nodesUp: list(values["node-up"]),
    nodesDown: list(values["node-down"]),
    nodesFail: list(values["node-fail"]),
    ticketsGrant: list(values["ticket-grant"]),
    ticketsRevoke: list(values["ticket-revoke"]),
    ticketsStandby: list(values["ticket-standby"]),
    ticketsActivate: list(values["ticket-activate"]),
    operations: operationsOf(values["op-inject"]),
  };
  return { values, injections, failures: operationsOf(values["op-fail"]) };
}

export type Arguments = ReturnType<typeof readArguments>;

export function isAsked(injections: Injections): boolean {
  return Object.values(injections).some((value: unknown) => (Array.isArray(value) ? value.length > 0 : true));
}
