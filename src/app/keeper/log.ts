/**
 * The keeper's log on standard error. Written by libuv's threads: a reader that does not read, or a disk that hangs,
 * must not hold the heartbeat. What does not fit into the queue is counted and said later.
 */
import { write, writeSync } from "node:fs";

/** Syslog's levels (RFC 5424, table 2), as `<N>` before the line for journald and other collectors. */
const LEVELS = { critical: 2, error: 3, warning: 4, notice: 5, info: 6 } as const;
export type Level = keyof typeof LEVELS;

export interface Log {
  say(level: Level, text: string): void;
  /** At most one line a second for each key, with the number of those that were left out. */
  limited(key: string, level: Level, text: string): void;
  /** Writes what waits, at the end; may block. */
  flush(): void;
}

const QUEUE_MAX = 500;
const LIMIT_MS = 1000;

export function createLog(node: string): Log {
  const queue: string[] = [];
  const limits = new Map<string, { sinceMs: number; left: number }>();
  let writing = false;
  let dropped = 0;

  function pump(): void {
    const line = queue.shift();
    if (writing || line === undefined) {
      if (line !== undefined) queue.unshift(line);
      return;
    }
    writing = true;
    write(2, line, () => {
      writing = false;
      pump();
    });
  }

  function say(level: Level, text: string): void {
    if (queue.length >= QUEUE_MAX) {
      dropped += 1;
      return;
    }
    const at = new Date().toISOString();
    if (dropped > 0) {
      queue.push(`<${LEVELS.warning}>${at} keeper ${node}: ${dropped} lines were left out\n`);
      dropped = 0;
    }
    queue.push(`<${LEVELS[level]}>${at} keeper ${node}: ${text}\n`);
    pump();
  }

  return {
    say,
    limited(key, level, text) {
      const nowMs = performance.now();
      const limit = limits.get(key);
      if (limit !== undefined && nowMs - limit.sinceMs < LIMIT_MS) {
        limit.left += 1;
        return;
      }
      limits.set(key, { sinceMs: nowMs, left: 0 });
      say(level, limit === undefined || limit.left === 0 ? text : `${text} (and ${limit.left} more like it)`);
    },
    flush() {
      try {
        for (const line of queue.splice(0)) writeSync(2, line);
      } catch {
        // A full disk, a pipe that nobody reads any more: the end goes on all the same.
      }
    },
  };
}
