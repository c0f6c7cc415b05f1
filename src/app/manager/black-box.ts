/**
 * Writes the journal (cluster/core/journal) into files of bounded number and size. It must never hold up the loop nor
 * end it: lines wait in memory while the disk is slow, and when too many wait, or the disk refuses, the segment is
 * given up and a new one begins later with a state of its own. The files hold the CIB, secrets and all: mode 0600.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import type { NodeEffect, NodeEvent, NodeState } from "../../cluster/core/controller/node-core.ts";
import {
  effectsHash,
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

export interface BlackBox {
  /** Before the effects are started: they may bring the next input. */
  readonly note: (before: NodeState, event: NodeEvent, now: Instant, effects: readonly NodeEffect[]) => void;
  readonly noteSchedule: (state: NodeState, number: number, wallMs: number, quorate: boolean) => void;
  /** Resolves when all that was noted is with the operating system. */
  readonly flush: () => Promise<void>;
}

/** Together the days before an incident on a quiet pair, and hours of a busy one; small for any disk. */
const SEGMENT_BYTES_MAX = 8 * 1024 * 1024;
const SEGMENTS_MAX = 6;
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

/** The hash of the last whole line of what an earlier start has written. */
function lastHash(file: string | undefined): string {
  if (file === undefined) return NO_HASH;
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.at(-1)?.split("\t").at(-1) ?? NO_HASH;
}

export function openBlackBox(directory: string, log: Log): BlackBox {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const files = segmentFiles(directory);
  let number = Number(SEGMENT.exec(path.basename(files.at(-1) ?? ""))?.[1] ?? 0);
  let chained = lastHash(files.at(-1));
  let writtenBytes = Number.POSITIVE_INFINITY;
  let waiting: { readonly file: string; readonly text: string }[] = [];
  let waitingBytes = 0;
  let writing: Promise<void> | undefined;
  let pausedUntilMs = 0;

  const give = (why: string) => {
    if (pausedUntilMs === 0) log("warning", `the black box pauses: ${why}`);
    waiting = [];
    waitingBytes = 0;
    pausedUntilMs = performance.now() + PAUSE_MS;
    // What follows begins anew, with a state: nobody can replay over a gap.
    writtenBytes = Number.POSITIVE_INFINITY;
  };

  const drain = async () => {
    let handle: FileHandle | undefined;
    let opened = "";
    try {
      for (let batch = waiting; batch.length > 0; batch = waiting) {
        waiting = [];
        waitingBytes = 0;
        for (const { file, text } of batch) {
          if (opened !== file) {
            await handle?.close();
            handle = await open(file, "a", 0o600);
            opened = file;
          }
          await handle?.write(text);
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
    waiting.push({ file: fileNow(), text });
    if (waitingBytes > WAITING_BYTES_MAX) give("the disk is too slow for it");
    else writing ??= drain();
  };

  /** A new segment when there is none, or the last is full. False while the box pauses. */
  const ready = (state: NodeState, nowWallMs: number): boolean => {
    if (pausedUntilMs > performance.now()) return false;
    pausedUntilMs = 0;
    if (writtenBytes < SEGMENT_BYTES_MAX) return true;
    number += 1;
    writtenBytes = 0;
    for (const old of segmentFiles(directory).slice(0, -(SEGMENTS_MAX - 1))) rmSync(old, { force: true });
    const program = `gemel ${VERSION}`;
    add({ kind: "snapshot", format: JOURNAL_FORMAT, program, wallMs: nowWallMs, state });
    return true;
  };

  return {
    note(before, event, now, effects) {
      if (!ready(before, now.nowWallMs)) return;
      const hash = effectsHash(effects, sha256);
      add({ kind: "event", at: now, event: journalEvent(event, sha256), effects: hash });
    },
    noteSchedule(state, asked, wallMs, quorate) {
      if (ready(state, wallMs)) add({ kind: "scheduled", number: asked, wallMs, quorate });
    },
    async flush() {
      await writing;
    },
  };
}
