/**
 * How a keeper cares for its manager: how its starts are numbered, how long its silence is borne, when it is started
 * again, and what all that means for the watchdog. One place for the keeper and for the simulator's. Pure.
 */
import type { VitalLimits } from "./vitals.ts";

/** Manager starts are counted within a start of the keeper; so many leave room for the generation in 48 bits. */
const STARTS_PER_GENERATION = 65_536;
const SILENT_MIN_MS = 5_000;
export const ASK_EVERY_MS = 1_000;
/** As the membership judges lateness: what a timer is late by beyond another round counts as a pause. */
const ASK_LATE_MAX_MS = 2 * ASK_EVERY_MS;
/** Starting takes 0.1 s on a machine and some seconds on an emulated one under load. */
const START_MAX_MS = 60_000;
const BACKOFF_MIN_MS = 200;
const BACKOFF_MAX_MS = 10_000;
/** More ends than this within the window is not bad luck but sickness. */
const ENDS_MAX = 5;
const ENDS_WINDOW_MS = 120_000;
/** Without a watchdog that says how long, a sick manager gets its restarts and then the node ends. */
const SICK_MIN_MS = 10_000;

/**
 * How long the manager has been silent, as far as the keeper listened: by how much a question comes late the keeper
 * itself stood still, and what the manager said meanwhile lies unread.
 */
export interface Silence {
  /** When it was asked last. */
  readonly askedAtMs: number;
  /** Since its start, or its last word. */
  readonly silentMs: number;
  /** Since its last answer, over all its starts. */
  readonly unansweredMs: number;
}

export const beginListening = (nowMs: number): Silence => ({ askedAtMs: nowMs, silentMs: 0, unansweredMs: 0 });

/** A new question; they come every ASK_EVERY_MS. */
export function noteQuestion({ askedAtMs, silentMs, unansweredMs }: Silence, nowMs: number): Silence {
  const listenedMs = Math.min(nowMs - askedAtMs, ASK_LATE_MAX_MS);
  return { askedAtMs: nowMs, silentMs: silentMs + listenedMs, unansweredMs: unansweredMs + listenedMs };
}

/** It has started, or said something that is no answer. */
export const noteWord = (silence: Silence): Silence => ({ ...silence, silentMs: 0 });

export const noteAnswer = (silence: Silence): Silence => ({ ...silence, silentMs: 0, unansweredMs: 0 });

/** Whether it hangs. */
export function isTooSilent({ silentMs }: Silence, hasAnswered: boolean, silentMaxMs: number): boolean {
  return silentMs > (hasAnswered ? silentMaxMs : START_MAX_MS);
}

/** Of the n-th start of the manager, from 1: above every one before it. */
export const sessionOf = (generation: number, start: number): number => generation * STARTS_PER_GENERATION + start;

/** Peers are as patient with this node; a manager's longest turn (garbage, a large CIB) stays far below either. */
export const silentMaxOf = (deadtimeMs: number): number => Math.max(SILENT_MIN_MS, 3 * deadtimeMs);

/** `watchdogMs`: 0 without one. */
export function vitalLimitsOf(deadtimeMs: number, watchdogMs: number): VitalLimits {
  return {
    loopMaxMs: deadtimeMs,
    managerMaxMs: 2 * START_MAX_MS,
    managerEndsMax: ENDS_MAX,
    sickMaxMs: Math.max(SICK_MIN_MS, 3 * deadtimeMs, 2 * watchdogMs),
  };
}

/** Its ends that were nobody's wish. */
export interface Restarts {
  readonly endsAtMs: readonly number[];
  /** How long the next one waits. */
  readonly backoffMs: number;
}

export const NO_RESTARTS: Restarts = { endsAtMs: [], backoffMs: BACKOFF_MIN_MS };

export function endsLately({ endsAtMs }: Restarts, nowMs: number): number {
  return endsAtMs.filter((atMs) => nowMs - atMs < ENDS_WINDOW_MS).length;
}

/** It has ended; it is started again after the `backoffMs` that stood there before. */
export function noteEnd({ endsAtMs, backoffMs }: Restarts, nowMs: number): Restarts {
  const recent = endsAtMs.filter((atMs) => nowMs - atMs < ENDS_WINDOW_MS);
  return { endsAtMs: [...recent, nowMs], backoffMs: Math.min(2 * backoffMs, BACKOFF_MAX_MS) };
}

/** It has run for a while: the next restart is a first one again. */
export function noteSteady(restarts: Restarts): Restarts {
  return { ...restarts, backoffMs: BACKOFF_MIN_MS };
}
