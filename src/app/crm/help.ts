/**
 * `help WORD` of the crm shell, and what stands behind a level's words in `help`: how each is typed. A test holds every
 * word of every level against this table. Fact: crm(8).
 */
import { foldText } from "../../base/fold.ts";
import { entryOf, isKeyOf } from "../../base/record.ts";
import { HELP_WORDS_JA } from "../japanese/help-words.ts";
import { inOperatorsWords } from "../japanese/translate.ts";
import { operatorsLanguage } from "../operators-language.ts";
import { COLUMNS, wrapped } from "../wrapped.ts";
import { BORROWED, NOT_HERE } from "./borrowed.ts";
import { CLUSTER_USAGES, COROSYNC_USAGES } from "./cluster-level.ts";
import { CONFIGURE_COMMANDS } from "./configure-level.ts";
import { whatItDoes } from "./help-words.ts";
import { HISTORY_USAGES } from "./history-level.ts";
import { EVERYWHERE, LEVELS, type LevelName } from "./levels.ts";
import { SCRIPT_USAGES } from "./script-level.ts";

type Usages = Readonly<Record<string, string>>;

const OVERRIDE = "RESOURCE [NODE] [LIFETIME] [force] [reason=TEXT]";
const OPTION = "RESOURCE set NAME VALUE | RESOURCE show|delete NAME";
const CLEANUP = "RESOURCE [NODE]";
const PARTS = "[params NAME=VALUE...] [meta NAME=VALUE...]";
const AGENT = "[CLASS:[PROVIDER:]]TYPE";
const CLONE = `ID RESOURCE ${PARTS}`;
const COLOCATION = "ID SCORE: RESOURCE[:ROLE] WITH[:ROLE]... | ID SCORE: ( SET ) SET";
const ACL_TARGET = "ID ROLE...";

const RESOURCE: Usages = {
  start: "RESOURCE...",
  stop: "RESOURCE...",
  restart: "RESOURCE",
  promote: "RESOURCE",
  demote: "RESOURCE",
  manage: "RESOURCE...",
  unmanage: "RESOURCE... [LIFETIME] [reason=TEXT]",
  status: "[RESOURCE...]",
  move: OVERRIDE,
  migrate: OVERRIDE,
  ban: OVERRIDE,
  unmove: "RESOURCE",
  unmigrate: "RESOURCE",
  unban: "RESOURCE",
  trace: "RESOURCE [OPERATION|probe [INTERVAL] [DIRECTORY]]",
  untrace: "RESOURCE [OPERATION|probe [INTERVAL]]",
  clear: "RESOURCE",
  cleanup: CLEANUP,
  refresh: CLEANUP,
  reprobe: CLEANUP,
  meta: OPTION,
  param: OPTION,
  utilization: OPTION,
};

const NODE: Usages = {
  status: "[NODE]",
  show: "[NODE]",
  standby: "[NODE] [LIFETIME] [reboot] [reason=TEXT]",
  online: "[NODE]",
  maintenance: "[NODE] [LIFETIME] [reason=TEXT]",
  ready: "[NODE]",
  fence: "NODE",
  attribute: "NODE set NAME VALUE | NODE show|delete NAME",
  "status-attr": "NODE set NAME VALUE | NODE show|delete NAME",
};

const STATEMENTS: Usages = {
  node: "NAME[:member|ping] [attributes NAME=VALUE...] [utilization NAME=VALUE...]",
  primitive: `ID ${AGENT} ${PARTS} [utilization NAME=VALUE...] [op start|stop|monitor NAME=VALUE...]...`,
  rsc_template: `ID ${AGENT} ${PARTS} [utilization NAME=VALUE...] [op start|stop|monitor NAME=VALUE...]...`,
  group: `ID RESOURCE... ${PARTS}`,
  clone: CLONE,
  ms: CLONE,
  master: CLONE,
  bundle: "ID docker|podman|rkt image=IMAGE ... [primitive RESOURCE]",
  monitor: "RESOURCE[:ROLE] INTERVAL[:TIMEOUT]",
  location: "ID RESOURCE SCORE: NODE | ID RESOURCE rule [$role=ROLE] SCORE: EXPRESSION [and|or EXPRESSION]...",
  colocation: COLOCATION,
  collocation: COLOCATION,
  order: "ID SCORE|KIND: FIRST[:ACTION] THEN[:ACTION]... [symmetrical=true|false]",
  rsc_ticket: "ID TICKET: RESOURCE[:ROLE]... [loss-policy=stop|demote|fence|freeze]",
  property: "[$id=SET] NAME=VALUE...",
  rsc_defaults: "[$id=SET] NAME=VALUE...",
  op_defaults: "[$id=SET] NAME=VALUE...",
  fencing_topology: "[NODE:] DEVICE[,DEVICE]... [NODE: DEVICE...]",
  tag: "ID OBJECT...",
  role: "ID read|write|deny tag:ELEMENT|ref:ID|xpath:XPATH ...",
  user: ACL_TARGET,
  acl_target: ACL_TARGET,
  acl_group: ACL_TARGET,
  alert: "ID PATH [attributes NAME=VALUE...] [meta NAME=VALUE...] [to RECIPIENT]",
  xml: "<ELEMENT ...>: what the language has no words for",
};

const STATUS = "[full|bynode|inactive|ops|timing|failcounts|tickets] [detail|brief|noheaders|simple|quiet|xml|html]";

const USAGES: Readonly<Partial<Record<LevelName, Usages>>> = {
  "": {
    status: STATUS,
    verify: "[FILE|scores]",
    maintenance: "on|off | action RESOURCE start|stop|monitor|promote|demote",
  },
  resource: RESOURCE,
  node: NODE,
  history: HISTORY_USAGES,
  cluster: CLUSTER_USAGES,
  corosync: COROSYNC_USAGES,
  script: SCRIPT_USAGES,
  configure: STATEMENTS,
  ra: { classes: "", list: "CLASS [PROVIDER]", providers: "TYPE", info: AGENT, meta: AGENT },
  cib: {
    new: "NAME [empty]",
    delete: "NAME",
    reset: "NAME",
    commit: "NAME",
    use: "[NAME|live]",
    diff: "",
    list: "",
    import: "FILE [NAME]",
  },
  template: {
    new: "[NAME] TEMPLATE... [NAME=VALUE...]",
    load: "NAME",
    edit: "NAME",
    delete: "NAME",
    list: "[templates]",
    apply: "[replace|update] [NAME]",
    show: "[NAME]",
  },
  cibstatus: {
    show: "[changed]",
    node: "NODE online|offline|unclean|standby|online",
    op: "OPERATION RESOURCE EXIT-CODE [STATUS] [NODE]",
    ticket: "TICKET grant|revoke|standby|activate",
    quorum: "true|false",
    load: "FILE|live",
    save: "[FILE]",
    origin: "",
    simulate: "[scores] [utilization]",
    run: "[scores] [utilization]",
  },
};

const HOW = "help COMMAND tells how it is typed, and what it does.";
const ABOVE = "help [COMMAND]; up, end, back or ..: a level up; cd LEVEL: another one; quit, exit, bye: leave";

/** In the operator's language. */
const inWords = (text: string): string =>
  operatorsLanguage() === "ja" ? (entryOf(HELP_WORDS_JA, text) ?? inOperatorsWords(text)) : text;

/** Japanese has no blanks to break at. */
const folded = (text: string, indent: string, columns = COLUMNS): string =>
  operatorsLanguage() === "ja" ? foldText(text, columns).join("\n") : wrapped(text, indent, columns);

/** How a word of a level is typed; undefined when it has no such word. */
export function usageOf(level: LevelName, word: string): string | undefined {
  if (EVERYWHERE.includes(word)) return inWords(ABOVE);
  const typed = (arguments_: string) => `${word} ${arguments_}`.trim();
  const command = level === "configure" ? entryOf(CONFIGURE_COMMANDS, word) : undefined;
  if (command !== undefined) return `${typed(command.usage)}: ${inWords(command.help)}`;
  const borrowed = entryOf(entryOf(BORROWED, level), word);
  if (borrowed !== undefined) return typed(borrowed.usage);
  const own = entryOf(entryOf(USAGES, level), word);
  if (own !== undefined) return typed(own);
  const reason = entryOf(entryOf(NOT_HERE, level), word);
  if (reason !== undefined) return inWords(`${word} is not carried out here: ${reason}`);
  if (level === "options" && LEVELS.options.includes(word)) return typed(word === "show" ? "" : "VALUE");
  return isKeyOf(LEVELS, word) && LEVELS[level].includes(word)
    ? inWords(`${word}: a level of its own; help ${word} lists it`)
    : undefined;
}

/** Before what is explained. */
const INDENT = "    ";

/** How it is typed, and what it does. */
function told(level: LevelName, word: string): string | undefined {
  const usage = usageOf(level, word);
  const what = whatItDoes(level, word);
  if (usage === undefined) return undefined;
  const shown = what === undefined ? [] : folded(inWords(what), "", COLUMNS - INDENT.length).split("\n");
  return [folded(usage, "  "), ...shown.map((line) => `${INDENT}${line}`), ""].join("\n");
}

/** `help`, `help LEVEL`, `help [LEVEL] COMMAND`, from whichever level; undefined for a word that there is not. */
export function helpText(level: LevelName, words: readonly string[]): string | undefined {
  const [first, ...rest] = words;
  if (first === undefined) {
    // Words of a list stand two blanks apart.
    const lists = [[...LEVELS[level]].sort(), EVERYWHERE].map((words) => wrapped([...new Set(words)].join("  "), ""));
    return `${lists.join("\n")}\n${inWords(HOW)}\n`;
  }
  // A statement of configure may have a level's name: `node`.
  const own = level === "" && isKeyOf(LEVELS, first) ? undefined : told(level, first);
  if (own !== undefined && rest.length === 0) return own;
  if (first !== "" && isKeyOf(LEVELS, first)) return helpText(first, rest);
  const elsewhere = (Object.keys(LEVELS) as LevelName[]).flatMap((other) => {
    const found = rest.length === 0 && LEVELS[other].includes(first) ? told(other, first) : undefined;
    return found === undefined ? [] : [`${other === "" ? "" : `${other}: `}${found}`];
  });
  return elsewhere.length === 0 ? undefined : elsewhere.join("");
}
