/**
 * A node's own configuration: cluster, nodes, links, times, watchdog. One directive a line, `#` starts a comment.
 * All problems of a file are told at once; nothing of a file with an error is used. The same file serves all nodes.
 * What the cluster runs (resources, constraints, fencing devices) is not here but in the CIB.
 */
import { nearestName } from "../base/nearest.ts";
import type { Problem, Read } from "../base/problem.ts";
import {
  checkDisks,
  checkLease,
  checkLinks,
  checkNodes,
  checkPings,
  checkTimes,
  type Placed,
  type Report,
} from "./node-checks.ts";
import {
  DIRECTIVE_NAMES,
  DIRECTIVES,
  type DirectiveName,
  type DirectiveValue,
  type PingConfig,
  type QuorumConfig,
  readDirective,
  type StorageCheck,
  type WatchdogConfig,
} from "./node-directives.ts";
import type { LinkConfig } from "./node-links.ts";
import { checkPaths } from "./node-paths.ts";
import { deriveTimes, type NodeTimes } from "./node-times.ts";

export interface NodeEntry {
  readonly name: string;
  /** 1 to 16, in every packet; never changes while the cluster lives. */
  readonly id: number;
}

export interface NodeConfig extends NodeTimes {
  readonly cluster: string;
  readonly nodes: readonly NodeEntry[];
  readonly links: readonly LinkConfig[];
  /** Hosts beyond the cluster whose answers say that this node can reach its clients; a group is one. */
  readonly pings: readonly PingConfig[];
  readonly quorum: QuorumConfig;
  /** As written; relative to the configuration file. */
  readonly authkeys: string;
  readonly watchdog: WatchdogConfig;
  readonly storageChecks: readonly StorageCheck[];
  readonly selfFencing: "reboot" | "watchdog" | "exit";
  /** Without quorum for so long this node ends itself, and its peers count on it. */
  readonly quorumLeaseMs?: number;
  /** None, one or three: shared disks on which this node reads its poison pill. */
  readonly fencingDisks: readonly string[];
  /** As written; relative to the configuration file. */
  readonly configuration?: string;
  readonly agents: string;
  readonly linkAttributes: boolean;
  readonly realtime: boolean;
}

/** More is no configuration of ours; bounds the work on a wrong file. */
const LINES_MAX = 10_000;

/** A disk that hangs holds one of the four threads that write the log and the state file. */
const STORAGE_CHECKS_MAX = 2;

interface Line {
  readonly number: number;
  readonly name: DirectiveName;
  readonly words: readonly string[];
}

function readLines(text: string, report: Report): Line[] {
  const written = text.split(/\r?\n/);
  if (written.length > LINES_MAX)
    report(LINES_MAX, `more than ${LINES_MAX} lines`, "give the node's configuration file");
  return written.slice(0, LINES_MAX).flatMap((raw, index): Line[] => {
    const [name, ...words] = raw
      .replace(/(^|\s)#.*$/, "")
      .split(/\s+/)
      .filter((word) => word !== "");
    if (name === undefined) return [];
    const known = DIRECTIVE_NAMES.find((directive) => directive === name);
    if (known !== undefined) return [{ number: index + 1, name: known, words }];
    const nearest = nearestName(name, DIRECTIVE_NAMES);
    const remedy = nearest === undefined ? `use one of ${DIRECTIVE_NAMES.join(" ")}` : `write ${nearest}`;
    report(index + 1, `there is no directive ${name}`, remedy);
    return [];
  });
}

/** Of several usages the one whose second word was written, so that a remedy is no longer than it must be. */
function variant(usage: string, words: readonly string[]): string {
  return usage.split(" | ").find((one) => words[1] !== undefined && one.split(" ")[1] === words[1]) ?? usage;
}

/** The values of one directive with their lines; wrong ones are reported and left out. */
function valuesOf<Name extends DirectiveName>(lines: readonly Line[], name: Name, report: Report) {
  const { usage, repeats, required } = DIRECTIVES[name];
  const own = lines.filter((line) => line.name === name);
  if (required && own.length === 0) report(undefined, `the directive ${name} is missing`, `write ${name} ${usage}`);
  for (const { number } of repeats ? [] : own.slice(1))
    report(number, `${name} stands a second time`, `remove it here or in line ${own[0]?.number}`);
  return own.flatMap(({ number, words }): Placed<DirectiveValue<Name>>[] => {
    const read = readDirective(name, words);
    if ("value" in read) return [{ line: number, value: read.value }];
    for (const message of read.messages)
      report(number, `${name}: ${message}`, `write ${name} ${variant(usage, words)}`);
    return [];
  });
}

/** Reads the text of a configuration file; `place` is its name in problems. */
export function readNodeConfig(text: string, place: string): Read<NodeConfig> {
  const problems: Problem[] = [];
  const report: Report = (line, reason, remedy, severity = "error") => {
    problems.push({ severity, place: line === undefined ? place : `${place}:${line}`, reason, remedy });
  };
  const lines = readLines(text, report);
  const lineOf = (name: DirectiveName) => lines.find((line) => line.name === name)?.number;
  const one = <Name extends DirectiveName>(name: Name) => valuesOf(lines, name, report)[0]?.value;

  const cluster = one("cluster");
  const nodes = valuesOf(lines, "node", report);
  const links = valuesOf(lines, "link", report);
  const authkeys = one("authkeys");
  const watchdog = one("watchdog");
  const times = deriveTimes({
    goalMs: one("takeover-goal"),
    keepaliveMs: one("keepalive"),
    deadtimeMs: one("deadtime"),
    warntimeMs: one("warntime"),
    initdeadMs: one("initdead"),
    deadpingMs: one("deadping"),
  });
  const pings = valuesOf(lines, "ping", report);
  const quorum = {
    waitForAll: one("wait-for-all") ?? false,
    tieBreaker: one("tie-breaker") ?? ({ kind: "none" } as const),
  };
  const storageChecks = valuesOf(lines, "storage-check", report);
  if (storageChecks.length > STORAGE_CHECKS_MAX)
    report(
      storageChecks[STORAGE_CHECKS_MAX]?.line,
      `more than ${STORAGE_CHECKS_MAX} storage checks`,
      "keep those of the disks that the node cannot work without",
    );
  const selfFencing = one("self-fencing") ?? (watchdog?.kind === "device" ? "reboot" : "exit");
  const disks = valuesOf(lines, "fencing-disk", report);
  const quorumLeaseMs = one("quorum-lease");
  const configuration = one("configuration");
  const agents = one("agents") ?? "/usr/lib/ocf";
  const linkAttributes = one("link-attributes") ?? false;
  const realtime = one("realtime") ?? true;

  checkNodes(nodes, report);
  const entries = nodes.map(({ value }) => value);
  const written = lines.filter(({ name }) => name === "link").length;
  checkLinks(
    links,
    written,
    entries,
    { keepaliveMs: times.keepaliveMs, deadtimeMs: times.deadtimeMs, promises: quorumLeaseMs !== undefined },
    report,
  );
  checkPaths(
    links,
    entries.map(({ name }) => name),
    report,
  );
  checkPings(pings, quorum.tieBreaker, lineOf, report);
  checkTimes(times, watchdog, lineOf, report);
  checkDisks(disks, watchdog, selfFencing, report);
  const lease = { leaseMs: quorumLeaseMs, deadtimeMs: times.deadtimeMs, watchdog, selfFencing };
  checkLease(lease, entries.length, quorum.tieBreaker.kind, lineOf, report);
  if (selfFencing === "watchdog" && watchdog?.kind === "none")
    report(
      lineOf("self-fencing"),
      "self-fencing by a watchdog needs one",
      "write watchdog PATH timeout TIME, or self-fencing reboot",
    );

  const failed = problems.some(({ severity }) => severity === "error");
  if (failed || cluster === undefined || authkeys === undefined || watchdog === undefined)
    return { kind: "invalid", problems: problems.toSorted((left, right) => lineNumber(left) - lineNumber(right)) };
  const value: NodeConfig = {
    cluster,
    nodes: entries,
    ...times,
    links: links.map((link) => link.value),
    pings: pings.map((ping) => ping.value),
    quorum,
    authkeys,
    watchdog,
    storageChecks: storageChecks.map(({ value: check }) => check),
    selfFencing,
    ...(quorumLeaseMs === undefined ? {} : { quorumLeaseMs }),
    fencingDisks: disks.map(({ value: path }) => path),
    ...(configuration === undefined ? {} : { configuration }),
    agents,
    linkAttributes,
    realtime,
  };
  return { kind: "valid", value, warnings: problems };
}

function lineNumber({ place }: Problem): number {
  return Number(/:(\d+)$/.exec(place)?.[1] ?? 0);
}

/** The reference page of the format, as docs/operations/node-configuration.md holds it. */
export function describeDirectives(): string {
  const rows = DIRECTIVE_NAMES.map((name) => {
    const { usage, help, required, repeats } = DIRECTIVES[name];
    const marks = [required ? "required" : "", repeats ? "repeats" : ""].filter((mark) => mark !== "").join(", ");
    return `| \`${name}\` | \`${usage.replaceAll("|", "\\|")}\` | ${help}${marks === "" ? "" : ` (${marks})`} |`;
  });
  return ["| directive | value | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}
