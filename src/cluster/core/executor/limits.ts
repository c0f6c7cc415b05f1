/**
 * How many operations a node runs at once: node-action-limit, or twice its processors. A node whose load is above
 * load-threshold begins fewer, so that a recovery does not drive it into the timeouts of what already runs there; never
 * fewer than a few, since one that hangs must not hold up all others. Monitors are not slowed down: what is not looked
 * at fails unseen, and what is looked at late is taken for failed.
 * Fact: Pacemaker Explained, "Cluster Options"; how the load slows a node down is our own.
 */
import type { XmlElement } from "../../../base/xml.ts";
import { readCount } from "../../../cib/schema/values.ts";
import { clusterOption } from "../controller/cib-read.ts";

export interface Limits {
  /** Twice the processors. */
  readonly usual: number;
  /** node-action-limit; 0: none was given. */
  readonly configured: number;
  /** Share of the processors' time; 0: the load does not count. */
  readonly threshold: number;
  /** Processes that run or want to, for each processor, over the last minute. */
  readonly load: number;
}

export type LimitOptions = Pick<Limits, "configured" | "threshold">;

const THRESHOLD = 0.8;
const SLOW_MIN = 2;

export const usualLimits = (usual: number): Limits => ({ usual, configured: 0, threshold: THRESHOLD, load: 0 });

export function limitOptionsOf(cib: XmlElement): LimitOptions {
  const percent = /^(\d+)%$/.exec(clusterOption(cib, "load-threshold")?.trim() ?? "")?.[1];
  return {
    configured: readCount(clusterOption(cib, "node-action-limit")),
    threshold: percent === undefined ? THRESHOLD : Number(percent) / 100,
  };
}

/** Operations that are ordered once, and recurring ones beside them. */
export function slotsOf({ usual, configured, threshold, load }: Limits): {
  readonly once: number;
  readonly recurring: number;
} {
  const recurring = configured > 0 ? configured : usual;
  if (threshold === 0 || load <= threshold) return { once: recurring, recurring };
  return { once: Math.max(Math.min(SLOW_MIN, recurring), Math.floor((recurring * threshold) / load)), recurring };
}
