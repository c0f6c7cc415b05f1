/** What the commands that talk to the manager have in common: ask, and say what went wrong in one way. */
import process from "node:process";
import { formatProblem } from "../../base/problem.ts";
import { ANSWER_WAIT_MS, askControl } from "../control-client.ts";
import type { ControlAnswers, ControlRequest, RequestKind } from "../control-protocol.ts";

export const EXIT = { done: 0, refused: 1, unreachable: 69, wrongCall: 64 } as const;

export type Asked<Value> =
  | { readonly kind: "answer"; readonly value: Value }
  | { readonly kind: "failed"; readonly exitCode: number };

/** The answer; or the reason on standard error, and the exit code that says so. */
export async function askOrTell<Kind extends RequestKind>(
  tool: string,
  socketPath: string,
  request: ControlRequest & { readonly kind: Kind },
  waitMs: number = ANSWER_WAIT_MS,
): Promise<Asked<ControlAnswers[Kind]>> {
  const reply = await askControl<Kind>(socketPath, request, waitMs);
  switch (reply.kind) {
    case "answer":
      return reply;
    case "refused":
      for (const problem of reply.problems) process.stderr.write(`${tool}: ${formatProblem(problem)}\n`);
      return { kind: "failed", exitCode: EXIT.refused };
    case "unreachable":
      process.stderr.write(`${tool}: ${reply.reason}\n`);
      return { kind: "failed", exitCode: EXIT.unreachable };
    default:
      return reply satisfies never;
  }
}

/** For requests that are answered with one line of text. */
export async function askAndPrint(
  tool: string,
  socketPath: string,
  request: ControlRequest & {
    readonly kind: "node" | "resource" | "attribute" | "fence-confirm";
  },
  waitMs?: number,
): Promise<number> {
  const asked = await askOrTell(tool, socketPath, request, waitMs);
  if (asked.kind === "failed") return asked.exitCode;
  process.stdout.write(`${asked.value.text}\n`);
  return EXIT.done;
}

export function wrongCall(tool: string, reason: string, usage: string): number {
  process.stderr.write(`${tool}: ${reason}\nusage: ${usage}\n`);
  return EXIT.wrongCall;
}
