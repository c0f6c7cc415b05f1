/** Recorded operations as crm_mon tells them: failures, fail counts, histories. */
import { entryOf } from "../../../base/record.ts";
import { childOf, childrenOf } from "../../../base/xml.ts";
import { withoutInstance } from "../../../cib/instance-name.ts";
import { INFINITY_SCORE } from "../../../cib/schema/values.ts";
import { isDegraded } from "../scheduler/facts/history-outcome.ts";
import type { Facts, HistoryEntry, Node, Resource } from "../scheduler/facts/model.ts";
import { recordedFailures } from "../scheduler/facts/on-fail.ts";
import { readEntries } from "../scheduler/facts/read-history.ts";
import { isUnique } from "../scheduler/print/status-report.ts";
import type { MonitorSource } from "./wishes.ts";

/** Words for what agents may answer. Fact: OCF resource agent API, return codes; Pacemaker Administration. */
export const OCF_CODE_TEXT: Readonly<Record<number, string>> = {
  0: "ok",
  1: "error",
  2: "invalid parameter",
  3: "unimplemented feature",
  4: "insufficient privileges",
  5: "not installed",
  6: "not configured",
  7: "not running",
  8: "promoted",
  9: "promoted (failed)",
};

/** And for what is recorded beyond it. */
const CODE_TEXT: Readonly<Record<number, string>> = { ...OCF_CODE_TEXT, 190: "degraded", 191: "promoted (degraded)" };

export const codeText = (code: number): string => CODE_TEXT[code] ?? "unknown";

/** Words for the numbers of op-status. */
const STATUS_TEXT: Readonly<Record<number, string>> = {
  [-1]: "pending",
  0: "complete",
  1: "Cancelled",
  2: "Timed Out",
  3: "Not supported",
  4: "Error",
  5: "Hard error",
  6: "Fatal error",
  7: "Not installed",
  8: "Not connected",
  9: "Invalid",
};

export const statusText = (status: number): string => STATUS_TEXT[status] ?? "unknown";

export const numberOf = (entry: HistoryEntry, name: string): number =>
  Number(entryOf(entry.element.attributes, name) ?? 0);

/**
 * `15.001s`, `60ms`, `2m59.014s`, as crm_mon writes lengths of time: a unit is used only for more than one of it, so a
 * minute is `60s`.
 */
export function readableMs(ms: number): string {
  let rest = ms;
  let text = "";
  for (const [unit, sizeMs] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
  ] as const) {
    if (rest <= sizeMs) continue;
    text += `${Math.floor(rest / sizeMs)}${unit}`;
    rest %= sizeMs;
  }
  if (rest > 1000) {
    const fraction = rest % 1000 === 0 ? "" : `.${String(rest % 1000).padStart(3, "0")}`;
    return `${text}${Math.floor(rest / 1000)}${fraction}s`;
  }
  return rest > 0 || text === "" ? `${text}${rest}ms` : text;
}

/** A monitor that is done once is a probe. */
export const taskName = ({ task, intervalMs }: HistoryEntry): string =>
  task === "monitor" && intervalMs === 0 ? "probe" : task;

/** `10s-interval monitor`. */
function taskText(entry: HistoryEntry): string {
  const { intervalMs } = entry;
  return `${intervalMs > 0 ? `${readableMs(intervalMs)}-interval ` : ""}${taskName(entry)}`;
}

export interface Failure {
  readonly entry: HistoryEntry;
  readonly resource: Resource;
  readonly node: Node;
}

/** What an agent called degraded: nothing is done about it, so that it has to be seen. */
export function degradedOf(facts: Facts): readonly Failure[] {
  return facts.resources.flatMap((resource) =>
    [...resource.history].flatMap(([node, { entries }]) => {
      const entry = entries.findLast((each) => isDegraded(numberOf(each, "rc-code")));
      return entry === undefined ? [] : [{ entry, resource, node }];
    }),
  );
}

/** The failures that still count; one that was recorded under several names is told once. */
export function failuresOf(facts: Facts): readonly Failure[] {
  const seen = new Set<string>();
  return facts.failedEntries.filter(({ entry, node }) => {
    const { element } = entry;
    const key = `${node.name} ${element.attributes["operation_key"] ?? element.attributes["id"]} ${entry.callId}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** The name that the failure was recorded under: with the number of the instance, when it had one. */
function recordedId({ entry, resource }: Failure): string {
  const { element, task, intervalMs } = entry;
  const suffix = `_${task}_${intervalMs}`;
  for (const key of [element.attributes["operation_key"], element.attributes["id"]])
    if (key?.endsWith(suffix) === true) return key.slice(0, -suffix.length);
  return resource.recordedName ?? resource.id;
}

export function failureLine(failure: Failure, { ctime }: MonitorSource): string {
  const { entry, node } = failure;
  const { "exit-reason": reason = "", "rc-code": code = "1" } = entry.element.attributes;
  const status = numberOf(entry, "op-status");
  const why = reason === "" ? "" : status === 0 ? ` (${reason})` : `: ${reason}`;
  const what =
    status === 0 ? `returned '${codeText(Number(code))}'${why}` : `could not be executed (${statusText(status)}${why})`;
  const [at, took] = [numberOf(entry, "last-rc-change"), numberOf(entry, "exec-time")];
  const when = at > 0 ? ` at ${ctime(at * 1000)}` : "";
  const span = at > 0 && took > 0 ? ` after ${readableMs(took)}` : "";
  return `${recordedId(failure)} ${taskText(entry)} on ${node.name} ${what}${when}${span}`;
}

/** With codes, for people who look for the log lines. */
export function failureInDetail({ entry, node }: Failure, { ctime }: Pick<MonitorSource, "ctime">): string {
  const { attributes } = entry.element;
  const code = numberOf(entry, "rc-code");
  const reason = attributes["exit-reason"] ?? "";
  const at = numberOf(entry, "last-rc-change");
  const { "queue-time": queued, "exec-time": took } = attributes;
  const when = [
    `, last-rc-change='${ctime(at * 1000)}'`,
    ...(queued === undefined ? [] : [`queued=${queued}ms`]),
    ...(took === undefined ? [] : [`exec=${took}ms`]),
  ].join(", ");
  const status = statusText(numberOf(entry, "op-status"));
  return (
    `${attributes["operation_key"] ?? attributes["id"] ?? ""} on ${node.name} '${codeText(code)}' (${code}): ` +
    `call=${entry.callId}, status='${status}'${reason === "" ? "" : `, exitreason='${reason}'`}${at > 0 ? when : ""}`
  );
}

/** The fail count of what is recorded for a node under one name; undefined when there is none. */
export function failCountOf(
  resource: Resource,
  node: Node,
): { readonly count: number; readonly lastSeconds: number } | undefined {
  const { count, lastSeconds } = recordedFailures(resource, node.attributes);
  if (count === 0) return undefined;
  return { count: Math.min(count, INFINITY_SCORE), lastSeconds };
}

export interface RecordedResource {
  readonly id: string;
  /** As the node wrote it: before Pacemaker 1.1.8 with the number of the instance. */
  readonly recordedId: string;
  readonly resource: Resource;
  readonly node: Node;
  readonly entries: readonly HistoryEntry[];
  /** It is the one by which the instance was judged. */
  readonly isOwn: boolean;
}

/** Nodes in the order of the status section. */
export function recordedNodes(facts: Facts): readonly Node[] {
  return childrenOf(facts.status, "node_state").flatMap(({ attributes: { id = "", uname = "" } }) => {
    const node = facts.nodeById.get(id) ?? facts.nodeByName.get(uname);
    return node === undefined || !facts.nodes.includes(node) ? [] : [node];
  });
}

/** Of a cluster without a node that is up there is no history, not even an empty one. */
export const hasHistory = (facts: Facts): boolean => recordedNodes(facts).some(({ online }) => online);

/** Instances of an anonymous clone share one name. */
const shownId = (resource: Resource) => (isUnique(resource) ? resource.id : resource.baseId);

/** Whose record stands under a name; of several records of one anonymous clone only one is any instance's own. */
function resourceNamed(facts: Facts, name: string): Resource | undefined {
  const base = withoutInstance(name);
  return facts.byId.get(name) ?? facts.resources.find(({ baseId, kind }) => kind === "primitive" && baseId === base);
}

/** All histories of one node, in the order of the record. */
export function recordsOf(facts: Facts, node: Node): readonly RecordedResource[] {
  const found = facts.resources.flatMap((resource) => {
    const history = resource.history.get(node);
    return history === undefined ? [] : [{ resource, history }];
  });
  const states = childrenOf(facts.status, "node_state").filter(
    ({ attributes: { id = "", uname = "" } }) => (facts.nodeById.get(id) ?? facts.nodeByName.get(uname)) === node,
  );
  const elements = states.flatMap((state) =>
    childrenOf(childOf(childOf(state, "lrm"), "lrm_resources"), "lrm_resource"),
  );
  return elements.flatMap((element) => {
    const mine = found.find(({ history }) => history.element === element);
    const { id: recordedId = "" } = element.attributes;
    const resource = mine?.resource ?? resourceNamed(facts, recordedId);
    if (resource === undefined) return [];
    const entries = mine?.history.entries ?? readEntries(element);
    return [{ id: shownId(resource), recordedId, resource, node, entries, isOwn: mine !== undefined }];
  });
}

/** What a history shows: a probe that found nothing is no news. */
export function shownEntries(entries: readonly HistoryEntry[]): readonly HistoryEntry[] {
  return entries.filter((entry) => entry.task !== "notify" && !(taskName(entry) === "probe" && isQuiet(entry)));
}

function isQuiet(entry: HistoryEntry): boolean {
  return [7, 193].includes(numberOf(entry, "rc-code"));
}

export function headOf(
  { id, resource, node }: RecordedResource,
  { ctime }: MonitorSource,
  withFailures: boolean,
): string {
  const fails = withFailures ? failCountOf(resource, node) : undefined;
  const threshold = `migration-threshold=${resource.migrationThreshold}`;
  if (fails === undefined) return `${id}: ${threshold}`;
  const last = fails.lastSeconds === 0 ? "" : ` last-failure='${ctime(fails.lastSeconds * 1000)}'`;
  return `${id}: ${threshold} fail-count=${fails.count}${last}`;
}

export function entryLine(entry: HistoryEntry, { ctime }: MonitorSource, withTiming: boolean): string {
  const parts: string[] = [];
  if (entry.intervalMs > 0) parts.push(`interval="${entry.intervalMs}ms"`);
  if (withTiming) {
    const at = numberOf(entry, "last-rc-change");
    if (at > 0) parts.push(`last-rc-change="${ctime(at * 1000)}"`);
    for (const name of ["exec-time", "queue-time"]) {
      const value = entryOf(entry.element.attributes, name);
      if (value !== undefined) parts.push(`${name}="${value}ms"`);
    }
    const code = numberOf(entry, "rc-code");
    parts.push(`rc=${code} (${codeText(code)})`);
  }
  const rest = parts.length === 0 ? "" : `: ${parts.join(" ")}`;
  return `(${entry.callId}) ${taskName(entry)}${rest}`;
}
