/**
 * The scheduler: from the CIB (configuration and status) and the time to a transition. Pure; no clock, no chance.
 * The passes stand in docs/scheduler.md.
 */
import type { XmlElement } from "../../../base/xml.ts";
import type { Decision, ScheduleOptions } from "./decision.ts";

/** `nowWallMs`: milliseconds since the epoch, for failure timeouts and dated rules. Never throws on a strange CIB. */
export function schedule(_cib: XmlElement, _nowWallMs: number, _options: ScheduleOptions = {}): Decision {
  return {
    transition: { actions: [], clusterDelayMs: 60_000, fencingTimeoutMs: 60_000, batchLimit: 0, summary: [] },
    blocked: [],
    nodes: [],
    resources: [],
    placements: [],
    problems: [],
  };
}
