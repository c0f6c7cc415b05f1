/**
 * One step of the controller while it is worked on: the state so far and the effects so far. Made at the beginning of
 * a step, read out at its end, never kept; outside of a step the state is plain data that nobody changes.
 */
import { check } from "../../../base/check.ts";
import type { ControllerEffect, ControllerMessage, ControllerState, Instant, Lead } from "./types.ts";

export interface Turn {
  state: ControllerState;
  readonly effects: ControllerEffect[];
  readonly now: Instant;
}

export function emit(turn: Turn, ...effects: readonly ControllerEffect[]): void {
  turn.effects.push(...effects);
}

export function log(turn: Turn, level: "info" | "warning" | "error", text: string): void {
  emit(turn, { kind: "log", level, text });
}

export function send(turn: Turn, to: string, message: ControllerMessage): void {
  emit(turn, { kind: "send", to, message });
}

export function members(turn: Turn): readonly string[] {
  return turn.state.view?.members ?? [];
}

/** To every member, ourselves left out. */
export function broadcast(turn: Turn, message: ControllerMessage): void {
  for (const member of members(turn)) if (member !== turn.state.self) send(turn, member, message);
}

/** Changes what a DC holds; only for a DC. */
export function setLead(turn: Turn, change: Partial<Lead>): void {
  const { lead } = turn.state;
  check(lead !== undefined, "only a DC leads");
  turn.state = { ...turn.state, lead: { ...lead, ...change } };
}

/** Asks for a new decision, at the latest `delayMs` from now; an earlier wish stays, and so does a graver one. */
export function want(turn: Turn, reason: string, delayMs = 0, isMinor = false): void {
  const { lead } = turn.state;
  if (lead === undefined) return;
  const atMs = turn.now.nowMs + delayMs;
  const { wanted } = lead;
  const isOnlyMinor = isMinor && wanted?.isMinor !== false;
  if (wanted === undefined || atMs < wanted.atMs) setLead(turn, { wanted: { reason, atMs, isMinor: isOnlyMinor } });
  else if (wanted.isMinor !== isOnlyMinor) setLead(turn, { wanted: { ...wanted, isMinor: isOnlyMinor } });
}
