/** How a program of others (a fence agent, an external plugin) has ended: what it means, its last words, what to do. */
import type { AgentAnswer } from "../../hw/core/agent/answer.ts";
import type { SwitchAnswer } from "../core/driver.ts";

/** One line of a log. */
const WORDS_MAX = 160;
/** Perl tells the cause first and then where it came through. */
const PASSED_ON = /^\s*(BEGIN failed|Compilation failed|\.\.\.propagated)/;
/** Such a program says one thing for many causes, so the remedy names them all; the first that fits. */
const REMEDIES: readonly (readonly [words: RegExp, remedy: string])[] = [
  [/cannot be resolved|; /, ""],
  [/Can't locate|No module named|command not found|No such file/i, "; install what it needs on this node"],
  [/connect|login|password|auth/i, "; look whether its address answers, then at user, secrets file and access there"],
  [/time[d ]*out/i, "; look whether the device has power and network"],
  [/plug|port|outlet|node name/i, "; look at pcmk_host_map and at what the device calls its outlets"],
];
const USUAL_REMEDY = "; try it with the same parameters by stonith -t TYPE NAME=VALUE... -S";

/** The last line of the output, which holds the program's complaint. */
export function lastLine(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "" && !PASSED_ON.test(line));
  return (lines.at(-1) ?? "no output").slice(0, WORDS_MAX);
}

/** `program`: how it is called in a reason. */
export function failureOf(program: string, code: number, output: string): string {
  const words = lastLine(output);
  const [, remedy] = REMEDIES.find(([pattern]) => pattern.test(words)) ?? [undefined, USUAL_REMEDY];
  return `the ${program} ended with ${code}: ${words}${remedy}`;
}

/**
 * What came of a command to switch. `refusedCodes`: exit codes that say that nothing was done. Any other failure tells
 * not whether anything was sent before it.
 */
export function judgeSwitch(
  answer: AgentAnswer,
  program: "agent" | "plugin",
  refusedCodes: readonly number[] = [],
): SwitchAnswer {
  if (answer.kind === "not-started") return { kind: "refused", reason: answer.reason };
  if (answer.kind === "killed") return { kind: "maybe", reason: answer.reason };
  if (answer.code === 0) return { kind: "accepted" };
  const reason = failureOf(program, answer.code, answer.output);
  return { kind: refusedCodes.includes(answer.code) ? "refused" : "maybe", reason };
}
