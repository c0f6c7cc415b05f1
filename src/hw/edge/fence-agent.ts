/**
 * Runs a packaged fence agent (`/usr/sbin/fence_*`).
 * Fact: FenceAgentAPI of the ClusterLabs fence-agents: options as `name=value` lines on standard input.
 */
import { lookup } from "node:dns/promises";
import path from "node:path";
import { entryOf } from "../../base/record.ts";
import type { AgentAnswer, FenceAgent } from "../core/agent/answer.ts";
import { runBounded } from "./bounded-program.ts";
import { connectionFault } from "./connection-fault.ts";

export interface AgentTarget {
  /** `fence_apc_snmp`. */
  readonly agent: string;
  readonly password: string | undefined;
  /** Option that takes the password. */
  readonly passwordOption: string;
  readonly budgetMs: number;
  /** Where agents stand; another one in tests. */
  readonly directory?: string;
  /** Ends a call that is under way. */
  readonly cut?: AbortSignal;
  /** Rejects for a name that nothing stands for; another one in tests. */
  readonly resolve?: (name: string) => Promise<unknown>;
}

/** What the agents call the device's address. */
const ADDRESSES = ["ip", "ipaddr"];

export function createFenceAgent(target: AgentTarget): FenceAgent {
  const { agent, password, passwordOption, budgetMs, directory = "/usr/sbin", resolve = lookup } = target;

  /** Agents say the same of a name that does not resolve as of a wrong password: where one has failed, we look. */
  async function withBadName(answer: AgentAnswer, options: Readonly<Record<string, string>>): Promise<AgentAnswer> {
    const host = ADDRESSES.map((name) => entryOf(options, name)).find((name) => name !== undefined);
    if (answer.kind !== "exited" || answer.code === 0 || host === undefined) return answer;
    try {
      await resolve(host);
      return answer;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      if (code !== "ENOTFOUND" && code !== "EAI_AGAIN") return answer;
      const place = { host, port: 0, protocol: "TCP", service: agent } as const;
      return { ...answer, output: `${answer.output}\n${connectionFault({ code, message: code }, place)}` };
    }
  }

  return {
    async call(options) {
      const all = { ...options, ...(password === undefined ? {} : { [passwordOption]: password }) };
      // A line end in a value would be a further option.
      const lines = Object.entries(all).map(([name, value]) => `${name}=${value.replaceAll(/[\r\n]/g, " ")}`);
      const answer = await runBounded({
        file: path.join(directory, agent),
        argv: [],
        env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
        input: `${lines.join("\n")}\n`,
        budgetMs,
        packageName: "fence-agents",
        password,
        cut: target.cut,
      });
      return withBadName(answer, options);
    },
  };
}
