/**
 * Runs alert agents: each in its own process group that dies with its time, behind everything else on the machine
 * (`nice`), as the user that the manager runs as. `nice` starts the program, not we: on a mount that hangs only that
 * child hangs, not the manager.
 */
import path from "node:path";
import { killLeftOvers, type ProcessResult, runProcess } from "../../hw/edge/child-process.ts";
import type { AlertRun } from "../core/alerts/dispatch.ts";
import { AGENT_PATH } from "./resource-agent.ts";

export interface AlertAgentOptions {
  /** Of this node: running agents are noted below it, so that a later manager can end them. */
  readonly runDirectory: string;
  /** Added to what every agent finds. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface AlertAgents {
  /** Resolves always: without a reason it has done its work. */
  readonly run: (run: AlertRun) => Promise<string | undefined>;
  /** Why the program could not be run now; undefined when nothing is in its way. */
  readonly look: (program: string) => Promise<string | undefined>;
}

/** What an agent said last, as far as it helps in one line. */
const LAST_WORDS_MAX = 200;
/** A file that cannot be looked at for so long lies where nothing can be run from. */
const LOOK_MS = 5_000;
/** In the words of `nice`, so that what a look has found is not told again as something new. */
const LOOK =
  '[ -f "$0" ] || { echo "No such file or directory"; exit 1; }; [ -x "$0" ] || { echo "Permission denied"; exit 1; }';
/** nice(1): the program cannot be run, is not found. An agent may end so as well, but not with these words. */
const NOT_RUN = [126, 127];

const notRun = (program: string, why: string) => `${program} cannot be run: ${why}`;
const lastLine = (text: string) => (text.trim().split("\n").at(-1) ?? "").slice(0, LAST_WORDS_MAX);

function failureOf({ path: program, timeoutMs }: AlertRun, { end, output, errors }: ProcessResult): string | undefined {
  switch (end.kind) {
    case "exit": {
      if (end.code === 0) return undefined;
      const words = lastLine(errors) || lastLine(output);
      if (NOT_RUN.includes(end.code) && words.startsWith("nice: "))
        return notRun(program, words.split(": ").at(-1) ?? words);
      return `${program} ended with exit code ${end.code}${words === "" ? "" : `: ${words}`}`;
    }
    case "signal":
      return `${program} was ended by ${end.signal}`;
    case "timeout":
      return `${program} did not end within ${timeoutMs} ms and was killed`;
    case "killed":
      return `${program} was killed`;
    case "not-started":
      return notRun(program, end.reason);
  }
}

export function openAlertAgents({ runDirectory, environment }: AlertAgentOptions): AlertAgents {
  const noteIn = path.join(runDirectory, "alerts");
  killLeftOvers(noteIn);
  const usual = { PATH: AGENT_PATH, LC_ALL: "C", HOME: "/", ...environment };
  return {
    async run(run) {
      const order = { file: "nice", argv: ["-n", "19", run.path], timeoutMs: run.timeoutMs, noteIn };
      try {
        return failureOf(run, await runProcess({ ...order, environment: { ...usual, ...run.environment } }).done);
      } catch (error) {
        // An environment that is larger than the kernel takes.
        return notRun(run.path, error instanceof Error ? error.message : String(error));
      }
    },
    async look(program) {
      const order = { file: "/bin/sh", argv: ["-c", LOOK, program], environment: usual, timeoutMs: LOOK_MS };
      const { end, output } = await runProcess(order).done;
      if (end.kind === "exit" && end.code === 0) return undefined;
      return notRun(program, lastLine(output) || `it could not be looked at within ${LOOK_MS} ms`);
    },
  };
}
