/**
 * The table of commands: one literal object, no folder scan. `gemel help` and tab completion are printed from it.
 * A command gets its own arguments and answers with the exit code; what it cannot do it says on standard error.
 */
import path from "node:path";
import process from "node:process";
import { nearestName } from "../../base/nearest.ts";
import { entryOf } from "../../base/record.ts";
import { heedLanguage, operatorsLanguage } from "../operators-language.ts";
import { wrapped } from "../wrapped.ts";
import { EXAMPLES } from "./help-examples.ts";

export interface Command {
  /** One line for `gemel help`. */
  readonly summary: string;
  /** Arguments as `gemel help` prints them. */
  readonly usage: string;
  /** Other names that start this command when the program is called by them, as `crm_mon`. */
  readonly names?: readonly string[];
  /** It prints its own --help, which says more than `usage` can. */
  readonly ownHelp?: true;
  readonly load: () => Promise<{ readonly run: (argv: readonly string[]) => Promise<number> }>;
}

export const COMMANDS: Readonly<Record<string, Command>> = {
  "attrd-updater": {
    summary: "transient attributes of nodes, with dampening",
    usage: "-n NAME -U VALUE [-d DELAY] | -Q [-A] | -D  [-N NODE] [-p]",
    names: ["attrd_updater"],
    load: () => import("./attrd-updater.ts"),
  },
  cibadmin: {
    summary: "query and change the CIB as XML",
    usage:
      "-Q [-o SECTION | -A XPATH [-e]] [-n] | -C|-M|-R|-D|-d [-o SECTION | -A XPATH] (-x FILE | -X XML | -p) | " +
      "-P PATCH | -B | -u -f | -E -f | -a | -5|-6",
    names: ["cibadmin"],
    load: () => import("./cibadmin.ts"),
  },
  "cl-status": {
    summary: "the questions of Heartbeat's cl_status: nodes, links, whose resources run here",
    usage: "hbstatus | listnodes | nodestatus NODE | listhblinks NODE | hblinkstatus NODE LINK | rscstatus [-m] | ...",
    names: ["cl_status"],
    load: () => import("./cl-status.ts"),
  },
  config: {
    summary: "history of the configuration and ways back: who changed what; rollback; changes on trial",
    usage: "log | diff [VERSION [VERSION]] | show VERSION | rollback [VERSION] | try SECONDS FILE | confirm",
    load: () => import("./config.ts"),
  },
  configure: {
    summary: "the configuration: show, load, delete, or any statement",
    usage: "show|load update FILE|delete ID|...",
    load: () => import("./configure.ts"),
  },
  crm: {
    summary: "the crm shell: one command, a batch, or interactive",
    usage: "[-F] [-w] [-R] [-D plain] [-c SHADOW] [-f FILE] [configure|resource|node ...]",
    names: ["crm"],
    ownHelp: true,
    load: () => import("./crm.ts"),
  },
  "crm-attribute": {
    summary: "options of the cluster and attributes of nodes",
    usage: "-n NAME -G|-v VALUE|-D [-N NODE] [-l reboot|forever] [-t SECTION] [-q]",
    names: ["crm_attribute"],
    load: () => import("./crm-attribute.ts"),
  },
  "crm-diff": {
    summary: "the difference of two CIBs as a patch, and a patch applied",
    usage: "(-o FILE | -O XML) (-n FILE | -N XML | -p PATCH) [-c] [-u]",
    names: ["crm_diff"],
    load: () => import("./crm-diff.ts"),
  },
  "crm-error": {
    summary: "what a number means that a tool has ended with",
    usage: "[-X|-r] [-n] [-l | [--] CODE...]",
    names: ["crm_error"],
    load: () => import("./crm-error.ts"),
  },
  "crm-failcount": {
    summary: "how often a resource has failed; to forget it",
    usage: "-G|-D -r RESOURCE [-N NODE] [-n OPERATION -I INTERVAL]",
    names: ["crm_failcount"],
    load: () => import("./crm-failcount.ts"),
  },
  "crm-master": {
    summary: "the promotion score of an agent; agents call it",
    usage: "-G|-v SCORE|-D [-l reboot|forever] [-r RESOURCE]",
    names: ["crm_master"],
    load: () => import("./crm-master.ts"),
  },
  "crm-mon": {
    summary: "the cluster as crm_mon prints it",
    usage: "[-1] [-AfrnotcRDbs] [-L [PREFIX]] [-m [0-3]] [--layout 1.0] [--output-as xml|json|html] [-x FILE]",
    names: ["crm_mon"],
    load: () => import("./crm-mon.ts"),
  },
  "crm-node": {
    summary: "names, ids and membership of nodes",
    usage: "-n | -i | -l | -p | -q | -N ID | -R NAME --force",
    names: ["crm_node"],
    load: () => import("./crm-node.ts"),
  },
  "crm-resource": {
    summary: "everything about resources in the words of the field",
    usage: "-L|-W|-q|-a|-O|-Y|-g|-p|-d|-C|-R|-M|-B|-U|--restart|--fail|-D -r RESOURCE",
    names: ["crm_resource"],
    load: () => import("./crm-resource.ts"),
  },
  "crm-rule": {
    summary: "whether a dated rule is in effect",
    usage: "-c -r RULE [-d DATE] [-X XML|-]",
    names: ["crm_rule"],
    load: () => import("./crm-rule.ts"),
  },
  "crm-shadow": {
    summary: "copies of the CIB to try things on",
    usage: "-w|-p|-F|-d | -c|-e|-r NAME | -C|-D NAME --force",
    names: ["crm_shadow"],
    load: () => import("./crm-shadow.ts"),
  },
  "crm-standby": {
    summary: "whether a node may run resources",
    usage: "-G|-v on|off|-D [-N NODE] [-l reboot|forever]",
    names: ["crm_standby"],
    load: () => import("./crm-standby.ts"),
  },
  "crm-ticket": {
    summary: "the tickets of this site",
    usage: "-l|-L|-w|-q|-c [-t TICKET] | -g|-r|-s|-a|-C|-G NAME|-S NAME -v VALUE|-D NAME -t TICKET [-f]",
    names: ["crm_ticket"],
    load: () => import("./crm-ticket.ts"),
  },
  crmadmin: {
    summary: "who leads, how a node stands, which nodes there are",
    usage: "-D | -S NODE | -N",
    names: ["crmadmin"],
    load: () => import("./crmadmin.ts"),
  },
  doctor: {
    summary: "what works today and will hurt on the day of the fault: fencing, leftovers, times, clocks, init scripts",
    usage: "[--json] [--lang en|ja] [--run DIR]",
    load: () => import("./doctor.ts"),
  },
  "drbd-handler": {
    summary: "called by DRBD: what is proven of a lost peer",
    usage: "fence-peer|unfence-peer|split-brain|... [--run DIR]",
    load: () => import("./drbd-handler.ts"),
  },
  fence: {
    summary: "drive a fencing device by hand, or show the plan",
    usage:
      "history | proofs | prove | drill NODE | confirm NODE | off|on|reboot NODE | " +
      "ipmi ... | test DEVICE ... | probe ... | plan ... | disk ... | lock ...",
    ownHelp: true,
    load: () => import("./fence.ts"),
  },
  "hb-standby": {
    summary: "a site from haresources: give up all resources, one's own (local), or the other's (foreign)",
    usage: "[all|foreign|local|failback]",
    names: ["hb_standby"],
    load: async () => (await import("./heartbeat-v1.ts")).standby,
  },
  "hb-takeover": {
    summary: "a site from haresources: take all resources, one's own (local), or the other's (foreign)",
    usage: "[all|foreign|local|failback]",
    names: ["hb_takeover"],
    load: async () => (await import("./heartbeat-v1.ts")).takeover,
  },
  hw: {
    summary: "what the hardware profiles know of this machine",
    usage: "detect | explain PROFILE | list",
    load: () => import("./hw.ts"),
  },
  import: {
    summary: "an existing Heartbeat site, line by line",
    usage: "ha.d DIR [--write DIR] [--name NODE] [--address NODE=ADDRESS]...",
    load: () => import("./import.ts"),
  },
  inventory: {
    summary: "what machine this is: board, disks, networks",
    usage: "[--json]",
    load: () => import("./inventory.ts"),
  },
  iso8601: {
    summary: "dates and durations as rules are read",
    usage: "-n | -d DATE | -p START/END | -D DURATION  [-s|-S|-O|-W] [-L] [-E TEXT]",
    names: ["iso8601"],
    load: () => import("./iso8601.ts"),
  },
  log: {
    summary: "the last lines of this node's manager",
    usage: "[--lines N] [--node NODE] [--run DIR]",
    load: () => import("./log.ts"),
  },
  "lsb-check": {
    summary: "try an init script against the rules that a cluster needs",
    usage: "SCRIPT [--stop-it]",
    load: () => import("./lsb-check.ts"),
  },
  manager: {
    summary: "the manager of a node; started by `gemel node`, by nobody else",
    usage: "--config FILE --state DIR --run DIR [--name NODE]",
    load: () => import("./manager.ts"),
  },
  meatclient: {
    summary: "confirm that a node was switched off by hand",
    usage: "-c NODE",
    names: ["meatclient"],
    load: () => import("./meatclient.ts"),
  },
  node: {
    summary: "run this node: the keeper, which starts the manager",
    usage: "--config FILE --state DIR --run DIR [--name NODE] [--no-realtime]",
    load: () => import("./node.ts"),
  },
  replay: {
    summary: "decide again, from a node's black box, what it has decided",
    usage: "FILE...|DIRECTORY [--story]",
    load: () => import("./replay.ts"),
  },
  report: {
    summary: "all that is needed to understand an incident, in one archive, secrets masked",
    usage: "[-f TIME] [-t TIME] [DEST]",
    names: ["hb_report", "crm_report"],
    load: () => import("./report.ts"),
  },
  "req-resource": {
    summary: "a site from haresources: ask for one group",
    usage: "RESOURCE",
    names: ["req_resource"],
    load: async () => (await import("./heartbeat-v1.ts")).request,
  },
  sim: {
    summary: "random faults on virtual clusters with the real cores: what must never happen, and whether it does",
    usage: "[--seeds N] [--seed FIRST] [--jobs N] [--trace] | --scenario FILE [--trace]",
    load: () => import("./sim.ts"),
  },
  simulate: {
    summary: "what the scheduler would do with a CIB",
    usage: "-x FILE | -L [-S] [changes...] | --batch DIR --out DIR [--times FILE]",
    names: ["crm_simulate"],
    ownHelp: true,
    load: () => import("./simulate.ts"),
  },
  status: {
    summary: "what runs where, what is wrong, what to do now",
    usage: "[--json] [--watch] [--lang en|ja] [--run DIR]",
    load: () => import("./status.ts"),
  },
  timeline: {
    summary: "the story of an incident, from what all nodes wrote down",
    usage: "[-f TIME] [-t TIME] [-w] [--json]",
    load: () => import("./timeline.ts"),
  },
  verify: {
    summary: "everything that is wrong or dangerous in a configuration",
    usage: "FILE... | -x FILE | -L",
    names: ["crm_verify"],
    load: () => import("./verify.ts"),
  },
  stonith: {
    summary: "one fencing device by its type and parameters, as stonith(8)",
    usage: "-L | -t TYPE -n|-m | -t TYPE NAME=VALUE... -S | -l | -T on|off|reset NODE",
    names: ["stonith"],
    load: () => import("./stonith.ts"),
  },
  "stonith-admin": {
    summary: "fencing by the words of stonith_admin(8)",
    usage: "-F|-U|-B|-C NODE | -H NODE | -h NODE | -L | -l NODE | -s|-Q DEVICE | -I | -M|-K -a AGENT ...",
    names: ["stonith_admin"],
    ownHelp: true,
    load: () => import("./stonith-admin.ts"),
  },
  why: {
    summary: "why a resource is where it is, and what would move it",
    usage: "RESOURCE [NODE] [-x FILE] [--lang en|ja] [--json]",
    ownHelp: true,
    load: () => import("./why.ts"),
  },
  version: { summary: "version of this program", usage: "", load: () => import("./version.ts") },
};

const isJapanese = () => operatorsLanguage() === "ja";

/** What a command is for, in the reader's language; the Japanese ones are read in for those who read them alone. */
async function summaries(): Promise<(name: string, command: Command) => string> {
  if (!isJapanese()) return (_name, { summary }) => summary;
  const { SUMMARIES_JA } = await import("./summaries-ja.ts");
  return (name, { summary }) => entryOf(SUMMARIES_JA, name) ?? summary;
}

async function help(): Promise<string> {
  const summaryOf = await summaries();
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const rows = Object.entries(COMMANDS).map(([name, command]) => {
    const links = (command.names ?? []).filter((link) => link !== name);
    const also = links.length === 0 ? "" : ` (${isJapanese() ? "別名" : "also as"} ${links.join(", ")})`;
    return `  ${name.padEnd(width)}  ${summaryOf(name, command)}${also}`;
  });
  const foot = isJapanese()
    ? "`gemel help COMMAND` で引数を表示します。`gemel completion` はタブ補完の設定を出力します。"
    : "`gemel help COMMAND` tells the arguments; `gemel completion` prints what a shell needs for tab completion.";
  const head = isJapanese() ? "使い方: gemel コマンド [引数]" : "usage: gemel COMMAND [ARGUMENTS]";
  return [head, "", ...rows, "", foot, ""].join("\n");
}

/** Read when somebody asks for help: the commands themselves have no need of it. */
async function optionsOf(name: string): Promise<string> {
  const inWords = isJapanese() ? (await import("../japanese/help-options.ts")).OPTION_MEANINGS_JA : undefined;
  const rows = (await import("./help-options.ts")).optionRows(name, inWords);
  return rows.length === 0 ? "" : `${isJapanese() ? "オプション" : "options"}:\n${rows.join("\n")}\n`;
}

async function helpOf(name: string, command: Command): Promise<string> {
  const summaryOf = await summaries();
  const usage = wrapped(`${isJapanese() ? "使い方" : "usage"}: gemel ${name} ${command.usage}`, "         ");
  return `${usage}\n${summaryOf(name, command)}\n${await optionsOf(name)}${examplesOf(name)}`;
}

function examplesOf(name: string): string {
  const examples = entryOf(EXAMPLES, name) ?? [];
  if (examples.length === 0) return "";
  return `${isJapanese() ? "例" : "examples"}:\n${examples.map((example) => `  gemel ${example}\n`).join("")}`;
}

function answer(text: string, exitCode: number): number {
  (exitCode === 0 ? process.stdout : process.stderr).write(text);
  return exitCode;
}

const WRONG_CALL = 64;

/**
 * Help and version by all the spellings of the field's tools, and `--help` behind any other words: whoever has begun a
 * call need not begin anew. Undefined for anything else.
 */
async function tellAboutItself(name: string, command: Command, rest: readonly string[]): Promise<number | undefined> {
  const word = rest.at(-1) ?? "";
  if (rest.length > 1 && word !== "--help") return undefined;
  if (word === "--version" || word === "-$") return (await COMMANDS["version"]?.load())?.run([]);
  if (!/^(?:--help(?:-\w+)?|-h|-\?)$/.test(word)) return undefined;
  if (command.ownHelp !== true) return answer(await helpOf(name, command), 0);
  const code = await (await command.load()).run(["--help"]);
  return answer(examplesOf(name), code);
}

/** What the world does to their files is a fault of theirs, and told as one: see ../fault.ts. */
const DAEMONS = ["node", "manager"];
const CANNOT_CREATE = 73;

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && "syscall" in error && "code" in error;

/** What the world does to a file of the caller's is told in a line, and is no fault of the program's. */
async function runNamed(name: string, command: Command, argv: readonly string[]): Promise<number> {
  const { run } = await command.load();
  if (DAEMONS.includes(name)) return run(argv);
  try {
    return await run(argv);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const { code, path: file, message } = error;
    const reason = message.replace(`${code ?? ""}: `, "").replace(/, .*$/, "");
    return answer(`gemel ${name}: ${file === undefined ? "" : `${file}: `}${reason}\n`, CANNOT_CREATE);
  }
}

/** The command with its own name, by which its help is found. */
const byItsFieldName = (called: string) =>
  Object.entries(COMMANDS).find(([, { names }]) => names?.includes(called) === true);

/** Runs the command that `program` or else the first argument names. Exit codes: the command's; 64 for a wrong call. */
export async function runCommand(program: string, argv: readonly string[]): Promise<number> {
  const called = path.basename(program);
  heedLanguage(argv);
  const linked = byItsFieldName(called);
  if (linked !== undefined) return (await tellAboutItself(...linked, argv)) ?? runNamed(...linked, argv);
  const [first, ...rest] = argv;
  if (first === undefined) return answer(await help(), WRONG_CALL);
  if (first === "completion") return await (await import("./completion.ts")).runCompletion(COMMANDS, rest);
  const isHelp = first === "help" || first === "--help" || first === "-h";
  const name = isHelp ? rest[0] : first === "--version" ? "version" : first;
  if (name === undefined) return answer(await help(), 0);
  const found = Object.entries(COMMANDS).find(([key]) => key === name) ?? byItsFieldName(name);
  if (found === undefined) {
    const near = nearestName(name, Object.keys(COMMANDS));
    const guess = near === undefined ? "." : `; did you mean ${near}?`;
    return answer(`gemel: there is no command ${name}${guess} See \`gemel help\`.\n`, WRONG_CALL);
  }
  return (await tellAboutItself(...found, isHelp ? ["--help"] : rest)) ?? runNamed(...found, rest);
}
