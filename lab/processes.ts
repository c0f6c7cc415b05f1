/**
 * The lab's child processes. Each gets SIGKILL when its parent dies (`setpriv --pdeathsig`), however that happens, and
 * carries the lab's directory in its environment, by which what a killed lab left behind is found and ended.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { promisify } from "node:util";

/** Names the lab that a process belongs to: its directory. */
const MARK = "GEMEL_LAB";
const execute = promisify(execFile);

export interface Launch {
  readonly command: string;
  readonly argv: readonly string[];
  /** Takes standard error, and standard output unless `output` is "pipe". */
  readonly logFile: string;
  readonly output?: "pipe" | "log";
  /** Network namespace to run in. */
  readonly namespace?: string;
}

export function launch(labDirectory: string, { command, argv, logFile, output, namespace }: Launch): ChildProcess {
  const log = openSync(logFile, "a");
  const words = ["setpriv", "--pdeathsig", "KILL", command, ...argv];
  if (namespace !== undefined) words.unshift("ip", "netns", "exec", namespace);
  const [first = "", ...rest] = words;
  const child = spawn(first, rest, {
    stdio: ["ignore", output === "pipe" ? "pipe" : log, log],
    env: { ...process.env, [MARK]: labDirectory },
    // A Ctrl-C in the terminal must reach the lab alone, which then takes its machines down in order.
    detached: true,
  });
  child.on("error", () => {});
  closeSync(log);
  return child;
}

/** Runs a short command of the host. Rejects with what it said when it fails. */
export async function command(...words: readonly string[]): Promise<string> {
  const [first = "", ...rest] = words;
  try {
    return (await execute(first, rest, { timeout: 60_000 })).stdout;
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new Error(`${words.join(" ")}: ${said === "" ? String(error) : said}`);
  }
}

/** State letter of a process (proc(5)), undefined when it is gone. A zombie counts as gone: it writes no more. */
export function processState(pid: number): string | undefined {
  try {
    const state = /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return state === "Z" || state === "X" ? undefined : state;
  } catch {
    return undefined;
  }
}

/** Pids of all living processes of the lab, this one left out. */
export function processesOf(labDirectory: string): number[] {
  const mark = `${MARK}=${labDirectory}`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/environ`, "latin1").split("\0").includes(mark);
      } catch {
        return false;
      }
    })
    .map(Number);
}

export function killProcess(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone in the meantime: that is what was wanted.
  }
}

/** Ends all processes of the lab and answers how many there were. */
export function killProcessesOf(labDirectory: string): number {
  const pids = processesOf(labDirectory);
  for (const pid of pids) killProcess(pid);
  return pids.length;
}
