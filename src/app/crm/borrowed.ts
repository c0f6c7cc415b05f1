/**
 * Words of the crm shell that another command carries out: which one, and with which arguments. And words of its later
 * versions that are not carried out here, each with the reason and what to do instead.
 * Facts: crm(8), levels resource, node, site, history, cluster; crm_resource(8), crm_node(8), crm_ticket(8).
 */
import path from "node:path";
import { entryOf } from "../../base/record.ts";
import { EXIT, type Session } from "./session.ts";

type Argv = readonly string[];

interface Borrowed {
  readonly usage: string;
  /** The command and its arguments; undefined for a wrong call. */
  readonly make: (words: Argv) => Argv | undefined;
}

const TOOLS: Readonly<Record<string, () => Promise<{ readonly run: (argv: Argv) => Promise<number> }>>> = {
  cibadmin: () => import("../commands/cibadmin.ts"),
  config: () => import("../commands/config.ts"),
  crm_attribute: () => import("../commands/crm-attribute.ts"),
  crm_failcount: () => import("../commands/crm-failcount.ts"),
  crm_mon: () => import("../commands/crm-mon.ts"),
  crm_node: () => import("../commands/crm-node.ts"),
  crm_resource: () => import("../commands/crm-resource.ts"),
  crm_simulate: () => import("../commands/simulate.ts"),
  crm_ticket: () => import("../commands/crm-ticket.ts"),
  doctor: () => import("../commands/doctor.ts"),
  log: () => import("../commands/log.ts"),
  report: () => import("../commands/report.ts"),
};

/** Wants exactly so many words behind the verb. */
const exactly =
  (count: number, make: (...words: string[]) => Argv): Borrowed["make"] =>
  (words) =>
    words.length === count ? make(...words) : undefined;

const upTo =
  (count: number, make: (...words: (string | undefined)[]) => Argv): Borrowed["make"] =>
  (words) =>
    words.length <= count ? make(...words) : undefined;

const option = (flag: string, value: string | undefined): Argv => (value === undefined ? [] : [flag, value]);

function failcount([resource, verb, node, value, ...more]: Argv): Argv | undefined {
  if (resource === undefined || node === undefined || more.length > 0) return undefined;
  const counted = ["-r", resource, "-N", node];
  if (verb === "show" && value === undefined) return ["crm_failcount", "-G", ...counted];
  if (verb === "delete" && value === undefined) return ["crm_failcount", "-D", ...counted];
  if (verb !== "set" || value === undefined) return undefined;
  return ["crm_attribute", "-N", node, "-l", "reboot", "-n", `fail-count-${resource}`, "-v", value];
}

function utilization([node, verb, name, value, ...more]: Argv): Argv | undefined {
  if (node === undefined || name === undefined || more.length > 0) return undefined;
  const meant = ["crm_attribute", "-z", "-N", node, "-n", name];
  if (verb === "set" && value !== undefined) return [...meant, "-v", value];
  if (value !== undefined) return undefined;
  if (verb === "show") return [...meant, "-G"];
  return verb === "delete" ? [...meant, "-D"] : undefined;
}

/** `[CLASS:[PROVIDER:]]TYPE [NAME=VALUE...]` */
function validate([agent, ...pairs]: Argv): Argv | undefined {
  if (agent === undefined) return undefined;
  const parts = agent.split(":");
  const [type = "", provider = "heartbeat"] = parts.toReversed();
  const named = ["--class", parts.length > 1 ? (parts[0] ?? "ocf") : "ocf"];
  const owner = parts.length === 2 ? [] : ["--provider", provider];
  const given = pairs.flatMap((pair) => ["--option", pair]);
  return ["crm_resource", "--validate", ...named, ...owner, "--agent", type, ...given];
}

const TICKET_VERBS: Readonly<Record<string, Argv>> = {
  grant: ["-g", "-f"],
  revoke: ["-r", "-f"],
  delete: ["-C", "-f"],
  standby: ["-s"],
  activate: ["-a"],
  show: ["-L"],
  time: ["-G", "last-granted"],
};

export const TICKET_WORDS = Object.keys(TICKET_VERBS);

function ticket([verb = "", id, ...more]: Argv): Argv | undefined {
  const flags = entryOf(TICKET_VERBS, verb);
  if (flags === undefined || more.length > 0 || (id === undefined && verb !== "show")) return undefined;
  return ["crm_ticket", ...flags, ...option("-t", id)];
}

const onOff = (word: string | undefined) => (word === "off" || word === "false" ? "false" : "true");

export const BORROWED: Readonly<Record<string, Readonly<Record<string, Borrowed>>>> = {
  resource: {
    locate: { usage: "RESOURCE", make: exactly(1, (id) => ["crm_resource", "-W", "-r", id]) },
    constraints: { usage: "RESOURCE", make: exactly(1, (id) => ["crm_resource", "-a", "-r", id]) },
    operations: {
      usage: "[RESOURCE] [NODE]",
      make: upTo(2, (id, node) => ["crm_resource", "-o", ...option("-r", id), ...option("-N", node)]),
    },
    scores: { usage: "", make: exactly(0, () => ["crm_simulate", "-L", "-s", "-Q"]) },
    failcount: { usage: "RESOURCE set NODE VALUE | RESOURCE show|delete NODE", make: failcount },
    maintenance: {
      usage: "RESOURCE [on|off]",
      make: ([id, word, ...more]) =>
        id === undefined || more.length > 0
          ? undefined
          : ["crm_resource", "-r", id, "-m", "-p", "maintenance", "-v", onOff(word)],
    },
  },
  node: {
    delete: { usage: "NODE", make: exactly(1, (name) => ["crm_node", "-R", name, "--force"]) },
    server: { usage: "", make: exactly(0, () => ["crm_node", "-l"]) },
    utilization: { usage: "NODE set NAME VALUE | NODE show|delete NAME", make: utilization },
  },
  ra: { validate: { usage: "[CLASS:[PROVIDER:]]TYPE [NAME=VALUE...]", make: validate } },
  site: { ticket: { usage: "grant|revoke|delete|standby|activate|show|time TICKET", make: ticket } },
  "": {
    report: { usage: "[ARGUMENTS OF gemel report]", make: (words) => ["report", ...words] },
  },
};

const NODE_CONFIGURATION = "the nodes of a cluster stand in the node configuration of each: docs/operations";
const NO_COROSYNC = "there is no Corosync here; the links stand in the node configuration: docs/operations";
/** Level and word: why not, and what instead. */
export const NOT_HERE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  resource: {
    secret: "secrets of fencing devices stand in the CIB, which only root reads, and are masked in every report",
  },
  node: {
    clearstate:
      "the state of a node is what the cluster sees; crm node fence switches one off, fence confirm says it is",
  },
  cluster: {
    init: "a node is set up by its node configuration: gemel import, or docs/operations/node-configuration.md",
    join: NODE_CONFIGURATION,
    add: NODE_CONFIGURATION,
    remove: `${NODE_CONFIGURATION}; crm node delete forgets one`,
    run: "commands on all nodes are those of ssh",
    copy: "files of all nodes are copied by scp; the configuration of the cluster is the same everywhere by itself",
    diff: "files of the nodes are compared over ssh; the configuration of the cluster is the same everywhere",
    crash_test: "gemel fence drill NODE tries the fencing; gemel sim tries the rest beside the cluster",
  },
  history: { setnodes: "the nodes are those of the cluster, or of the report" },
  corosync: {
    "add-node": NODE_CONFIGURATION,
    "del-node": NODE_CONFIGURATION,
    diff: NO_COROSYNC,
    edit: NO_COROSYNC,
    get: NO_COROSYNC,
    set: NO_COROSYNC,
    pull: NO_COROSYNC,
    push: NO_COROSYNC,
    reload: "a node reads its configuration when it starts: crm cluster restart, one node after the other",
  },
  script: { json: "crm script list, show, verify and run tell in text" },
  "": {
    sbd: "fencing disks: gemel fence disk list|create DISK; which one a node reads stands in its node configuration",
    assist: "crm configure template makes ready configurations",
  },
};

/** Runs the command at the node of the session. */
export async function runTool(session: Session, [tool = "", ...argv]: Argv): Promise<number> {
  const load = entryOf(TOOLS, tool);
  if (load === undefined) return EXIT.usage;
  const where = path.dirname(session.socketPath);
  const flag = tool === "crm_simulate" ? "--run-dir" : "--run";
  return await (await load()).run([...argv, flag, where]);
}

/** The exit code; undefined when the word is none of these. */
export async function runBorrowed(session: Session, level: string, words: Argv): Promise<number | undefined> {
  const [verb = "", ...rest] = words;
  const reason = entryOf(entryOf(NOT_HERE, level), verb);
  if (reason !== undefined) {
    session.terminal.err(`crm: ${verb} is not carried out here: ${reason}\n`);
    return EXIT.usage;
  }
  const found = entryOf(entryOf(BORROWED, level), verb);
  if (found === undefined) return undefined;
  const argv = found.make(rest);
  if (argv !== undefined) {
    if (session.isEchoing) session.terminal.out(`.EXT ${argv.join(" ")}\n`);
    return await runTool(session, argv);
  }
  session.terminal.err(`usage: ${`${level} ${verb}`.trim()} ${found.usage}\n`);
  return EXIT.usage;
}

export const borrowedWords = (level: string): readonly string[] => Object.keys(entryOf(BORROWED, level) ?? {});
