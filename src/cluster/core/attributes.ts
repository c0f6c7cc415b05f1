/**
 * Transient node attributes on their way into the CIB: dampening, counting, and private ones that never go there.
 * An agent that flaps must not make a transition of each breath: with a dampening the last value of the window is
 * written, once. The window begins with the first change and is not prolonged by later ones, so that no flapping,
 * however long, keeps a change from being known.
 * Facts: attrd_updater(8) (--delay, --private, `value++`, `value+=N`).
 */
import { entryOf } from "../../base/record.ts";
import type { Stepped } from "../../base/step.ts";
import { addScores, INFINITY_SCORE, parseScore } from "../../cib/schema/values.ts";

interface Entry {
  readonly node: string;
  readonly name: string;
  /** What was asked for last; null when it was deleted; undefined while only a dampening is known. */
  readonly value: string | null | undefined;
  readonly dampenMs: number;
  readonly isPrivate: boolean;
  /** When the value is due for the CIB. */
  readonly dueAtMs?: number;
}

export interface AttributesState {
  readonly entries: Readonly<Record<string, Entry>>;
}

export const NO_ATTRIBUTES: AttributesState = { entries: {} };

export interface AttributeUpdate {
  readonly kind: "update";
  readonly node: string;
  readonly name: string;
  /** Null deletes; undefined leaves the value as it is. */
  readonly value: string | null | undefined;
  /** What the CIB has of it now. */
  readonly known: string | undefined;
  /** Undefined leaves the dampening as it was. */
  readonly dampenMs: number | undefined;
  readonly isPrivate: boolean;
}

export type AttributeEvent = AttributeUpdate | { readonly kind: "tick" };

/** To be written into the status section. */
export interface AttributeEffect {
  readonly kind: "write";
  readonly node: string;
  readonly name: string;
  readonly value: string | null;
}

const keyOf = (node: string, name: string) => `${node}\n${name}`;

/** `value++` and `value+=5` count on from what is there; anything else stands as it is. */
function counted(wanted: string, current: string | undefined): string {
  const [, add] = /^value(?:\+\+|\+=(-?\d+|-?INFINITY))$/.exec(wanted) ?? [];
  if (add === undefined && wanted !== "value++") return wanted;
  const sum = addScores(parseScore(current), add === undefined ? 1 : parseScore(add));
  if (sum >= INFINITY_SCORE) return "INFINITY";
  return sum <= -INFINITY_SCORE ? "-INFINITY" : String(sum);
}

function update(
  state: AttributesState,
  event: AttributeUpdate,
  nowMs: number,
): Stepped<AttributesState, AttributeEffect> {
  const { node, name, known } = event;
  const key = keyOf(node, name);
  const before = entryOf(state.entries, key);
  const isPrivate = before?.isPrivate ?? event.isPrivate;
  const isOurs = before?.value !== undefined && (isPrivate || before.dueAtMs !== undefined);
  const current = isOurs ? (before.value ?? undefined) : known;
  const dampenMs = event.dampenMs ?? before?.dampenMs ?? 0;
  const value = typeof event.value === "string" ? counted(event.value, current) : event.value;
  const kept = { node, name, dampenMs, isPrivate };
  // What was written last may not have reached the CIB yet, and what the CIB has may be another's: both must agree.
  const isKnown = value === (current ?? null) && (before?.value === undefined || before.value === value);
  if (value === undefined || isKnown) {
    const due = before?.dueAtMs === undefined ? {} : { dueAtMs: before.dueAtMs };
    return { state: { entries: { ...state.entries, [key]: { ...kept, value: before?.value, ...due } } }, effects: [] };
  }
  if (isPrivate) return { state: { entries: { ...state.entries, [key]: { ...kept, value } } }, effects: [] };
  if (dampenMs === 0) {
    const entries = { ...state.entries, [key]: { ...kept, value } };
    return { state: { entries }, effects: [{ kind: "write", node, name, value }] };
  }
  const dueAtMs = before?.dueAtMs ?? nowMs + dampenMs;
  return { state: { entries: { ...state.entries, [key]: { ...kept, value, dueAtMs } } }, effects: [] };
}

function tick(state: AttributesState, nowMs: number): Stepped<AttributesState, AttributeEffect> {
  const effects: AttributeEffect[] = [];
  const entries = Object.entries(state.entries).map(([key, entry]): [string, Entry] => {
    const { dueAtMs, ...rest } = entry;
    if (dueAtMs === undefined || dueAtMs > nowMs || entry.value === undefined) return [key, entry];
    effects.push({ kind: "write", node: entry.node, name: entry.name, value: entry.value });
    return [key, rest];
  });
  return { state: { entries: Object.fromEntries(entries) }, effects };
}

export function stepAttributes(
  state: AttributesState,
  event: AttributeEvent,
  nowMs: number,
): Stepped<AttributesState, AttributeEffect> {
  return event.kind === "update" ? update(state, event, nowMs) : tick(state, nowMs);
}

export function attributesWakeAtMs({ entries }: AttributesState): number | undefined {
  const due = Object.values(entries).flatMap(({ dueAtMs }) => (dueAtMs === undefined ? [] : [dueAtMs]));
  return due.length === 0 ? undefined : Math.min(...due);
}

/** What whoever asks for it now is told: also before it is due, and of private ones. Undefined: ask the CIB. */
export function attributeValue(
  { entries }: AttributesState,
  node: string,
  name: string,
): { readonly value: string | null } | undefined {
  const entry = entryOf(entries, keyOf(node, name));
  if (entry?.value === undefined) return undefined;
  // What has been written may since have been changed there by another node.
  return entry.isPrivate || entry.dueAtMs !== undefined ? { value: entry.value } : undefined;
}
