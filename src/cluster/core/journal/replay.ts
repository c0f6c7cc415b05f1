/**
 * Replays a journal: the same core, the same inputs, and at each step the effects that were recorded, or the place of
 * the first difference. Pure, so that it tells the same on any machine.
 */
import type { Stepped } from "../../../base/step.ts";
import type { XmlElement } from "../../../base/xml.ts";
import { type NodeEffect, type NodeEvent, type NodeState, nodeCib } from "../controller/node-core.ts";
import type { Decision } from "../scheduler/decision.ts";
import { schedule } from "../scheduler/schedule.ts";
import {
  decisionHash,
  effectsHash,
  FAULT,
  type Hash,
  type Instant,
  JOURNAL_FORMAT,
  type JournalEntry,
  type JournalEvent,
  readLine,
} from "./journal.ts";

/** The core's step with its tools bound. */
export type Step = (state: NodeState, event: NodeEvent, now: Instant) => Stepped<NodeState, NodeEffect>;

export interface ReplayReport {
  readonly kind: "same" | "different" | "broken";
  /** Lines read, of all segments. */
  readonly lineCount: number;
  readonly eventCount: number;
  readonly decisionCount: number;
  /** Which segment it stopped in, from 0, and at which of its lines, from 1; 0 when nothing is wrong. */
  readonly atSegment: number;
  readonly atLine: number;
  readonly reason: string;
}

export type Asked = Extract<JournalEntry, { readonly kind: "scheduled" }>;

export interface ReplayTools {
  readonly step: Step;
  readonly hash: Hash;
  /** Told of every decision as the scheduler makes it again, with the CIB that it was made of. */
  readonly onDecision?: (asked: Asked, cib: XmlElement, decision: Decision) => void;
  /** Told of every step, for whoever wants to read along. */
  readonly onStep?: (at: Instant, event: JournalEvent, effects: readonly NodeEffect[]) => void;
}

interface Run {
  state: NodeState | undefined;
  /** Who wrote the segment. */
  program: string;
  /** Decisions that the scheduler was asked for, by their number; only the latest few can still be answered. */
  readonly asked: Map<number, Decision>;
  events: number;
  decisions: number;
  /** What the core broke over, then as now. */
  readonly faults: string[];
}

/** The event as the core took it; a reason when it cannot have been so. */
function eventOf(run: Run, event: JournalEvent, hash: Hash): NodeEvent | string {
  if (event.kind !== "decision") return event;
  const decision = run.asked.get(event.number);
  if (decision === undefined) return `decision ${event.number} was never asked for`;
  run.decisions += 1;
  run.asked.delete(event.number);
  if (decisionHash(decision, hash) !== event.hash) return `decision ${event.number} comes out differently`;
  return { kind: "decision", number: event.number, decision };
}

/** What the core does with it; a reason when it breaks, as it may over what another version of it has written. */
function stepped(run: Run, state: NodeState, event: NodeEvent, at: Instant, step: Step) {
  try {
    return step(state, event, at);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return `the core breaks over ${event.kind}: ${what} (the journal was written by ${run.program})`;
  }
}

/** The reading refuses such a journal before: this is for the types. */
const NO_STATE = "there is no state before this line";

/** Undefined when all is as it was. */
function play(run: Run, entry: JournalEntry, { step, hash, onStep, onDecision }: ReplayTools): string | undefined {
  switch (entry.kind) {
    case "snapshot":
      if (entry.format !== JOURNAL_FORMAT)
        return `format ${entry.format}, written by ${entry.program}: this version reads format ${JOURNAL_FORMAT}`;
      run.state = entry.state;
      run.program = entry.program;
      run.asked.clear();
      return undefined;
    case "scheduled": {
      if (run.state === undefined) return NO_STATE;
      const { number, wallMs, quorate, zoneSeconds = 0 } = entry;
      const cib = nodeCib(run.state);
      const decision = schedule(cib, wallMs, { quorate, zoneSeconds });
      run.asked.set(number, decision);
      onDecision?.(entry, cib, decision);
      return undefined;
    }
    case "event": {
      if (run.state === undefined) return NO_STATE;
      const event = eventOf(run, entry.event, hash);
      if (typeof event === "string") return event;
      run.events += 1;
      const after = stepped(run, run.state, event, entry.at, step);
      if (entry.effects === FAULT) {
        if (typeof after !== "string") return `the core broke over ${event.kind} and does not any more`;
        run.faults.push(after);
        return undefined;
      }
      if (typeof after === "string") return after;
      run.state = after.state;
      onStep?.(entry.at, entry.event, after.effects);
      return effectsHash(after.effects, hash) === entry.effects
        ? undefined
        : `the effects of ${entry.event.kind} come out differently`;
    }
    default:
      return "the kind of entry is not known";
  }
}

/**
 * `segments`: the texts of the files in their order. The last line of any of them may be unfinished: there a process
 * was killed, or the power went, and that is no break of the chain.
 */
export function replay(segments: readonly string[], tools: ReplayTools): ReplayReport {
  const run: Run = { state: undefined, program: "", asked: new Map(), events: 0, decisions: 0, faults: [] };
  const seen = new Set<string>();
  let last: string | undefined;
  let lineCount = 0;
  let cuts = 0;
  const report = (
    kind: ReplayReport["kind"],
    reason: string,
    [atSegment, atLine]: readonly [number, number] = [0, 0],
  ): ReplayReport => ({
    kind,
    lineCount,
    eventCount: run.events,
    decisionCount: run.decisions,
    atSegment,
    atLine,
    reason,
  });
  for (const [number, segment] of segments.entries()) {
    const lines = segment.split("\n");
    // What follows the last line feed is a line that was never finished, or nothing.
    if (lines.pop() !== "") cuts += 1;
    for (const [index, line] of lines.entries()) {
      const place = [number, index + 1] as const;
      lineCount += 1;
      const read = readLine(line, { last, seen }, tools.hash);
      if (read.kind === "broken") return report("broken", read.reason, place);
      // What the oldest segment follows is gone in order, and what was on its way then may follow the same line.
      if (last === undefined && read.entry.kind === "snapshot") seen.add(read.entry.after);
      last = read.hash;
      seen.add(last);
      const difference = play(run, read.entry, tools);
      if (difference !== undefined) return report("different", difference, place);
    }
  }
  const unfinished = cuts === 0 ? [] : [`${cuts} unfinished line${cuts === 1 ? "" : "s"}, where the process ended`];
  return report("same", [...run.faults, ...unfinished].join("; "));
}
