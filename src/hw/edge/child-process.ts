/**
 * One run of a program as a child: its own session and process group, so that nothing which it started and which hangs
 * outlives a timeout. TERM first, KILL later; a process that not even KILL ends is named, not waited for. Output
 * beyond the limit is dropped from its start: the end tells why something failed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { readBootId } from "./boot-id.ts";
import type { OperationGroup } from "./cgroup.ts";
import { membersOf, noteLingering } from "./lingering.ts";
import { readProcessStat } from "./process-stat.ts";

/** A hung program keeps a takeover waiting, so it gets no long time to think. */
const TERM_GRACE_MS = 1_000;
/** After KILL only the kernel can hold a process (state D): that may last for ever. */
const KILL_WAIT_MS = 1_000;
/** Daemons that the program started keep the pipes open; what it wrote itself is there by then. */
const OUTPUT_WAIT_MS = 20;
const OUTPUT_LENGTH_MAX = 64 * 1024;

export type ProcessEnd =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string }
  /** Ended by us: after the timeout, or by `kill`. */
  | { readonly kind: "timeout" | "killed" }
  | { readonly kind: "not-started"; readonly code: string; readonly reason: string };

export interface ProcessResult {
  readonly end: ProcessEnd;
  /** Standard output. */
  readonly output: string;
  /** Standard error. */
  readonly errors: string;
  /** What is known of a process that not even KILL has ended; mostly empty. */
  readonly stuck: string;
}

export interface ProcessOrder {
  readonly file: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** A directory in which the group is noted while it runs, so that a later start of the program can end it. */
  readonly noteIn?: string;
  /** Whose it is: what KILL does not end is kept under this name (lingering.ts). */
  readonly owner?: string;
  /** Told when the note cannot be written: the program runs all the same. */
  readonly tell?: ((reason: string) => void) | undefined;
  /** It runs in this cgroup, which ends and is released with it. */
  readonly group?: OperationGroup;
}

/** A program enters its group before it begins: what it starts at once is in there as well. */
const ENTER_GROUP = 'echo 0 >"$0" 2>/dev/null; exec "$@"';

export interface RunningProcess {
  readonly done: Promise<ProcessResult>;
  /** Ends the group early; `done` then resolves with `killed`. */
  readonly kill: () => void;
}

/** Why a process does not go away, for an operator; empty when nothing is to be said. */
function describeStuck(pid: number): string {
  try {
    const state = /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "?";
    const command = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    const where = readFileSync(`/proc/${pid}/wchan`, "utf8").trim();
    const place = where === "" || where === "0" ? "" : ` in ${where}`;
    return `process ${pid} (${command}) does not end: state ${state}${place}`;
  } catch {
    return "";
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone: that is what was wanted.
  }
}

class Tail {
  #text = "";
  add(chunk: string): void {
    this.#text = (this.#text + chunk).slice(-OUTPUT_LENGTH_MAX);
  }
  get text(): string {
    return this.#text;
  }
}

/** Of a running group, for the next start of the program; a number means something in one boot only. */
interface GroupNote {
  readonly boot: string;
  /** Of the leader. */
  readonly startTime: string;
  readonly owner: string | undefined;
  /** It was ended by force; else what it has left behind are daemons, and meant to be. */
  readonly isEnded: boolean;
}

interface KeptNote {
  readonly noteEnd: () => void;
  readonly forget: () => void;
}

const NO_NOTE: KeptNote = { noteEnd: () => {}, forget: () => {} };

function noteGroup({ noteIn, owner, tell }: ProcessOrder, pid: number | undefined): KeptNote {
  if (noteIn === undefined || pid === undefined) return NO_NOTE;
  const file = path.join(noteIn, String(pid));
  const note = { boot: readBootId(), startTime: readProcessStat(pid)?.startTime ?? "", owner };
  const write = (isEnded: boolean) => writeFileSync(file, JSON.stringify({ ...note, isEnded } satisfies GroupNote));
  try {
    mkdirSync(noteIn, { recursive: true });
    write(false);
  } catch (error) {
    // It runs already, and must be ended in time: only a manager that follows a killed one would look for it in vain.
    tell?.(`process ${pid} cannot be noted in ${noteIn}: ${String(error)}`);
    return NO_NOTE;
  }
  const noteEnd = () => {
    try {
      write(true);
    } catch {
      // A full or vanished run directory must not keep anything from being ended; only a next manager lacks the word.
    }
  };
  return { noteEnd, forget: () => rmSync(file, { force: true }) };
}

/** Undefined for a note that is torn, or of another boot. */
function readNote(file: string): GroupNote | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(file, "utf8"));
    const isNote = typeof note === "object" && note !== null && "boot" in note && "startTime" in note;
    return isNote && note.boot === readBootId() ? (note as unknown as GroupNote) : undefined;
  } catch {
    return undefined;
  }
}

function collect(child: ChildProcess): { readonly output: Tail; readonly errors: Tail } {
  const output = new Tail();
  const errors = new Tail();
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => output.add(chunk));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => errors.add(chunk));
  return { output, errors };
}

/** What the kernel or Node refuse at once: words that are too long together, or hold a zero byte; no memory. */
function notStarted(error: unknown): RunningProcess {
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "?";
  const end = { kind: "not-started", code, reason } as const;
  return { done: Promise.resolve({ end, output: "", errors: "", stuck: "" }), kill: () => {} };
}

/** Runs it; resolves always, at the latest TERM_GRACE_MS + KILL_WAIT_MS after the timeout or the kill. */
export function runProcess(order: ProcessOrder): RunningProcess {
  const { file, argv, environment, timeoutMs, group, owner } = order;
  const [program, words] =
    group === undefined ? [file, argv] : ["/bin/sh", ["-c", ENTER_GROUP, group.procsFile, file, ...argv]];
  let child: ChildProcess;
  try {
    child = spawn(program, words, { env: { ...environment }, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    group?.release();
    return notStarted(error);
  }
  const { pid } = child;
  const { output, errors } = collect(child);
  const { noteEnd, forget } = noteGroup(order, pid);
  let endedBy: "timeout" | "killed" | undefined;
  let exited = false;
  const timers: NodeJS.Timeout[] = [];
  let finish: (end: ProcessEnd, stuck?: string) => void = () => {};
  const done = new Promise<ProcessResult>((resolve) => {
    finish = (end, stuck = "") => {
      finish = () => {};
      for (const timer of timers) clearTimeout(timer);
      // What is ended by force may linger, and so does the note of it: for a later start of the program.
      if (endedBy !== undefined && pid !== undefined && owner !== undefined) noteLingering(owner, pid, forget);
      else forget();
      group?.release();
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve({ end, output: output.text, errors: errors.text.trim(), stuck });
    };
  });
  const killAll = (leader: number) => {
    signalGroup(leader, "SIGKILL");
    group?.kill();
  };
  const endGroup = (why: "timeout" | "killed") => {
    if (pid === undefined || exited || endedBy !== undefined) return;
    endedBy = why;
    noteEnd();
    signalGroup(pid, "SIGTERM");
    timers.push(setTimeout(() => killAll(pid), TERM_GRACE_MS));
    timers.push(setTimeout(() => finish({ kind: why }, describeStuck(pid)), TERM_GRACE_MS + KILL_WAIT_MS));
  };
  // Behind a turn of the loop: what ended while this process stood still has ended in time.
  timers.push(setTimeout(() => setImmediate(() => endGroup("timeout")), timeoutMs));
  child.on("error", (error: NodeJS.ErrnoException) => {
    if (pid === undefined) finish({ kind: "not-started", code: error.code ?? "?", reason: error.message });
  });
  child.on("exit", (code, signal) => {
    exited = true;
    // What ignored TERM in an ended group would go on writing where the next operation works.
    if (endedBy !== undefined && pid !== undefined) killAll(pid);
    const natural: ProcessEnd = code === null ? { kind: "signal", signal: signal ?? "?" } : { kind: "exit", code };
    const end: ProcessEnd = endedBy === undefined ? natural : { kind: endedBy };
    // Behind a turn of the loop: on a starved machine the timer may be due before the pipes were looked at.
    const flushed = setTimeout(() => setImmediate(() => finish(end)), OUTPUT_WAIT_MS);
    timers.push(flushed);
    child.once("close", () => finish(end));
  });
  return { done, kill: () => endGroup("killed") };
}

/** Ends the groups that an earlier start of the program left behind; returns those that were still there. */
export function killLeftOvers(directory: string): readonly number[] {
  let names: string[] = [];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const file = path.join(directory, name);
    const pid = Number(name);
    const note = readNote(file);
    const forget = () => rmSync(file, { force: true });
    const now = Number.isSafeInteger(pid) && pid > 1 ? readProcessStat(pid)?.startTime : undefined;
    // Of a group that had its KILL the leader may have gone, and what is left of it hangs in the kernel.
    const isOurs = note !== undefined && (now === undefined ? note.isEnded : now === note.startTime);
    if (!isOurs || membersOf(pid).length === 0) {
      forget();
      return [];
    }
    if (now !== undefined) signalGroup(pid, "SIGKILL");
    if (note.owner === undefined) forget();
    else noteLingering(note.owner, pid, forget);
    return [pid];
  });
}
