/**
 * A start that hung in the kernel, and that KILL has not ended, may still be carried out: the mount of a disk that
 * comes back after a minute stands then, whatever was said of it meanwhile. So nothing is reported as stopped, or not
 * found, while such a process is there: the stop waits for it, and in the end fails for it: the node is fenced.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { lingeringOf } from "../../hw/edge/lingering.ts";
import type { OperationRun } from "../core/executor/types.ts";
import { OCF } from "./agents/contract.ts";
import type { RunEnd, Running } from "./resource-agent.ts";

const LOOK_MS = 100;
/** Left at the end of the timeout to say what was waited for. */
const REPORT_MS = 1_000;
const NAMED_MAX = 5;

/** What only looks changes nothing when it comes late. */
const LOOKS = new Set(["monitor", "status", "meta-data", "validate-all", "notify"]);
/** After these it is believed that nothing runs here, or is promoted. */
const ENDS = new Set(["stop", "demote"]);

/** For `runProcess`: whose the process is, where it may change something. */
export function ownerOf(operation: string, instance: string): { readonly owner?: string } {
  return LOOKS.has(operation) ? {} : { owner: instance };
}

function namesOf(instance: string): string {
  const left = lingeringOf(instance);
  const named = left.slice(0, NAMED_MAX).map(({ pid, command, state }) => `${pid} (${command}, state ${state})`);
  const more = left.length > NAMED_MAX ? ` and ${left.length - NAMED_MAX} more` : "";
  return left.length === 0 ? "" : `process ${named.join(", ")}${more}`;
}

/** Begins at once, but for what would be believed while something may still come. */
export function behindLingering(
  run: OperationRun,
  log: ((line: string) => void) | undefined,
  begin: (run: OperationRun) => Running,
): Running {
  const { operation, instance, intervalMs, timeoutMs } = run;
  const isBelieved = ENDS.has(operation) || (operation === "monitor" && intervalMs === 0);
  const first = isBelieved ? namesOf(instance) : "";
  if (first === "") return begin(run);
  log?.(`${instance}: ${operation} waits for ${first} of an earlier operation, which was killed and does not end`);
  const beganAtMs = performance.now();
  let current: Running | undefined;
  let isKilled = false;
  const wait = async (): Promise<RunEnd> => {
    for (;;) {
      const names = namesOf(instance);
      const leftMs = timeoutMs - REPORT_MS - (performance.now() - beganAtMs);
      if (isKilled) return { outcome: { kind: "killed" }, exitReason: "", output: "", attributes: [] };
      if (names === "") {
        current = begin({ ...run, timeoutMs: Math.max(leftMs, REPORT_MS) });
        return await current.done;
      }
      if (leftMs <= 0) {
        const exitReason = `${names} of an earlier operation hangs in the kernel: what it was to do may still be done`;
        return { outcome: { kind: "exit", code: OCF.error }, exitReason, output: "", attributes: [] };
      }
      await sleep(LOOK_MS);
    }
  };
  return {
    done: wait(),
    kill() {
      isKilled = true;
      current?.kill();
    },
  };
}
