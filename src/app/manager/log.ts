/**
 * The manager's log: one line an event on standard error, level word first, and the last lines kept for `gemel log`.
 * A line that repeats is held back and counted, so that no fault of the world can fill a disk or a serial console.
 */
import process from "node:process";

export type Level = "info" | "warning" | "error";
export type Log = (level: Level, text: string) => void;

export interface LogBook {
  readonly log: Log;
  /** The last `count` lines, oldest first. */
  readonly lines: (count: number) => readonly string[];
}

/** What `gemel log` can show; some hours of a quiet node. */
const KEPT_MAX = 1_000;
/** The same words within this time are one line. */
const REPEAT_MS = 10_000;
/** So often it is let through: what happens a few times is no flood. */
const REPEATS_SHOWN = 5;
/** Different words in that time; beyond, they would be a flood. */
const TEXTS_MAX = 200;

export function createLogBook(nowMs: () => number): LogBook {
  const kept: string[] = [];
  const recent = new Map<string, { atMs: number; repeats: number }>();
  const write = (level: Level, text: string) => {
    const line = `${new Date().toISOString()} ${level.toUpperCase()}: ${text}`;
    kept.push(line);
    if (kept.length > KEPT_MAX) kept.shift();
    process.stderr.write(`${line}\n`);
  };
  const forgetOld = () => {
    for (const [text, { atMs, repeats }] of recent) {
      if (nowMs() - atMs < REPEAT_MS) continue;
      recent.delete(text);
      if (repeats >= REPEATS_SHOWN) write("info", `${repeats - REPEATS_SHOWN + 1} times more: ${text}`);
    }
  };
  return {
    log(level, text) {
      forgetOld();
      const seen = recent.get(text);
      if (seen !== undefined) {
        seen.repeats += 1;
        if (seen.repeats < REPEATS_SHOWN) write(level, text);
        return;
      }
      if (recent.size < TEXTS_MAX) recent.set(text, { atMs: nowMs(), repeats: 0 });
      write(level, text);
    },
    lines: (count) => kept.slice(-Math.max(0, count)),
  };
}
