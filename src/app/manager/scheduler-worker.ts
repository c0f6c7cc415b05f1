/**
 * The scheduler in a thread of its own, for configurations whose decision takes long enough to be felt in the manager's
 * loop. It knows nothing but questions and answers; both travel as JSON, which costs the loop a third of a clone.
 */
import { parentPort } from "node:worker_threads";
import type { XmlElement } from "../../base/xml.ts";
import type { Decision, ScheduleOptions } from "../../cluster/core/scheduler/decision.ts";
import { schedule } from "../../cluster/core/scheduler/schedule.ts";
import { describeFault } from "../fault.ts";

export interface WorkerQuestion {
  readonly number: number;
  /** The `<cib>`, as JSON of its XmlElement. */
  readonly cib: string;
  readonly nowWallMs: number;
  readonly options: ScheduleOptions;
}

export type WorkerAnswer =
  | { readonly kind: "decision"; readonly number: number; readonly decision: string }
  /** The scheduler threw, which is a bug of ours: whoever asked shall crash of it as if it had been in its loop. */
  | { readonly kind: "bug"; readonly number: number; readonly reason: string };

function answer({ number, cib, nowWallMs, options }: WorkerQuestion): WorkerAnswer {
  try {
    const root: XmlElement = JSON.parse(cib);
    const decision: Decision = schedule(root, nowWallMs, options);
    return { kind: "decision", number, decision: JSON.stringify(decision) };
  } catch (error) {
    return { kind: "bug", number, reason: describeFault(error) };
  }
}

parentPort?.on("message", (question: WorkerQuestion) => parentPort?.postMessage(answer(question)));
