/** What a program of others (a fence agent, an external plugin) means by the way it ended, and its last words. */
import type { AgentAnswer } from "../../hw/core/agent/answer.ts";
import type { SwitchAnswer } from "../core/driver.ts";

/** One line of a log. */
const WORDS_MAX = 160;

/** The last line of the output, which holds the program's complaint. */
export function lastLine(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return (lines.at(-1) ?? "no output").slice(0, WORDS_MAX);
}

/**
 * What came of a command to switch. `program`: how it is called in a reason; `refusedCodes`: exit codes that say that
 * nothing was done. Any other failure tells not whether anything was sent before it.
 */
export function judgeSwitch(
  answer: AgentAnswer,
  program: "agent" | "plugin",
  refusedCodes: readonly number[] = [],
): SwitchAnswer {
  if (answer.kind === "not-started") return { kind: "refused", reason: answer.reason };
  if (answer.kind === "killed") return { kind: "maybe", reason: answer.reason };
  if (answer.code === 0) return { kind: "accepted" };
  const reason = `the ${program} ended with ${answer.code}: ${lastLine(answer.output)}`;
  return { kind: refusedCodes.includes(answer.code) ? "refused" : "maybe", reason };
}
