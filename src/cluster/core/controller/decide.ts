/**
 * The DC's circle: something changed -> decide -> carry out -> look again. One transition at a time; a new fact aborts
 * it, what runs on living nodes is awaited, and the next decision follows at once.
 */
import { earliest } from "../../../base/earliest.ts";
import { entryOf, withEntry, without } from "../../../base/record.ts";
import { readTimeMs } from "../../../cib/schema/values.ts";
import type { StatusChange } from "../cib-store/types.ts";
import { noteDecided } from "../election.ts";
import type { Decision } from "../scheduler/decision.ts";
import { reasonText } from "../scheduler/reason-text.ts";
import { lowestSpoken, SPOKEN_WITHDRAW } from "../spoken.ts";
import type { ClusterAction, FenceAction, ResourceAction, TransitionAction } from "../transition/graph.ts";
import {
  awaitsFencingOnly,
  FENCE_GUARD_MS,
  inFlight,
  keyAndNode,
  nodesInFlight,
  type RunEvent,
  runWakeAtMs,
  startRun,
  stepRun,
  type TransitionRun,
} from "../transition/run.ts";
import {
  attributesText,
  clusterOption,
  configuredNodes,
  failureNames,
  isFencingEnabled,
  nodeState,
} from "./cib-read.ts";
import { fencingStandings, isPreferred } from "./fencing-race.ts";
import { mayDecide } from "./held-up.ts";
import { endLock } from "./kept-locks.ts";
import { DOWN, reportNodeState, reviewNodes, tellFenced } from "./reign.ts";
import { emit, log, members, send, setLead, type Turn, want } from "./turn.ts";
import type { FencingResult, Lead } from "./types.ts";

/** A transition that fails again and again must not fill the log and the processor. */
const RETRY_MS = 500;
const RETRY_MAX_MS = 15_000;
/** The first failures are answered at once: that is what recovery is. */
const QUICK_RETRIES = 3;
/**
 * Attributes that change faster than a large cluster, or a starved one, can decide would keep it from ever doing
 * anything: after so many decisions in vain one is begun all the same, as if the change had come a moment later.
 */
const OUTDATED_MAX = 2;
/** A refused fencing is asked for again after this; the fencer has made its own attempts by then. */
const FENCE_RETRY_MS = 5_000;
/** cluster-recheck-interval of Pacemaker; a safety net, for everything that matters is an event. */
const RECHECK_MS = 15 * 60_000;

export function transitionKey(turn: Turn, lead: Lead, action: ResourceAction): string {
  return `${action.id}:${lead.run?.number ?? 0}:${action.expectedCode}:${turn.state.incarnation}`;
}

/** The action that the key names, when it is one of the present run. */
export function actionOfKey(turn: Turn, key: string): number | undefined {
  const [action, number, , incarnation] = key.split(":");
  const { run } = turn.state.lead ?? {};
  if (run === undefined || incarnation !== turn.state.incarnation || Number(number) !== run.number) return undefined;
  return Number(action);
}

function startResource(turn: Turn, lead: Lead, action: ResourceAction): void {
  const key = transitionKey(turn, lead, action);
  const why = reasonText(action.reason, "en", action.operation);
  // The story of a takeover; probes and monitors would drown it.
  if (action.operation !== "monitor" && action.operation !== "notify")
    log(turn, "info", `${action.resource.id}: ${action.operation} on ${action.node} (${why})`);
  send(turn, action.node, { kind: "perform", round: lead.round, transitionKey: key, action });
}

function startCluster(turn: Turn, lead: Lead, action: ClusterAction): void {
  const { node, operation, resourceId } = action;
  switch (operation) {
    case "do_shutdown":
      // From here on its absence is what we expect, so it is never taken for a failure.
      reportNodeState(turn, node, { expected: "down" });
      log(turn, "info", `${node} leaves: its resources have stopped`);
      send(turn, node, { kind: "leave", round: lead.round });
      break;
    case "clear_failcount": {
      const names = failureNames(nodeState(turn.state.cib, node), resourceId ?? "");
      const changes = names.map((name) => ({ kind: "set-attribute", node, name, value: null }) as const);
      if (changes.length > 0) emit(turn, { kind: "report", changes });
      if (resourceId !== undefined)
        send(turn, node, { kind: "clear", round: lead.round, resource: resourceId, scope: "failures" });
      break;
    }
    case "lrm_delete":
      // Only for a lock that has ended. Its node may be away, and if it is not, the record of what runs there stays.
      if (resourceId !== undefined) endLock(turn, node, resourceId);
      break;
    default:
      log(turn, "error", `the cluster operation ${operation} is not known here; it is taken as done`);
  }
}

/** False where it has been asked for already, by a transition that new facts have ended: that one is awaited. */
function openFencing(turn: Turn, target: string, operation: "off" | "reboot"): boolean {
  const { nowMs } = turn.now;
  const fencings = turn.state.lead?.fencings ?? {};
  const open = entryOf(fencings, target);
  if (open?.operation === operation && nowMs - open.sinceMs < FENCE_GUARD_MS) return false;
  setLead(turn, { fencings: withEntry(fencings, target, { operation, sinceMs: nowMs }) });
  return true;
}

/**
 * Whether this transition would count on a node that an earlier one wants to be cut off: it came back, or its failure
 * was forgotten. That one is given up, so that nobody is called for nothing; but a device that has its order ends it,
 * and what it proves would be taken for the death of whatever had begun there meanwhile. So its answer is awaited.
 */
function mustAwaitFencing(turn: Turn, wanted: readonly TransitionAction[]): boolean {
  const { nowMs } = turn.now;
  const open = Object.entries(turn.state.lead?.fencings ?? {}).filter(
    ([target, { sinceMs }]) =>
      nowMs - sinceMs < FENCE_GUARD_MS &&
      !wanted.some((action) => action.kind === "fence" && action.operation !== "on" && action.target === target),
  );
  for (const [node] of open) emit(turn, { kind: "withdraw-fence", node });
  return open.length > 0;
}

function startFence(turn: Turn, action: FenceAction): void {
  // Nobody switches himself off and reads it back: we end without a goodbye, and the others have us fenced.
  if (action.target === turn.state.self && action.operation !== "on" && members(turn).length > 1) {
    log(
      turn,
      "error",
      `this node must be fenced (${reasonText(action.reason)}): it ends itself, for another one to take over`,
    );
    turn.state = { ...turn.state, left: true };
    emit(turn, { kind: "leave", clean: false });
    return;
  }
  if (action.operation === "on")
    log(turn, "info", `${action.target} is to be let in before anything starts on it: ${reasonText(action.reason)}`);
  else if (!openFencing(turn, action.target, action.operation)) return;
  else log(turn, "warning", `fencing of ${action.target} (${action.operation}): ${reasonText(action.reason)}`);
  const order = turn.state.lead?.fencingOrder ?? [];
  emit(turn, { kind: "fence", action, isTargetPreferred: isPreferred(order, action.target, members(turn)) });
}

function startAction(turn: Turn, action: TransitionAction): void {
  const { lead } = turn.state;
  if (lead === undefined) return;
  switch (action.kind) {
    case "resource":
      startResource(turn, lead, action);
      break;
    case "cluster":
      startCluster(turn, lead, action);
      advance(turn, { kind: "ended", actionId: action.id, succeeded: true });
      break;
    case "fence":
      startFence(turn, action);
      break;
    case "pseudo":
      break;
    default:
      action satisfies never;
  }
}

function finish(turn: Turn, number: number, complete: boolean, aborted: string | undefined): void {
  const { lead } = turn.state;
  if (lead === undefined) return;
  const isDone = complete || (lead.run !== undefined && awaitsFencingOnly(lead.run));
  const failedRuns = isDone ? 0 : lead.failedRuns + 1;
  setLead(turn, { failedRuns, reportDue: true });
  if (complete) log(turn, "info", `transition ${number} is complete`);
  else if (aborted === undefined) log(turn, "warning", `transition ${number} stands still: some actions cannot start`);
  else {
    log(turn, "info", `transition ${number} was aborted: ${aborted}`);
    const late = Math.max(0, failedRuns - QUICK_RETRIES);
    want(turn, aborted, Math.min(late * RETRY_MS, RETRY_MAX_MS));
  }
}

/**
 * Nodes keep what they cannot do at once waiting, for minutes when they are slow or loaded: a fencing that is wanted
 * now must not wait for all that. What has begun is awaited.
 */
function withdrawOrders(turn: Turn, lead: Lead, run: TransitionRun): void {
  if (lowestSpoken(turn.state.election) < SPOKEN_WITHDRAW) return;
  for (const node of nodesInFlight(run)) send(turn, node, { kind: "withdraw", round: lead.round });
}

/** Tells the run what has happened, and does what follows from it. */
export function advance(turn: Turn, event: RunEvent): void {
  const { lead } = turn.state;
  const run = lead?.run;
  if (lead === undefined || run === undefined) return;
  const stepped = stepRun(run, event, turn.now.nowMs);
  // A run that has come to its end is no news at every tick.
  if (stepped.state === run) return;
  setLead(turn, { run: stepped.state, reportDue: true });
  if (run.aborted === undefined && stepped.state.aborted !== undefined) withdrawOrders(turn, lead, stepped.state);
  for (const effect of stepped.effects) {
    if (effect.kind === "start") startAction(turn, effect.action);
    else if (effect.kind === "timed-out") log(turn, "error", `${effect.action.key} was never answered`);
    else finish(turn, run.number, effect.complete, stepped.state.aborted);
  }
}

export function abort(turn: Turn, reason: string, delayMs = 0, isMinor = false): void {
  want(turn, reason, delayMs, isMinor);
  advance(turn, { kind: "abort", reason });
}

/** Everything but time: what has to happen first is an event, which is looked at anew then. */
function isFree(turn: Turn, lead: Lead): boolean {
  if (lead.wanted === undefined || lead.deciding !== undefined) return false;
  return (lead.run === undefined || lead.run.finished) && mayDecide(turn, lead);
}

/** When a free DC may decide: the wish's own time, and not before a peer that is coming, or may be, has come. */
function decideAtMs(turn: Turn, { wanted, awaitUntilMs, healingUntilMs }: Lead): number {
  const isSomebodyLost = turn.state.view?.peers.some(({ phase, returned }) => phase === "lost" && !returned) === true;
  return Math.max(wanted?.atMs ?? 0, awaitUntilMs ?? 0, isSomebodyLost ? (healingUntilMs ?? 0) : 0);
}

/** Asks the scheduler when it is time to. */
export function decideWhenDue(turn: Turn): void {
  const { lead, self, cib } = turn.state;
  if (lead === undefined) return;
  if (lead.recheckAtMs !== undefined && turn.now.nowMs >= lead.recheckAtMs) {
    setLead(turn, { recheckAtMs: turn.now.nowMs + RECHECK_MS });
    want(turn, "it is time to look again");
  }
  const present = turn.state.lead;
  if (present === undefined || !isFree(turn, present) || turn.now.nowMs < decideAtMs(turn, present)) return;
  // What this very step has changed must be in the CIB before it is decided upon: the next tick comes at once.
  if (turn.effects.some(({ kind }) => kind === "report" || kind === "submit" || kind === "clear")) return;
  const number = present.nextNumber;
  const quorate = turn.state.view?.quorate === true;
  const { wanted } = present;
  setLead(turn, {
    wanted: undefined,
    deciding: number,
    nextNumber: number + 1,
    attributesSeen: attributesText(cib),
  });
  const dcId = configuredNodes(cib).find(({ name }) => name === self)?.id ?? self;
  const root = { "have-quorum": quorate ? "1" : "0", "dc-uuid": dcId };
  if (cib.attributes["have-quorum"] !== root["have-quorum"] || cib.attributes["dc-uuid"] !== dcId)
    emit(turn, { kind: "report", changes: [{ kind: "set-cib", attributes: root }] });
  log(turn, "info", `decision ${number}: ${wanted?.reason ?? ""}`);
  emit(turn, { kind: "schedule", number, quorate });
}

/** A cluster that waits, for a quorum perhaps, comes to the same decision at every change: it is told in whole once. */
function tellDecision(turn: Turn, number: number, { transition, blocked }: Decision, before: Lead): void {
  const { summary } = transition;
  if (summary.length > 0 && JSON.stringify([summary, blocked]) === JSON.stringify([before.summary, before.blocked])) {
    log(turn, "info", `decision ${number}: as the one before`);
    return;
  }
  for (const line of summary) log(turn, "info", `decision ${number}: ${line}`);
  const reasons = Map.groupBy(blocked, ({ reason }) => reasonText(reason));
  for (const [reason, actions] of reasons) {
    const names = actions.map(({ key, node }) => `${key}${node === undefined ? "" : ` on ${node}`}`);
    log(turn, "warning", `blocked, ${reason}: ${names.join(", ")}`);
  }
}

export function acceptDecision(turn: Turn, number: number, decision: Decision): void {
  const { lead } = turn.state;
  if (lead === undefined || lead.deciding !== number) return;
  const { transition, blocked } = decision;
  const { nowMs, nowWallMs } = turn.now;
  const recheck =
    transition.recheckAtWallMs === undefined ? RECHECK_MS : Math.max(1_000, transition.recheckAtWallMs - nowWallMs);
  const recheckAtMs = nowMs + Math.min(recheck, RECHECK_MS);
  const { summary } = transition;
  const fencingOrder = fencingStandings(decision).map(({ node }) => node);
  setLead(turn, { deciding: undefined, recheckAtMs, blocked, summary, fencingOrder, reportDue: true });
  for (const { reason, place } of decision.problems) log(turn, "warning", `CIB, ${place}: ${reason}`);
  // Something happened while the scheduler was at it: its answer is about a world that is no more.
  const { wanted, outdated } = lead;
  const isOutdated = wanted !== undefined && wanted.atMs <= nowMs;
  setLead(turn, { outdated: isOutdated ? outdated + 1 : 0 });
  if (isOutdated && !(wanted.isMinor && outdated >= OUTDATED_MAX)) return;
  if (mustAwaitFencing(turn, transition.actions)) {
    log(turn, "info", `decision ${number} is put off until a fencing that is not wanted any more has ended`);
    return;
  }
  tellDecision(turn, number, decision, lead);
  turn.state = { ...turn.state, election: noteDecided(turn.state.election, turn.state.view?.quorate === true) };
  const started = startRun(transition, number, nowMs);
  setLead(turn, { run: started.state });
  for (const effect of started.effects) {
    if (effect.kind === "start") startAction(turn, effect.action);
    else if (effect.kind === "finished") finish(turn, number, effect.complete, started.state.aborted);
  }
  if (isOutdated) advance(turn, { kind: "abort", reason: wanted.reason });
}

const generationOf = ({ state }: Turn, node: string): number =>
  state.view?.peers.find(({ name }) => name === node)?.generation ?? 0;

/** The scheduler's own words for it (Pacemaker Explained, "Unfencing"); they are gone with the node's next start. */
function letInAttributes({ target: node, meta }: FenceAction, nowWallMs: number): readonly StatusChange[] {
  const values = {
    "#node-unfenced": String(Math.floor(nowWallMs / 1_000)),
    "#digests-all": meta["digests_all"] ?? "",
    "#digests-secure": meta["digests_secure"] ?? "",
  };
  return Object.entries(values).map(([name, value]) => ({ kind: "set-attribute", node, name, value }));
}

/** What the fencer found out, whoever had asked for it. */
export function acceptFencing(turn: Turn, result: FencingResult): void {
  const { target, action, outcome, reason } = result;
  const { lead } = turn.state;
  if (lead === undefined) {
    // An operator had the DC itself fenced, by us: its next one must find that proven, or it fences it once more.
    if (outcome === "confirmed" && action !== "on") tellFenced(turn, target, generationOf(turn, target));
    return;
  }
  if (action !== "on") setLead(turn, { fencings: without(lead.fencings, target) });
  const what = action === "on" ? `unfencing of ${target}` : `fencing of ${target} (${action})`;
  const fencings = (lead.run?.transition.actions ?? []).filter(
    (candidate): candidate is FenceAction =>
      candidate.kind === "fence" && candidate.target === target && (candidate.operation === "on") === (action === "on"),
  );
  const running = lead.run === undefined || lead.run.finished ? [] : inFlight(lead.run);
  const awaited = fencings.filter((each) => running.includes(keyAndNode(each)));
  if (outcome === "confirmed") {
    log(turn, "warning", `${what} is confirmed: ${reason}`);
    if (action === "on") {
      // Of an order that is awaited no more, its node having gone meanwhile, a new start must not profit.
      for (const order of awaited) emit(turn, { kind: "report", changes: letInAttributes(order, turn.now.nowWallMs) });
    } else {
      reportNodeState(turn, target, DOWN);
      emit(turn, { kind: "report", changes: [{ kind: "clear-node", node: target }] });
      tellFenced(turn, target, generationOf(turn, target));
    }
  } else {
    const consequence = action === "on" ? "nothing starts there" : "nothing is taken over";
    log(turn, "error", `${what} is ${outcome}, so ${consequence}: ${reason}`);
  }
  for (const { id } of fencings) advance(turn, { kind: "ended", actionId: id, succeeded: outcome === "confirmed" });
  if (outcome !== "confirmed") reviewNodes(turn);
  const after = turn.state.lead;
  if (awaited.length === 0) want(turn, `${what} has ended: ${outcome}`);
  else if (outcome !== "confirmed" && after?.wanted !== undefined) {
    const atMs = Math.max(after.wanted.atMs, turn.now.nowMs + FENCE_RETRY_MS);
    setLead(turn, { wanted: { ...after.wanted, atMs } });
  }
}

/** After a change of the CIB that is not our own doing. */
export function reviewCib(turn: Turn, what: "configuration" | "status"): void {
  const { lead, cib } = turn.state;
  if (lead === undefined) return;
  if (what === "configuration") {
    reviewNodes(turn);
    const delayMs = readTimeMs(clusterOption(cib, "transition-delay") ?? "") ?? 0;
    abort(turn, "the configuration has changed", Math.max(0, delayMs));
  } else if (attributesText(cib) !== lead.attributesSeen) {
    setLead(turn, { attributesSeen: attributesText(cib) });
    abort(turn, "a node attribute has changed", 0, true);
  }
}

export function decideWakeAtMs(turn: Turn): number | undefined {
  const { lead } = turn.state;
  if (lead === undefined) return undefined;
  const decideMs = isFree(turn, lead) ? decideAtMs(turn, lead) : undefined;
  const runMs = lead.run === undefined ? undefined : runWakeAtMs(lead.run);
  return earliest(earliest(decideMs, lead.recheckAtMs), runMs);
}

/** For the log: takeovers that wait for a fencing that cannot be had. */
export function warnOfDisabledFencing(turn: Turn): void {
  if (!isFencingEnabled(turn.state.cib))
    log(turn, "warning", "fencing is disabled by configuration: a lost node is taken for dead without proof");
}
