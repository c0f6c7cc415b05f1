/** What has to hold between the directives of a node's configuration: names, links, times against each other. */
import { nearestName } from "../base/nearest.ts";
import type { Problem } from "../base/problem.ts";
import type { NodeConfig, NodeEntry } from "./node-config.ts";
import type { DirectiveName, PingConfig, QuorumConfig, WatchdogConfig } from "./node-directives.ts";
import { type LinkConfig, namedNodes } from "./node-links.ts";
import { checkSerial, type LineUse } from "./node-serial.ts";
import type { NodeTimes } from "./node-times.ts";

const LINKS_MAX = 8;
/** Below this, ordinary scheduling noise looks like death (measured: toolchain reference, section 2). */
const DEADTIME_RECOMMENDED_MIN_MS = 500;
/** The fastest that was measured to work, with real-time priority and both cores busy: bench/detection.ts. */
const GOAL_DEADTIME_MIN_MS = 300;
/** Each costs a packet a beat. */
const PINGS_MAX = 16;

export type Report = (line: number | undefined, reason: string, remedy: string, severity?: Problem["severity"]) => void;

export interface Placed<Value> {
  readonly line: number;
  readonly value: Value;
}

export function checkNodes(nodes: readonly Placed<NodeEntry>[], report: Report): void {
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

export function checkLinks(
  links: readonly Placed<LinkConfig>[],
  written: number,
  nodes: readonly NodeEntry[],
  beats: LineUse,
  report: Report,
): void {
  const names = nodes.map(({ name }) => name);
  for (const [index, { line, value: link }] of links.entries()) {
    if (links.findIndex(({ value }) => value.name === link.name) < index)
      report(line, `there are two links ${link.name}`, "give each link a name of its own");
    for (const name of namedNodes(link).filter((node) => !names.includes(node))) {
      const nearest = nearestName(name, names);
      report(line, `the link ${link.name} names ${name}, which is no node`, `write ${nearest ?? "a configured node"}`);
    }
    checkSerial(link, line, names, beats, report);
  }
  if (links.length > LINKS_MAX) report(links[LINKS_MAX]?.line, `more than ${LINKS_MAX} links`, "remove some");
  if (links.length === 1 && written === 1)
    report(links[0]?.line, "there is one link only: one cable decides over a takeover", "add a second one", "warning");
}

/** ha.cf's own rules, and ours: each needs the one before it. */
export function checkTimes(
  times: NodeTimes,
  watchdog: WatchdogConfig | undefined,
  lineOf: (name: DirectiveName) => number | undefined,
  report: Report,
): void {
  const { keepaliveMs, warntimeMs, deadtimeMs, initdeadMs, deadpingMs, takeoverGoalMs } = times;
  if (takeoverGoalMs !== undefined) checkGoal(takeoverGoalMs, lineOf, report);
  // Of a goal with a keepalive of one's own it is told that they exclude each other.
  if (deadtimeMs <= 2 * keepaliveMs && takeoverGoalMs === undefined)
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
  if (lineOf("deadping") !== undefined && deadpingMs <= 2 * keepaliveMs)
    report(
      lineOf("deadping"),
      `deadping ${deadpingMs}ms is not above twice keepalive ${keepaliveMs}ms`,
      `remove deadping, or write ${3 * keepaliveMs}ms or more`,
    );
  if (deadtimeMs < DEADTIME_RECOMMENDED_MIN_MS)
    report(
      lineOf("deadtime") ?? lineOf("takeover-goal"),
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

/** The goal derives what is not written; deadtime beside it would be a second opinion on the same thing. */
function checkGoal(goalMs: number, lineOf: (name: DirectiveName) => number | undefined, report: Report): void {
  for (const name of ["keepalive", "deadtime", "warntime"] as const)
    if (lineOf(name) !== undefined)
      report(lineOf(name), `${name} and takeover-goal exclude each other`, "remove one of the two");
  if (goalMs < 2 * GOAL_DEADTIME_MIN_MS)
    report(
      lineOf("takeover-goal"),
      `a takeover within ${goalMs}ms leaves no time to tell death from a pause`,
      `write ${2 * GOAL_DEADTIME_MIN_MS}ms or more`,
    );
}

export function checkPings(
  pings: readonly Placed<PingConfig>[],
  tieBreaker: QuorumConfig["tieBreaker"],
  lineOf: (name: DirectiveName) => number | undefined,
  report: Report,
): void {
  const names = pings.map(({ value }) => value.name);
  for (const [index, { line, value }] of pings.entries())
    if (names.indexOf(value.name) < index)
      report(line, `there are two ping nodes ${value.name}`, "give each a name of its own, or write one group");
  if (pings.length > PINGS_MAX) report(pings[PINGS_MAX]?.line, `more than ${PINGS_MAX} ping nodes`, "remove some");
  if (tieBreaker.kind !== "ping" || names.includes(tieBreaker.name)) return;
  const nearest = nearestName(tieBreaker.name, names);
  report(
    lineOf("tie-breaker"),
    `the tie-breaker ${tieBreaker.name} is no ping node`,
    nearest === undefined ? `write ping ${tieBreaker.name} ADDRESS` : `write ${nearest}`,
  );
}

/** A node that hangs reads no disk: only the watchdog makes its promise good that it ends when told to. */
export function checkDisks(
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

/**
 * Watchdog fencing: who has quorum takes a silent peer for dead by time alone. So no two halves may ever have quorum at
 * once, and a peer must end even when all of it hangs.
 */
export function checkLease(
  lease: {
    readonly leaseMs: number | undefined;
    readonly deadtimeMs: number;
    readonly watchdog: WatchdogConfig | undefined;
    readonly selfFencing: NodeConfig["selfFencing"];
  },
  nodes: number,
  tieBreaker: QuorumConfig["tieBreaker"]["kind"],
  lineOf: (name: DirectiveName) => number | undefined,
  report: Report,
): void {
  const { leaseMs, deadtimeMs, watchdog, selfFencing } = lease;
  if (leaseMs === undefined) return;
  const line = lineOf("quorum-lease");
  if (tieBreaker === "ping")
    report(
      line,
      "a ping node may answer both halves, and both would take the other for dead",
      "write tie-breaker disk PATH, or remove tie-breaker where the nodes are three or more",
    );
  else if (nodes === 2 && tieBreaker === "none")
    report(
      line,
      "two nodes that lose each other have no majority that could tell them apart",
      "write tie-breaker disk PATH, add a third node, or remove quorum-lease and use a board or a fencing-disk",
    );
  if (watchdog?.kind === "none")
    report(line, "a node that hangs keeps no promise without a watchdog", "write watchdog /dev/watchdog timeout 5s");
  if (selfFencing === "exit")
    report(
      lineOf("self-fencing") ?? line,
      "self-fencing exit leaves running what the agents have started, and peers would take this node for dead",
      "write self-fencing reboot or watchdog",
    );
  if (leaseMs < deadtimeMs)
    report(
      line,
      `quorum-lease ${leaseMs}ms is below deadtime ${deadtimeMs}ms: a node would end before anybody misses it`,
      `write quorum-lease ${2 * deadtimeMs}ms`,
    );
}
