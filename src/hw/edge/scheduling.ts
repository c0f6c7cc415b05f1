/**
 * Real-time priority for a whole process. A call changes only its own thread, and V8's helper threads already run by
 * then; so the process first gives itself the priority and then starts itself anew in place, and every thread of the
 * second life inherits it (measured: p99 lateness of a 50 ms beat 0.5 ms so, 16 ms with RR on the main thread and the
 * helpers set one by one). In the second life the main thread makes its children ordinary again.
 */
import process from "node:process";
import { SCHED_RESET_ON_FORK, SCHED_RR, schedulerOf, setScheduler } from "./native.ts";

/** Above ordinary work, below the kernel's own threads (50) and anything that guards the hardware. */
const PRIORITY = 20;
const MARK = "GEMEL_KEEPER_REALTIME";

/**
 * Returns in the second life, with every thread at SCHED_RR, or throws in the first when that is not allowed.
 * `argv`: the arguments after the executable that start this very program again.
 */
export function becomeRealtime(argv: readonly string[]): void {
  if (process.env[MARK] === undefined) {
    setScheduler(0, SCHED_RR, PRIORITY);
    process.execve?.(process.execPath, [process.execPath, ...argv], { ...process.env, [MARK]: "1" });
  }
  delete process.env[MARK];
  if ((schedulerOf(0) & ~SCHED_RESET_ON_FORK) !== SCHED_RR) throw new Error("the priority was lost on the way");
  setScheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, PRIORITY);
}
