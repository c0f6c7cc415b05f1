/**
 * The controller: follows the DC, is the DC when elected, and sees its own node out of the cluster. Pure.
 * step(state, event, now) -> { state, effects }; controllerWakeAtMs says when it next wants a `tick`.
 * Rules: election.ts; nodes and joins: reign.ts; decisions and transitions: decide.ts; results: outcome.ts.
 */
import { earliest } from "../../../base/earliest.ts";
import { entryOf } from "../../../base/record.ts";
import type { Stepped } from "../../../base/step.ts";
import type { XmlElement } from "../../../base/xml.ts";
import { createElection, type ElectionEvent, electionWakeAtMs, stepElection } from "../election.ts";
import type { MembershipView } from "../membership/view.ts";
import {
  abort,
  acceptDecision,
  acceptFencing,
  actionOfKey,
  advance,
  decideWakeAtMs,
  decideWhenDue,
  reviewCib,
  warnOfDisabledFencing,
} from "./decide.ts";
import { heldUpWakeAtMs, noteHeldUp } from "./held-up.ts";
import { endLock } from "./kept-locks.ts";
import { leaveInOrder, requestedShutdown, stop, tendStop } from "./leaving.ts";
import { cleanUp, countFailure, judgeResult } from "./outcome.ts";
import {
  acceptJoin,
  answerReturned,
  askAgain,
  askForReturned,
  createLead,
  forgetJoin,
  joinsWakeAtMs,
  noteFenced,
  reviewNodes,
  tendJoins,
} from "./reign.ts";
import { reportWakeAtMs, tellReport } from "./report.ts";
import { refuseStranger } from "./strange-words.ts";
import { broadcast, emit, log, members, send, setLead, type Turn, want } from "./turn.ts";
import type {
  ControllerEffect,
  ControllerEvent,
  ControllerMessage,
  ControllerState,
  Instant,
  OperationFailure,
} from "./types.ts";

export function createController(
  self: string,
  incarnation: string,
  nodes: ControllerState["nodes"],
  fenced: ControllerState["fenced"],
  cib: XmlElement,
  nowMs: number,
  hasBegun: boolean,
): ControllerState {
  return {
    self,
    incarnation,
    nodes,
    view: undefined,
    election: createElection(self, incarnation, nowMs),
    round: undefined,
    cib,
    lead: undefined,
    stopping: undefined,
    leaveAtMs: undefined,
    left: false,
    fenced,
    dcReport: undefined,
    strangers: [],
    hasBegun,
  };
}

/** Who does not lead has nobody fenced: what it wanted in a reign of its own would shoot a member of this one. */
function forgoFencing(turn: Turn): void {
  const { lead, election, self } = turn.state;
  if (lead !== undefined || election.dc === null) return;
  for (const node of members(turn)) if (node !== self) emit(turn, { kind: "withdraw-fence", node });
}

function tellStore(turn: Turn): void {
  const { view, election, nodes } = turn.state;
  const quorate = view?.quorate === true;
  const tied = 2 * members(turn).length === nodes.length;
  const dc = election.dc ?? undefined;
  emit(turn, { kind: "tell-store", event: { kind: "view", members: members(turn), dc, quorate, tied } });
}

function takeDc(turn: Turn, dc: string | null): void {
  const { self, view, incarnation } = turn.state;
  turn.state = { ...turn.state, round: undefined, lead: undefined, dcReport: undefined };
  tellStore(turn);
  log(turn, "info", dc === null ? "there is no DC" : `${dc} is the DC`);
  askForReturned(turn);
  if (dc !== self) {
    forgoFencing(turn);
    return;
  }
  const round = `${self}-${view?.generation ?? 0}-${incarnation.slice(0, 8)}-${turn.now.nowMs}`;
  turn.state = { ...turn.state, lead: createLead(round) };
  want(turn, `${self} has become the DC`);
  warnOfDisabledFencing(turn);
}

function elect(turn: Turn, event: ElectionEvent): void {
  const stepped = stepElection(turn.state.election, event, turn.now.nowMs);
  if (stepped.state !== turn.state.election) turn.state = { ...turn.state, election: stepped.state };
  for (const effect of stepped.effects) {
    switch (effect.kind) {
      case "say-hello":
        broadcast(turn, { kind: "hello", hello: effect.hello });
        break;
      case "dc-changed":
        takeDc(turn, effect.dc);
        break;
      case "manager-restarted":
        if (turn.state.lead === undefined) break;
        log(turn, "warning", `the manager of ${effect.node} was started anew: its resources are looked at again`);
        advance(turn, { kind: "node-gone", node: effect.node });
        forgetJoin(turn, effect.node);
        reviewNodes(turn);
        break;
      case "follows":
        askAgain(turn, effect.node);
        break;
      default:
        effect satisfies never;
    }
  }
}

/** Two beats of a slow site, and its manager's answer. */
const HEALING_WAIT_MS = 5_000;

/** What of a view bears on decisions, beside the members. */
function standing(view: MembershipView | undefined): string {
  if (view === undefined) return "";
  const { peers, settled, agreed, quorate, hold } = view;
  const phases = peers.map(({ name, phase, returned, silentMs }) => [name, phase, returned, silentMs === undefined]);
  return JSON.stringify([phases, settled, agreed, quorate, hold]);
}

function takeView(turn: Turn, view: MembershipView): void {
  const before = turn.state.view;
  turn.state = { ...turn.state, view };
  const isNew = before?.members.join() !== view.members.join();
  if (isNew) {
    log(turn, "info", `members: ${view.members.join(", ")}`);
    const gone = before?.members.filter((node) => !view.members.includes(node)) ?? [];
    const wasDc = turn.state.election.dc;
    elect(turn, { kind: "members", members: view.members });
    if (turn.state.election.dc === wasDc) {
      tellStore(turn);
      if (turn.state.lead !== undefined) setLead(turn, { synchronised: false });
      forgoFencing(turn);
    }
    for (const node of gone) {
      advance(turn, { kind: "node-gone", node });
      // Also when it is back before anything else is looked at: it has another reign by then, or none.
      if (turn.state.lead !== undefined) forgetJoin(turn, node);
    }
    // What cut us off from all is mended, or mending: it would be too early to have the others shot for their silence.
    if (before?.members.length === 1 && view.members.length > 1 && turn.state.lead !== undefined)
      setLead(turn, { healingUntilMs: turn.now.nowMs + HEALING_WAIT_MS });
  }
  if (!isNew && before?.quorate !== view.quorate) tellStore(turn);
  if (!isNew && standing(before) === standing(view)) return;
  askForReturned(turn);
  if (turn.state.lead === undefined) return;
  reviewNodes(turn);
  // Agreement is what a waiting decision waits for, and nothing to stop a running one for.
  if (!isNew && standing({ ...view, agreed: false }) === standing(before && { ...before, agreed: false })) return;
  abort(turn, view.hold ?? (isNew ? "the members have changed" : "a peer's standing has changed"));
}

type Result = Extract<ControllerMessage, { kind: "result" }>;

function takeResult(turn: Turn, from: string, { result, wallMs }: Result): void {
  if (turn.state.lead === undefined) return;
  const actionId = actionOfKey(turn, result.transitionKey);
  if (actionId === undefined) {
    // Ordered by an earlier DC or in an aborted life of ours: the history has it, and the decision must see it.
    judgeResult(turn, from, result, wallMs);
    want(turn, `a late answer of ${result.operation} of ${result.resourceId} on ${from}`);
    return;
  }
  const succeeded = judgeResult(turn, from, result, wallMs);
  // The next decision would ask for it; until then it would be shown as locked where it runs.
  if (succeeded && result.operation === "start") endLock(turn, from, result.resourceId);
  advance(turn, { kind: "ended", actionId, succeeded });
}

function takeUnexpected(turn: Turn, from: string, failure: OperationFailure): void {
  if (turn.state.lead === undefined) return;
  countFailure(turn, from, failure);
  abort(turn, `${failure.operation} of ${failure.resource} on ${from} answered ${failure.rcCode}`);
}

/** What was ordered in vain will not be answered. */
function joinAgain(turn: Turn, node: string, round: string): void {
  const { lead } = turn.state;
  if (lead?.round !== round || entryOf(lead.joins, node)?.phase !== "joined") return;
  log(turn, "warning", `${node} has not joined this reign any more: it is offered again`);
  advance(turn, { kind: "node-gone", node });
  forgetJoin(turn, node);
  reviewNodes(turn);
}

/** Orders of a DC count only from the DC that this node has joined, in the reign that it has joined. */
function isOrder(turn: Turn, from: string, round: string): boolean {
  const { election, round: joined, left } = turn.state;
  return from === election.dc && round === joined && !left;
}

function takeOrder(turn: Turn, from: string, message: ControllerMessage): void {
  if (message.kind === "join-offer") {
    if (from !== turn.state.election.dc || turn.state.left) return;
    if (turn.state.round !== message.round) emit(turn, { kind: "flush" });
    turn.state = { ...turn.state, round: message.round };
    emit(turn, { kind: "answer-join", to: from, round: message.round });
    return;
  }
  const { kind } = message;
  if (kind !== "perform" && kind !== "withdraw" && kind !== "clear" && kind !== "leave") return;
  if (!isOrder(turn, from, message.round)) {
    log(turn, "warning", `an order of ${from} (${kind}) is not followed: this node has not joined its reign`);
    // It counts us in where we do not: without a word it would wait for us until the action's time is over.
    if (from === turn.state.election.dc && !turn.state.left)
      send(turn, from, { kind: "join-wanted", round: message.round });
    return;
  }
  switch (message.kind) {
    case "perform":
      emit(turn, { kind: "perform", action: message.action, transitionKey: message.transitionKey });
      break;
    case "withdraw":
      emit(turn, { kind: "flush" });
      break;
    case "clear":
      emit(turn, { kind: "clear", resource: message.resource, scope: message.scope });
      break;
    case "leave":
      leaveInOrder(turn);
      break;
    default:
      message satisfies never;
  }
}

function takeMessage(turn: Turn, from: string, message: ControllerMessage): void {
  switch (message.kind) {
    case "hello":
      if (refuseStranger(turn, from, message.hello)) break;
      elect(turn, { kind: "hello", from, hello: message.hello });
      break;
    case "joined":
      acceptJoin(turn, from, message);
      break;
    case "join-wanted":
      joinAgain(turn, from, message.round);
      break;
    case "result":
      takeResult(turn, from, message);
      break;
    case "unexpected":
      takeUnexpected(turn, from, message.failure);
      break;
    case "cleanup-request":
      cleanUp(turn, message);
      abort(turn, `${message.resource} is cleaned up`, CLEANUP_SETTLE_MS);
      break;
    case "shutdown-request":
      requestedShutdown(turn, from, message.wallMs);
      break;
    case "fenced":
      noteFenced(turn, message.node, message.generation);
      break;
    case "returned":
      answerReturned(turn, from, message.node);
      break;
    case "accepted":
      if (turn.state.lead === undefined && (turn.state.election.dc ?? from) === from)
        emit(turn, { kind: "peer-accepted", node: message.node });
      break;
    case "dc-report":
      if (from === turn.state.election.dc) turn.state = { ...turn.state, dcReport: message.report };
      break;
    case "join-offer":
    case "perform":
    case "withdraw":
    case "clear":
    case "leave":
      takeOrder(turn, from, message);
      break;
    default:
      message satisfies never;
  }
}

/** The members' executors forget first, and their reports arrive; then the decision probes anew. */
const CLEANUP_SETTLE_MS = 100;

function takeEvent(turn: Turn, event: ControllerEvent): void {
  switch (event.kind) {
    case "view":
      takeView(turn, event.view);
      break;
    case "message":
      takeMessage(turn, event.from, event.message);
      break;
    case "messages-lost":
      elect(turn, event);
      break;
    case "cib":
      turn.state = { ...turn.state, cib: event.cib };
      reviewCib(turn, event.what);
      break;
    case "synchronised":
      if (turn.state.lead === undefined) break;
      setLead(turn, { synchronised: true });
      reviewNodes(turn);
      want(turn, "the CIB is synchronised");
      break;
    case "decision":
      acceptDecision(turn, event.number, event.decision);
      break;
    case "result":
      if (turn.state.election.dc !== null)
        send(turn, turn.state.election.dc, { kind: "result", result: event.result, wallMs: turn.now.nowWallMs });
      break;
    case "unexpected":
      if (turn.state.election.dc !== null)
        send(turn, turn.state.election.dc, { kind: "unexpected", failure: event.failure });
      break;
    case "fenced":
      acceptFencing(turn, event.result);
      break;
    case "cleanup":
      if (turn.state.election.dc !== null) send(turn, turn.state.election.dc, { ...event, kind: "cleanup-request" });
      break;
    case "stop":
      stop(turn, event);
      break;
    case "tick":
      elect(turn, { kind: "tick" });
      if (turn.state.election.dc === null) askForReturned(turn);
      tendJoins(turn);
      advance(turn, { kind: "tick" });
      tendStop(turn);
      break;
    default:
      event satisfies never;
  }
}

export function stepController(
  state: ControllerState,
  event: ControllerEvent,
  now: Instant,
): Stepped<ControllerState, ControllerEffect> {
  const turn: Turn = { state, effects: [], now };
  takeEvent(turn, event);
  decideWhenDue(turn);
  noteHeldUp(turn);
  tellReport(turn);
  return { state: turn.state, effects: turn.effects };
}

/** When the controller next wants a `tick`. */
export function controllerWakeAtMs(state: ControllerState): number | undefined {
  const turn: Turn = { state, effects: [], now: { nowMs: 0, nowWallMs: 0 } };
  const { lead, stopping, left } = state;
  let wakeMs = electionWakeAtMs(state.election);
  if (lead !== undefined)
    wakeMs = earliest(
      earliest(wakeMs, joinsWakeAtMs(lead)),
      earliest(earliest(decideWakeAtMs(turn), heldUpWakeAtMs(lead)), reportWakeAtMs(lead)),
    );
  if (left) return wakeMs;
  return earliest(earliest(wakeMs, stopping?.requestDueAtMs), state.leaveAtMs);
}
