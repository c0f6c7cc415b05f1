/**
 * Runs a packaged fence agent (`/usr/sbin/fence_*`).
 * Fact: FenceAgentAPI of the ClusterLabs fence-agents: options as `name=value` lines on standard input.
 */
import path from "node:path";
import type { FenceAgent } from "../core/agent/answer.ts";
import { runBounded } from "./bounded-program.ts";

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

export function createFenceAgent(target: AgentTarget): FenceAgent {
  const { agent, password, passwordOption, budgetMs, directory = "/usr/sbin" } = target;
  return {
    call(options) {
      const all = { ...options, ...(password === undefined ? {} : { [passwordOption]: password }) };
      // A line end in a value would be a further option.
      const lines = Object.entries(all).map(([name, value]) => `${name}=${value.replaceAll(/[\r\n]/g, " ")}`);
      return runBounded({
        file: path.join(directory, agent),
        argv: [],
        env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
        input: `${lines.join("\n")}\n`,
        budgetMs,
        packageName: "fence-agents",
      });
    },
  };
}
