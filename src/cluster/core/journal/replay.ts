/**
 * Replays a journal: the same core, the same inputs, and at each step the effects that were recorded, or the place of
 * the first difference. Pure, so that it tells the same on any machine.
 */
import type { Stepped } from "../../../base/step.ts";
import { type NodeEffect, type NodeEvent, type NodeState, nodeCib } from "../controller/node-core.ts";
import type { Decision } from "../scheduler/decision.ts";
import { schedule } from "../scheduler/schedule.ts";
import {
  decisionHash,
  effectsHash,
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
  readonly lineCount: number;
  readonly eventCount: number;
  readonly decisionCount: number;
  /** Where it stopped, from 1; 0 when nothing is wrong. */
  readonly atLine: number;
  readonly reason: string;
}

export interface ReplayTools {
  readonly step: Step;
  readonly hash: Hash;
  /** Told of every step, for whoever wants to read along. */
  readonly onStep?: (at: Instant, event: JournalEvent, effects: readonly NodeEffect[]) => void;
}

interface Run {
  state: NodeState | undefined;
  /** Decisions that the scheduler was asked for, by their number; only the latest few can still be answered. */
  readonly asked: Map<number, Decision>;
  events: number;
  decisions: number;
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

/** Undefined when all is as it was. */
function play(run: Run, entry: JournalEntry, { step, hash, onStep }: ReplayTools): string | undefined {
  switch (entry.kind) {
    case "snapshot":
      if (entry.format !== JOURNAL_FORMAT) return `format ${entry.format} is not read by this version`;
      run.state = entry.state;
      run.asked.clear();
      return undefined;
    case "scheduled": {
      if (run.state === undefined) return "the journal does not begin with a state";
      const { number, wallMs, quorate } = entry;
      run.asked.set(number, schedule(nodeCib(run.state), wallMs, { quorate }));
      return undefined;
    }
    case "event": {
      if (run.state === undefined) return "the journal does not begin with a state";
      const event = eventOf(run, entry.event, hash);
      if (typeof event === "string") return event;
      run.events += 1;
      const stepped = step(run.state, event, entry.at);
      run.state = stepped.state;
      onStep?.(entry.at, entry.event, stepped.effects);
      return effectsHash(stepped.effects, hash) === entry.effects
        ? undefined
        : `the effects of ${entry.event.kind} come out differently`;
    }
    default:
      return "the kind of entry is not known";
  }
}

/** All segments in their order. An unfinished last line is that of a power cut, and no break of the chain. */
export function replay(text: string, tools: ReplayTools): ReplayReport {
  const run: Run = { state: undefined, asked: new Map(), events: 0, decisions: 0 };
  const lines = text.split("\n");
  const isCut = lines.at(-1) !== "";
  const whole = isCut ? lines.slice(0, -1) : lines;
  let before: string | undefined;
  const report = (kind: ReplayReport["kind"], atLine: number, reason: string): ReplayReport => ({
    kind,
    lineCount: whole.length,
    eventCount: run.events,
    decisionCount: run.decisions,
    atLine,
    reason,
  });
  for (const [index, line] of whole.entries()) {
    if (line === "") continue;
    const read = readLine(line, before, tools.hash);
    if (read.kind === "broken") return report("broken", index + 1, read.reason);
    before = read.hash;
    const difference = play(run, read.entry, tools);
    if (difference !== undefined) return report("different", index + 1, difference);
  }
  return report("same", 0, isCut ? "the last line was being written when it ended" : "");
}
