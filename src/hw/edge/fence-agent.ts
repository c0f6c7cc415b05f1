/**
 * Runs a packaged fence agent (`/usr/sbin/fence_*`) as a child process, in a group of its own that dies with its time.
 * Fact: FenceAgentAPI of the ClusterLabs fence-agents: options as `name=value` lines on standard input.
 */
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import path from "node:path";
import type { AgentAnswer, FenceAgent } from "../core/agent/answer.ts";

export interface AgentTarget {
  /** `fence_apc_snmp`. */
  readonly agent: string;
  readonly password: string | undefined;
  /** Option that takes the password. */
  readonly passwordOption: string;
  readonly budgetMs: number;
  /** Where agents stand; another one in tests. */
  readonly directory?: string;
}

const OUTPUT_MAX = 16_384;
const OTHERS_WRITE = 0o022;

/** Why the file must not be run, or undefined. */
function objectTo(file: string): string | undefined {
  try {
    const { mode, uid } = statSync(file);
    const isOwn = uid === 0 || uid === process.getuid?.();
    if (!isOwn || (mode & OTHERS_WRITE) !== 0) return `${file} can be changed by others; it is not run`;
    return undefined;
  } catch {
    return `there is no ${file}; install the package fence-agents`;
  }
}

export function createFenceAgent(target: AgentTarget): FenceAgent {
  const { agent, password, passwordOption, budgetMs, directory = "/usr/sbin" } = target;
  const file = path.join(directory, agent);
  return {
    call(options) {
      const objection = objectTo(file);
      if (objection !== undefined) return Promise.resolve({ kind: "not-started", reason: objection });
      const all = { ...options, ...(password === undefined ? {} : { [passwordOption]: password }) };
      // A line end in a value would be a further option.
      const lines = Object.entries(all).map(([name, value]) => `${name}=${value.replaceAll(/[\r\n]/g, " ")}`);
      return new Promise<AgentAnswer>((resolve) => {
        const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };
        const child = spawn(file, [], { detached: true, stdio: ["pipe", "pipe", "pipe"], env });
        let output = "";
        const collect = (bytes: Buffer) => {
          if (output.length < OUTPUT_MAX) output += bytes.toString();
        };
        const timer = setTimeout(() => {
          try {
            if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
          } catch {
            // It has just ended by itself.
          }
          resolve({ kind: "killed", reason: `${agent} did not end within ${budgetMs} ms` });
        }, budgetMs);
        child.stdout.on("data", collect);
        child.stderr.on("data", collect);
        child.stdin.on("error", () => {}); // an agent that ends without reading its options
        child.on("error", (error) => {
          clearTimeout(timer);
          resolve({ kind: "not-started", reason: `${agent} cannot be started: ${error.message}` });
        });
        child.on("close", (code, signal) => {
          clearTimeout(timer);
          if (code === null) resolve({ kind: "killed", reason: `${agent} was ended by ${signal ?? "a signal"}` });
          else resolve({ kind: "exited", code, output });
        });
        child.stdin.end(`${lines.join("\n")}\n`);
      });
    },
  };
}
