/**
 * The black box: every input of a node's core, so that whatever it decided can be decided again, byte for byte, on any
 * machine. A segment begins with the whole state and can be replayed by itself. Each line ends with a hash over itself
 * and the line before: a line that was changed, left out or put in shows. A process that is killed leaves lines behind
 * that its next start does not know to be whole, so a segment names the line that it follows.
 * Not in it: what the effects came to in the world; that is in the next inputs.
 */
import type { NodeEffect, NodeEvent, NodeState } from "../controller/node-core.ts";
import type { Decision } from "../scheduler/decision.ts";

export const JOURNAL_FORMAT = 4;

/** SHA-256 as hexadecimal text; handed in, because a core knows no library. */
export type Hash = (text: string) => string;

export interface Instant {
  readonly nowMs: number;
  readonly nowWallMs: number;
}

/** A decision stands in the journal only as its hash: it is worked out again. */
export type JournalEvent =
  | Exclude<NodeEvent, { readonly kind: "decision" }>
  | { readonly kind: "decision"; readonly number: number; readonly hash: string };

export type JournalEntry =
  | {
      readonly kind: "snapshot";
      readonly format: number;
      readonly program: string;
      /** The hash of the line that this segment follows; what stands after that one was still on its way. */
      readonly after: string;
      readonly wallMs: number;
      readonly state: NodeState;
    }
  | { readonly kind: "event"; readonly at: Instant; readonly event: JournalEvent; readonly effects: string }
  /** The scheduler was asked, with the CIB as it stood at this very line. */
  | {
      readonly kind: "scheduled";
      readonly number: number;
      readonly wallMs: number;
      readonly quorate: boolean;
      /** Missing in journals of a version that judged dates in UTC. */
      readonly zoneSeconds?: number;
    };

/** What stands before the first line of the first journal. */
export const NO_HASH = "0".repeat(64);

/** In place of the effects' hash: the core broke over this event, and the process ended. */
export const FAULT = "fault";

export function decisionHash(decision: Decision, hash: Hash): string {
  return hash(JSON.stringify(decision));
}

export function effectsHash(effects: readonly NodeEffect[], hash: Hash): string {
  return hash(JSON.stringify(effects));
}

export function journalEvent(event: NodeEvent, hash: Hash): JournalEvent {
  if (event.kind !== "decision") return event;
  return { kind: "decision", number: event.number, hash: decisionHash(event.decision, hash) };
}

export interface ChainedLine {
  readonly line: string;
  /** For the next line. */
  readonly hash: string;
}

/** One line without its line feed. A tab cannot occur within JSON as it is printed. */
export function writeLine(entry: JournalEntry, before: string, hash: Hash): ChainedLine {
  const text = JSON.stringify(entry);
  const own = hash(`${before}${text}`);
  return { line: `${text}\t${own}`, hash: own };
}

export type LineRead =
  | { readonly kind: "entry"; readonly entry: JournalEntry; readonly hash: string }
  | { readonly kind: "broken"; readonly reason: string };

/** Hashes of the lines read so far; `last` undefined: this is the first line that is known. */
export interface Chain {
  readonly last: string | undefined;
  readonly seen: ReadonlySet<string>;
}

export function readLine(line: string, { last, seen }: Chain, hash: Hash): LineRead {
  const tab = line.lastIndexOf("\t");
  if (tab < 0) return { kind: "broken", reason: "the line has no hash" };
  const [text, own] = [line.slice(0, tab), line.slice(tab + 1)];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "broken", reason: "the line is not JSON" };
  }
  if (typeof value !== "object" || value === null || !("kind" in value))
    return { kind: "broken", reason: "the line is no entry" };
  if (last === undefined && value.kind !== "snapshot")
    return { kind: "broken", reason: "it does not begin with a state: lines before this one are missing" };
  const follows = value.kind === "snapshot" && "after" in value ? String(value.after) : last;
  if (last !== undefined && follows !== undefined && follows !== last && !seen.has(follows))
    return { kind: "broken", reason: "the segment follows a line that is not here: lines, or a segment, are missing" };
  if (follows !== undefined && hash(`${follows}${text}`) !== own)
    return { kind: "broken", reason: "the hash does not fit: this line, or one before it, was changed or is missing" };
  // The hash says that we have written it; its shape is that of the format that the snapshot names.
  return { kind: "entry", entry: value as JournalEntry, hash: own };
}
