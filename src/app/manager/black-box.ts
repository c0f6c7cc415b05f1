/**
 * Writes the journal (cluster/core/journal) into files of bounded number and size. It must never hold up the loop nor
 * end it: lines wait in memory while the disk is slow, and when too many wait, or the disk refuses, the segment is
 * given up and a new one begins later with a state of its own. The files hold the CIB, secrets and all: mode 0600.
 * Not to be assumed: that a process gets to finish its last line; `kill -9` leaves half ones, and empty files.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import type { NodeEffect, NodeEvent, NodeState } from "../../cluster/core/controller/node-core.ts";
import {
  effectsHash,
  FAULT,
  type Instant,
  JOURNAL_FORMAT,
  type JournalEntry,
  journalEvent,
  NO_HASH,
  writeLine,
} from "../../cluster/core/journal/journal.ts";
import { VERSION } from "../version.ts";
import type { Log } from "./log.ts";

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

type Scheduled = Omit<Extract<JournalEntry, { kind: "scheduled" }>, "kind" | "number" | "wallMs">;

export interface BlackBox {
  /** Before the effects are started: they may bring the next input. */
  readonly note: (before: NodeState, event: NodeEvent, now: Instant, effects: readonly NodeEffect[]) => void;
  readonly noteSchedule: (state: NodeState, number: number, wallMs: number, options: Scheduled) => void;
  /** The core broke over this event, and the process may be about to end: a segment of its own, written at once. */
  readonly noteFault: (before: NodeState, event: NodeEvent, now: Instant) => void;
  /** Resolves when all that was noted is with the operating system. */
  readonly flush: () => Promise<void>;
}

/** Together the days before an incident on a quiet pair, and hours of a busy one; small for any disk. */
const BYTES_MAX = 48 * 1024 * 1024;
const SEGMENT_BYTES_MAX = 8 * 1024 * 1024;
/** Each start begins a segment: a manager that dies over and over must not wipe out how it came to that. */
const SEGMENTS_MAX = 200;
/** Of lines that wait for the disk. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** After the disk has refused. */
const PAUSE_MS = 60_000;

const SEGMENT = /^journal-(\d{8})\.jsonl$/;

export function segmentFiles(directory: string): readonly string[] {
  try {
    const names = readdirSync(directory).filter((name) => SEGMENT.test(name));
    return names.toSorted().map((name) => path.join(directory, name));
  } catch {
    return [];
  }
}

/** The hash of the last whole line that earlier starts have written; the newest segments may have none. */
function lastHash(files: readonly string[]): string {
  for (const file of files.toReversed()) {
    const line = readFileSync(file, "utf8").split("\n").slice(0, -1).at(-1);
    if (line !== undefined) return line.split("\t").at(-1) ?? NO_HASH;
  }
  return NO_HASH;
}

/** What others may still write to the disk; all there is, where it cannot be told. */
function freeBytesOn(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * Removes the oldest segments until another full one has its place; answers how long that one may become. On a small
 * disk half of the room is left: the configuration stands on it as well, and no change is acknowledged without it.
 */
function makeRoom(directory: string, freeBytes: number): number {
  const sizes = segmentFiles(directory).map((file) => ({ file, bytes: statSync(file).size }));
  const own = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const bytesMax = Math.min(BYTES_MAX, (own + freeBytes) / 2);
  const segmentMax = Math.min(SEGMENT_BYTES_MAX, (bytesMax * SEGMENT_BYTES_MAX) / BYTES_MAX);
  let total = segmentMax;
  for (const [index, { file, bytes }] of sizes.toReversed().entries()) {
    total += bytes;
    if (total > bytesMax || index >= SEGMENTS_MAX - 1) rmSync(file, { force: true });
  }
  return segmentMax;
}

/** `freeOn`: for tests. */
export function openBlackBox(directory: string, log: Log, freeOn: typeof freeBytesOn = freeBytesOn): BlackBox {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const files = segmentFiles(directory);
  let number = Number(SEGMENT.exec(path.basename(files.at(-1) ?? ""))?.[1] ?? 0);
  let chained = lastHash(files);
  /** Of the last line that the disk is known to have taken. */
  let written = chained;
  let writtenBytes = Number.POSITIVE_INFINITY;
  let segmentMax = SEGMENT_BYTES_MAX;
  let waiting: { readonly file: string; readonly text: string; readonly hash: string }[] = [];
  let waitingBytes = 0;
  let writing: Promise<void> | undefined;
  let pausedUntilMs = 0;

  const tidy = () => {
    try {
      segmentMax = makeRoom(directory, freeOn(directory));
    } catch (error) {
      log("warning", `the black box cannot remove its oldest segments: ${String(error)}`);
    }
  };

  const give = (why: string) => {
    if (pausedUntilMs === 0) log("warning", `the black box pauses: ${why}`);
    waiting = [];
    waitingBytes = 0;
    pausedUntilMs = performance.now() + PAUSE_MS;
    // What follows begins anew, with a state: nobody can replay over a gap.
    writtenBytes = Number.POSITIVE_INFINITY;
    chained = written;
    // A full disk: what is ours is given back to it.
    tidy();
  };

  const drain = async () => {
    let handle: FileHandle | undefined;
    let opened = "";
    try {
      for (let batch = waiting; batch.length > 0; batch = waiting) {
        waiting = [];
        waitingBytes = 0;
        for (const { file, text, hash } of batch) {
          if (opened !== file) {
            await handle?.close();
            handle = await open(file, "a", 0o600);
            opened = file;
          }
          await handle?.writeFile(text);
          written = hash;
        }
      }
    } catch (error) {
      give(error instanceof Error ? error.message : String(error));
    } finally {
      await handle?.close().catch(() => {});
      writing = undefined;
    }
  };

  const fileNow = () => path.join(directory, `journal-${String(number).padStart(8, "0")}.jsonl`);

  const add = (entry: JournalEntry) => {
    const { line, hash } = writeLine(entry, chained, sha256);
    chained = hash;
    const text = `${line}\n`;
    writtenBytes += text.length;
    waitingBytes += text.length;
    waiting.push({ file: fileNow(), text, hash });
    if (waitingBytes > WAITING_BYTES_MAX) give("the disk is too slow for it");
    else writing ??= drain();
  };

  const snapshot = (state: NodeState, wallMs: number): JournalEntry => {
    const program = `gemel ${VERSION}`;
    return { kind: "snapshot", format: JOURNAL_FORMAT, program, after: chained, wallMs, state };
  };

  /** A new segment when there is none, or the last is full. False while the box pauses. */
  const ready = (state: NodeState, nowWallMs: number): boolean => {
    if (pausedUntilMs > performance.now()) return false;
    pausedUntilMs = 0;
    if (writtenBytes < segmentMax) return true;
    number += 1;
    tidy();
    add(snapshot(state, nowWallMs));
    // What follows it counts: where the state alone is longer, each line would else begin a segment.
    writtenBytes = 0;
    return true;
  };

  return {
    note(before, event, now, effects) {
      if (!ready(before, now.nowWallMs)) return;
      const hash = effectsHash(effects, sha256);
      add({ kind: "event", at: now, event: journalEvent(event, sha256), effects: hash });
    },
    noteSchedule(state, asked, wallMs, options) {
      if (ready(state, wallMs)) add({ kind: "scheduled", number: asked, wallMs, ...options });
    },
    noteFault(before, event, now) {
      number += 1;
      tidy();
      // Lines that still wait may be lost with the process.
      chained = written;
      const first = writeLine(snapshot(before, now.nowWallMs), chained, sha256);
      const broke: JournalEntry = { kind: "event", at: now, event: journalEvent(event, sha256), effects: FAULT };
      const second = writeLine(broke, first.hash, sha256);
      try {
        writeFileSync(fileNow(), `${first.line}\n${second.line}\n`, { mode: 0o600 });
        chained = second.hash;
      } catch (error) {
        log("warning", `the black box cannot keep what broke the core: ${String(error)}`);
      }
      writtenBytes = Number.POSITIVE_INFINITY;
    },
    async flush() {
      await writing;
    },
  };
}
