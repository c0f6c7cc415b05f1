/**
 * Runs one packaged program that speaks to a device: no secrets in its arguments, its own process group, which dies
 * with its time. Whatever it started dies with it.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { statSync } from "node:fs";
import type { AgentAnswer } from "../core/agent/answer.ts";

export interface ProgramCall {
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** For its standard input. */
  readonly input: string;
  readonly budgetMs: number;
  /** What to install when the file is missing. */
  readonly packageName: string;
  /** What its output must not show, whatever the program does: its words go into logs and certificates. */
  readonly password: string | undefined;
  /** Ends it before its time. */
  readonly cut?: AbortSignal | undefined;
}

/** A shorter one could be part of any word, and what it hides nobody would guess less. */
const HIDDEN_MIN = 4;

const OUTPUT_MAX = 16_384;
const OTHERS_WRITE = 0o022;

/** Why the file must not be run, or undefined. */
function objectTo({ file, packageName }: ProgramCall): string | undefined {
  try {
    const status = statSync(file);
    const isOwn = status.uid === 0 || status.uid === process.getuid?.();
    if (!status.isFile()) return `${file} is no program`;
    if (!isOwn || (status.mode & OTHERS_WRITE) !== 0) return `${file} can be changed by others; it is not run`;
    return undefined;
  } catch {
    return `there is no ${file}; install the package ${packageName}`;
  }
}

/** Resolves within the budget, however the program behaves. */
export function runBounded(call: ProgramCall): Promise<AgentAnswer> {
  const objection = objectTo(call);
  if (objection !== undefined) return Promise.resolve({ kind: "not-started", reason: objection });
  if (call.cut?.aborted === true) return Promise.resolve({ kind: "not-started", reason: "it was called off" });
  const { file, argv, env, input, budgetMs, password = "", cut } = call;
  const told = (text: string) => (password.length < HIDDEN_MIN ? text : text.replaceAll(password, "***"));
  const name = file.split("/").at(-1) ?? file;
  return new Promise<AgentAnswer>((resolve) => {
    let child: ChildProcessWithoutNullStreams;
    try {
      child = spawn(file, [...argv], { detached: true, stdio: ["pipe", "pipe", "pipe"], env: { ...env } });
    } catch (error) {
      // Words that are too long together, or hold a zero byte; no memory.
      const reason = `${name} cannot be started: ${error instanceof Error ? error.message : String(error)}`;
      resolve({ kind: "not-started", reason: told(reason) });
      return;
    }
    let output = "";
    const collect = (bytes: Buffer) => {
      if (output.length < OUTPUT_MAX) output += bytes.toString();
    };
    const end = (reason: string) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has just ended by itself.
      }
      resolve({ kind: "killed", reason });
    };
    const callOff = () => end(`${name} was called off`);
    const timer = setTimeout(() => end(`${name} did not end within ${budgetMs} ms`), budgetMs);
    cut?.addEventListener("abort", callOff, { once: true });
    const forget = () => {
      clearTimeout(timer);
      cut?.removeEventListener("abort", callOff);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.stdin.on("error", () => {}); // a program that ends without reading its input
    child.on("error", (error) => {
      forget();
      resolve({ kind: "not-started", reason: `${name} cannot be started: ${error.message}` });
    });
    child.on("close", (code, signal) => {
      forget();
      if (code === null) resolve({ kind: "killed", reason: `${name} was ended by ${signal ?? "a signal"}` });
      else resolve({ kind: "exited", code, output: told(output) });
    });
    child.stdin.end(input);
  });
}
