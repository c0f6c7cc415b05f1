/**
 * A node's own configuration: cluster, nodes, links, times, watchdog. One directive a line, `#` starts a comment.
 * All problems of a file are told at once; nothing of a file with an error is used. The same file serves all nodes.
 * What the cluster runs (resources, constraints, fencing devices) is not here but in the CIB.
 */
import { nearestName } from "../base/nearest.ts";
import type { Problem, Read } from "../base/problem.ts";
import {
  DIRECTIVE_NAMES,
  DIRECTIVES,
  type DirectiveName,
  type DirectiveValue,
  readDirective,
  type WatchdogConfig,
} from "./node-directives.ts";
import type { LinkConfig } from "./node-links.ts";

export interface NodeEntry {
  readonly name: string;
  /** 1 to 16, in every packet; never changes while the cluster lives. */
  readonly id: number;
}

export interface NodeConfig {
  readonly cluster: string;
  readonly nodes: readonly NodeEntry[];
  readonly keepaliveMs: number;
  readonly warntimeMs: number;
  readonly deadtimeMs: number;
  readonly initdeadMs: number;
  readonly links: readonly LinkConfig[];
  /** As written; relative to the configuration file. */
  readonly authkeys: string;
  readonly watchdog: WatchdogConfig;
  readonly selfFencing: "reboot" | "watchdog" | "exit";
  /** None, one or three: shared disks on which this node reads its poison pill. */
  readonly fencingDisks: readonly string[];
  /** As written; relative to the configuration file. */
  readonly configuration?: string;
  readonly agents: string;
  readonly realtime: boolean;
}

/** More is no configuration of ours; bounds the work on a wrong file. */
const LINES_MAX = 10_000;
const LINKS_MAX = 8;
/** Below this, ordinary scheduling noise looks like death (measured: toolchain reference, section 2). */
const DEADTIME_RECOMMENDED_MIN_MS = 500;

interface Line {
  readonly number: number;
  readonly name: DirectiveName;
  readonly words: readonly string[];
}

type Report = (line: number | undefined, reason: string, remedy: string, severity?: Problem["severity"]) => void;

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

interface Placed<Value> {
  readonly line: number;
  readonly value: Value;
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

function checkNodes(nodes: readonly Placed<NodeEntry>[], report: Report): void {
  for (const [index, { line, value }] of nodes.entries()) {
    for (const { line: other, value: earlier } of nodes.slice(0, index)) {
      if (earlier.name === value.name)
        report(line, `the node ${value.name} stands a second time`, `remove line ${line} or ${other}`);
      else if (earlier.id === value.id)
        report(line, `${value.name} has the id of ${earlier.name}`, "give it an id of its own");
    }
  }
  if (nodes.length === 1) report(nodes[0]?.line, "a cluster has two nodes at least", "write a second node directive");
}

function checkLinks(
  links: readonly Placed<LinkConfig>[],
  written: number,
  nodes: readonly NodeEntry[],
  report: Report,
): void {
  const names = nodes.map(({ name }) => name);
  for (const [index, { line, value: link }] of links.entries()) {
    if (links.findIndex(({ value }) => value.name === link.name) < index)
      report(line, `there are two links ${link.name}`, "give each link a name of its own");
    const used = link.kind === "udp" ? link.endpoints.map(({ node }) => node) : Object.keys(link.devices);
    for (const name of used.filter((node) => node !== "*" && !names.includes(node))) {
      const nearest = nearestName(name, names);
      report(line, `the link ${link.name} names ${name}, which is no node`, `write ${nearest ?? "a configured node"}`);
    }
    if (link.kind === "serial" && names.length > 2)
      report(line, `the serial link ${link.name} joins two nodes only`, "use udp links among more nodes");
  }
  if (links.length > LINKS_MAX) report(links[LINKS_MAX]?.line, `more than ${LINKS_MAX} links`, "remove some");
  if (links.length === 1 && written === 1)
    report(links[0]?.line, "there is one link only: one cable decides over a takeover", "add a second one", "warning");
}

interface Times {
  readonly keepaliveMs: number;
  readonly warntimeMs: number;
  readonly deadtimeMs: number;
  readonly initdeadMs: number;
}

/** ha.cf's own rules, and ours: each needs the one before it. */
function checkTimes(
  times: Times,
  watchdog: WatchdogConfig | undefined,
  lineOf: (name: DirectiveName) => number | undefined,
  report: Report,
): void {
  const { keepaliveMs, warntimeMs, deadtimeMs, initdeadMs } = times;
  if (deadtimeMs <= 2 * keepaliveMs)
    report(
      lineOf("deadtime"),
      `deadtime ${deadtimeMs}ms is not above twice keepalive ${keepaliveMs}ms`,
      `write deadtime ${3 * keepaliveMs}ms or more`,
    );
  if (lineOf("warntime") !== undefined && (warntimeMs <= keepaliveMs || warntimeMs >= deadtimeMs))
    report(
      lineOf("warntime"),
      `warntime ${warntimeMs}ms is not between keepalive and deadtime`,
      "remove warntime, or write a time between the two",
    );
  if (initdeadMs < deadtimeMs)
    report(
      lineOf("initdead"),
      `initdead ${initdeadMs}ms is below deadtime ${deadtimeMs}ms`,
      "remove initdead, or write a longer time",
    );
  if (deadtimeMs < DEADTIME_RECOMMENDED_MIN_MS)
    report(
      lineOf("deadtime"),
      `deadtime ${deadtimeMs}ms is shorter than a busy machine may pause`,
      `write ${DEADTIME_RECOMMENDED_MIN_MS}ms or more`,
      "warning",
    );
  if (watchdog?.kind === "device" && watchdog.timeoutMs < 2 * keepaliveMs)
    report(
      lineOf("watchdog"),
      `the watchdog's timeout ${watchdog.timeoutMs}ms is below twice keepalive`,
      "write a longer timeout",
    );
}

/** A node that hangs reads no disk: only the watchdog makes its promise good that it ends when told to. */
function checkDisks(
  disks: readonly Placed<string>[],
  watchdog: WatchdogConfig | undefined,
  selfFencing: NodeConfig["selfFencing"],
  report: Report,
): void {
  const [first] = disks;
  if (first === undefined) return;
  for (const [index, { line, value }] of disks.entries())
    if (disks.findIndex((disk) => disk.value === value) < index)
      report(line, `the fencing disk ${value} stands twice`, "remove one of the two lines");
  if (disks.length !== 1 && disks.length !== 3)
    report(first.line, `there are ${disks.length} fencing disks`, "use one, or three: two have no majority");
  if (watchdog?.kind !== "none") return;
  const reason = "a fencing disk without a watchdog proves nothing: a node that hangs does not read it";
  const remedy = "write watchdog /dev/watchdog timeout 5s";
  report(first.line, reason, remedy, selfFencing === "exit" ? "warning" : "error");
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
  const keepaliveMs = one("keepalive") ?? 1000;
  const deadtimeMs = one("deadtime") ?? 3000;
  const times = {
    keepaliveMs,
    deadtimeMs,
    warntimeMs: one("warntime") ?? deadtimeMs / 2,
    initdeadMs: one("initdead") ?? Math.max(10_000, 2 * deadtimeMs),
  };
  const selfFencing = one("self-fencing") ?? (watchdog?.kind === "device" ? "reboot" : "exit");
  const disks = valuesOf(lines, "fencing-disk", report);
  const configuration = one("configuration");
  const agents = one("agents") ?? "/usr/lib/ocf";
  const realtime = one("realtime") ?? true;

  checkNodes(nodes, report);
  const entries = nodes.map(({ value }) => value);
  checkLinks(links, lines.filter(({ name }) => name === "link").length, entries, report);
  checkTimes(times, watchdog, lineOf, report);
  checkDisks(disks, watchdog, selfFencing, report);
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
    authkeys,
    watchdog,
    selfFencing,
    fencingDisks: disks.map(({ value: path }) => path),
    ...(configuration === undefined ? {} : { configuration }),
    agents,
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
