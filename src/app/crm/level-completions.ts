/** What comes behind the first word of the levels history, cluster, corosync and script, and of `status`. */
import { entryOf } from "../../base/record.ts";
import { parametersOfTemplate, TEMPLATES } from "../../cib/crm-syntax/templates.ts";
import type { Names } from "./names.ts";
import { STATUS_WORDS } from "./status-words.ts";

type Behind = (rest: readonly string[], names: Names) => readonly string[];

const only =
  (...words: string[]): Behind =>
  () =>
    words;
const first =
  (...words: string[]): Behind =>
  (rest) =>
    rest.length === 0 ? words : [];
const scripts: Behind = (rest) =>
  rest.length === 0
    ? Object.keys(TEMPLATES)
    : ["id=", ...Object.keys(parametersOfTemplate(rest[0] ?? "")).map((name) => `${name}=`)];

const TABLES: Readonly<Record<string, Readonly<Record<string, Behind>>>> = {
  "": { status: only(...STATUS_WORDS), verify: first("scores"), maintenance: first("on", "off", "action") },
  history: {
    resource: (_rest, names) => names.resources,
    node: (_rest, names) => names.nodes,
    log: (_rest, names) => names.nodes,
    detail: first("0", "1"),
    exclude: first("clear"),
    source: first("live"),
    refresh: first("force"),
    session: first("save", "load", "delete", "pack", "update", "list"),
    transition: only("log", "save", "showdot", "tags", "scores", "utilization", "0"),
    peinputs: only("v"),
    show: only("0", "live", "status"),
    diff: only("0", "live", "status"),
    wdiff: only("0", "live", "status"),
    graph: only("0", "dot"),
  },
  corosync: { status: first("ring", "quorum") },
  script: { list: only("all", "names"), show: first(...Object.keys(TEMPLATES)), verify: scripts, run: scripts },
  cluster: {},
};

/** Undefined for a level that has more to tell than stands here. */
export function behindFirst(level: string, words: readonly string[], names: Names): readonly string[] | undefined {
  const table = entryOf(TABLES, level);
  const [verb = "", ...rest] = words;
  const behind = entryOf(table, verb);
  if (behind === undefined) return table === undefined || level === "" ? undefined : [];
  return behind(rest, names);
}
