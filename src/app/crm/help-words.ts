/** What each word of the crm shell does, in one sentence, behind how it is typed. Fact: crm(8). */
import { entryOf } from "../../base/record.ts";
import type { LevelName } from "./levels.ts";

type Told = Readonly<Record<string, string>>;

const RESOURCE: Told = {
  start: "lets the cluster start it: target-role=Started",
  stop: "has it stopped, and kept so: target-role=Stopped",
  restart: "stops it, waits until it runs nowhere, and starts it",
  promote: "has an instance of a promotable clone promoted",
  demote: "has no instance of a promotable clone promoted",
  manage: "the cluster starts, stops and repairs it again",
  unmanage: "the cluster leaves it as it is: no start, no stop, no repair",
  status: "which resources there are, and where they run",
  move: "has it run on NODE, or away from where it runs; LIFETIME as 1h or PT1H ends that",
  migrate: "as move",
  ban: "keeps it off NODE; LIFETIME as 1h or PT1H ends that",
  unmove: "takes back move and ban",
  unmigrate: "as unmove",
  unban: "as unmove",
  clear: "as unmove",
  cleanup: "forgets its failures, looks again, and has what failed tried again",
  refresh: "as cleanup",
  reprobe: "as cleanup",
  meta: "a meta-attribute, such as resource-stickiness",
  param: "a parameter of its agent",
  utilization: "how much it uses of what nodes offer",
  trace: "its agent writes down each step; it restarts for operations that do not recur",
  untrace: "takes back trace",
  locate: "on which nodes it runs",
  constraints: "what binds it to nodes and to other resources",
  operations: "what was run, when, and how it ended",
  scores: "why each resource is where it is, in numbers",
  failcount: "how often it has failed on a node",
  maintenance: "the cluster neither touches nor monitors it",
};

const NODE: Told = {
  status: "how the nodes stand, with their attributes",
  show: "as status",
  standby: "moves everything away from it; LIFETIME as 1h or PT1H, or reboot, ends that",
  online: "takes back standby",
  maintenance: "leaves all that runs there as it is, unmonitored",
  ready: "takes back maintenance",
  fence: "switches its power off and on: what runs there dies",
  attribute: "an attribute that stays",
  "status-attr": "an attribute that is gone when the node leaves",
  utilization: "how much it offers of what resources use",
  delete: "forgets a node that is gone for good",
  server: "the names of the nodes",
};

const CONFIGURE: Told = {
  node: "a node, with its attributes and capacities",
  primitive: "a resource: an agent with its parameters and operations",
  rsc_template: "what several primitives have in common: primitive ID @TEMPLATE",
  group: "resources that run together, started in this order",
  clone: "instances of a resource on several nodes",
  ms: "a promotable clone: as DRBD, one instance promoted",
  master: "as ms",
  bundle: "a container, with what runs inside",
  monitor: "adds a monitor to a resource; times as 10s or 1min",
  location: "where a resource may, shall or must not run; scores are numbers, inf or -inf",
  colocation: "the first runs where the second does; -inf: never",
  collocation: "as colocation",
  order: "the second starts after the first",
  rsc_ticket: "runs only where the site has the ticket",
  property: "options of the cluster",
  rsc_defaults: "meta-attributes of resources that set none of their own",
  op_defaults: "options of operations that set none of their own, as timeout=60s",
  fencing_topology: "which devices fence a node: those with a comma together, the next if these fail",
  tag: "a name for several objects",
  role: "what may be read or written",
  user: "who has which roles",
  acl_target: "as user",
  acl_group: "which group of the system has which roles",
  alert: "a program that is told what happens",
  xml: "what the language has no words for",
};

const OTHERS: Readonly<Partial<Record<LevelName, Told>>> = {
  "": {
    status: "how the cluster stands",
    verify: "all that is wrong or dangerous in the configuration, or in FILE",
    maintenance: "of the whole cluster; action runs an agent by hand on this node",
    report: "an archive with everything about an incident, secrets masked",
  },
  ra: {
    classes: "which kinds of agents there are",
    list: "the agents of a class",
    providers: "who provides an agent of that name",
    info: "what an agent is for, its parameters and advised times",
    meta: "as info",
    validate: "has an agent judge parameters, without any change",
  },
  cib: {
    new: "a copy of the configuration to try things on, in use from now on",
    delete: "drops a copy",
    reset: "makes a copy anew from the cluster",
    commit: "puts a copy in force",
    use: "works on a copy; live: on the cluster",
    diff: "what the copy in use would change",
    list: "the copies that there are",
    import: "makes a copy of a CIB file",
  },
  template: {
    new: "begins a configuration from a template",
    load: "takes up one that was begun",
    edit: "fills it in, in $EDITOR",
    delete: "drops it",
    list: "those that were begun; templates: the templates",
    apply: "puts its statements into the configuration",
    show: "its statements",
  },
  cibstatus: {
    show: "what is supposed",
    node: "supposes that a node stands so",
    op: "supposes that an operation ends so",
    ticket: "supposes a ticket",
    quorum: "supposes quorum, or none",
    load: "begins with a file, or with the cluster",
    save: "writes what is supposed to a file",
    origin: "what it began with",
    simulate: "what the cluster would do then",
    run: "as simulate",
  },
  site: { ticket: "tickets by hand, where no other program grants them" },
  history: {
    info: "what went wrong in the last day",
    latest: "the last ten minutes",
    timeframe: "between two times, as 2h or 2026-11-22 08:00:00",
    limit: "as timeframe",
    events: "the last day",
    resource: "what happened to a resource",
    node: "what happened to a node",
    transition: "what the cluster decided, and how it ended",
    transitions: "as transition",
    log: "the last 200 lines of the log",
    diff: "what changed between two versions of the configuration",
    session: "who changed the configuration, and when",
  },
  cluster: { status: "how the cluster stands", health: "the same in one line" },
  options: { editor: "which editor edit starts", show: "the options" },
};

const TOLD: Readonly<Partial<Record<LevelName, Told>>> = {
  ...OTHERS,
  resource: RESOURCE,
  node: NODE,
  configure: CONFIGURE,
};

/** Undefined for a word whose usage says it already. */
export function whatItDoes(level: LevelName, word: string): string | undefined {
  return entryOf(TOLD[level], word);
}
