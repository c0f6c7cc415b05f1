/** How a node leaves the cluster in order: its resources are stopped first, within a bound, and then it goes. */
import type { XmlElement } from "../../../base/xml.ts";
import { readTimeMs } from "../../../cib/schema/values.ts";
import { clusterOption, hasActiveHistory, isLookedOver, nodeState } from "./cib-read.ts";
import { emit, log, members, send, type Turn } from "./turn.ts";
import type { ControllerEvent, ControllerState } from "./types.ts";

const STOP_REQUEST_EVERY_MS = 2_000;
/** shutdown-escalation of Pacemaker. */
const STOP_WAIT_MS = 20 * 60_000;
/** A node on which nothing runs need not wait for a DC that is not there. */
const STOP_ALONE_MS = 5_000;
/**
 * Nor need the last node, once nothing runs on it, wait for a proof of a peer's death that only a person may bring:
 * nobody would take anything over by it. Most boards have answered by then, and systemd waits for half a minute more.
 */
const STOP_UNPROVEN_MS = 60_000;

export function requestedShutdown(turn: Turn, from: string, wallMs: number): void {
  if (turn.state.lead === undefined) return;
  const value = String(Math.floor(wallMs / 1000));
  emit(turn, { kind: "report", changes: [{ kind: "set-attribute", node: from, name: "shutdown", value }] });
  log(turn, "info", `${from} wants to leave`);
}

/**
 * The last stops stand in the DC's status alone for a moment: a DC that went at once would leave the others with a
 * history that says it still runs something, and would be fenced for that.
 */
const LEAVE_SETTLE_MS = 500;

export function leaveInOrder(turn: Turn): void {
  const { lead, leaveAtMs } = turn.state;
  if (lead === undefined || members(turn).length < 2) leave(turn, true);
  else turn.state = { ...turn.state, leaveAtMs: leaveAtMs ?? turn.now.nowMs + LEAVE_SETTLE_MS };
}

function leave(turn: Turn, clean: boolean): void {
  turn.state = { ...turn.state, left: true };
  emit(turn, { kind: "leave", clean });
}

export function stop(turn: Turn, { alreadyMs = 0, hasForerunner }: ControllerEvent & { readonly kind: "stop" }): void {
  if (turn.state.stopping !== undefined) return;
  const { nowMs } = turn.now;
  const stopping = { sinceMs: nowMs - alreadyMs, askedAtMs: nowMs, requestDueAtMs: nowMs, hasForerunner };
  turn.state = { ...turn.state, stopping };
  log(turn, "info", "this node is to leave the cluster: its resources are stopped in order");
  tendStop(turn);
}

function stopWaitMs({ cib }: ControllerState): number {
  const configuredMs = readTimeMs(clusterOption(cib, "shutdown-escalation") ?? "") ?? 0;
  return configuredMs > 0 ? configuredMs : STOP_WAIT_MS;
}

export function tendStop(turn: Turn): void {
  const { leaveAtMs = Number.POSITIVE_INFINITY } = turn.state;
  if (!turn.state.left && turn.now.nowMs >= leaveAtMs) leave(turn, true);
  const { stopping, left, election, cib, self, hasBegun, view } = turn.state;
  if (stopping === undefined || left) return;
  const { nowMs, nowWallMs } = turn.now;
  const waitedMs = nowMs - stopping.sinceMs;
  const own = nodeState(cib, self);
  const runs = hasActiveHistory(own);
  // A history that is empty since nobody has looked, or that was forgotten, proves nothing.
  const isIdle = !runs && isLookedOver(cib, own);
  const holdsNothing = isIdle || (!runs && !stopping.hasForerunner && !hasBegun);
  // Before it is settled it has joined nobody, and once it were, alone, it would have to fence whom it does not hear.
  const isOutside = view?.settled !== true || (election.dc === null && nowMs - stopping.askedAtMs >= STOP_ALONE_MS);
  if (waitedMs >= stopWaitMs(turn.state)) {
    log(turn, "error", `the resources have not stopped within ${Math.round(waitedMs)} ms`);
    leave(turn, isIdle);
  } else if (holdsNothing && isOutside) {
    leave(turn, true);
  } else if (isIdle && election.dc === self && members(turn).length < 2 && isUnproven(turn, stopping.askedAtMs)) {
    log(turn, "warning", "nothing runs here any more: this node does not wait for the fencing of the others");
    leave(turn, true);
  } else if (nowMs >= stopping.requestDueAtMs) {
    turn.state = { ...turn.state, stopping: { ...stopping, requestDueAtMs: nowMs + STOP_REQUEST_EVERY_MS } };
    const shutdown = nodeState(cib, self)?.children.some(hasShutdownAttribute) === true;
    if (election.dc !== null && !shutdown) send(turn, election.dc, { kind: "shutdown-request", wallMs: nowWallMs });
  }
}

/** A fencing has kept the node that leaves for long. */
function isUnproven({ state, now }: Turn, askedAtMs: number): boolean {
  if (now.nowMs - askedAtMs < STOP_UNPROVEN_MS) return false;
  return state.view?.peers.some(({ phase }) => phase === "lost" || phase === "awaited") === true;
}

function hasShutdownAttribute(element: XmlElement): boolean {
  return element.attributes.name === "shutdown" || element.children.some(hasShutdownAttribute);
}
