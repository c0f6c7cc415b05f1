/**
 * Where the scheduler runs: here in the manager's own loop, but behind a promise, so that it can move to a worker
 * without a change of anything else. A pass over a pair's configuration takes milliseconds.
 */
import type { XmlElement } from "../../base/xml.ts";
import type { Decision, ScheduleOptions } from "../../cluster/core/scheduler/decision.ts";
import { schedule } from "../../cluster/core/scheduler/schedule.ts";

export function decide(cib: XmlElement, nowWallMs: number, options: ScheduleOptions): Promise<Decision> {
  return Promise.resolve(schedule(cib, nowWallMs, options));
}

/** For displays: what the status of this CIB means. Kept for as long as the CIB stays the same. */
export function createReader(): (cib: XmlElement, nowWallMs: number) => Decision {
  let last: { readonly cib: XmlElement; readonly decision: Decision } | undefined;
  return (cib, nowWallMs) => {
    if (last?.cib !== cib) last = { cib, decision: schedule(cib, nowWallMs) };
    return last.decision;
  };
}
