/**
 * Fail counts as they count now: expired ones are none, unless a failure blocks.
 * Facts: Pacemaker Explained, "Failure Response" (failure-timeout, migration-threshold).
 */
import { isBlockingFailure, isForgiven } from "../facts/history-outcome.ts";
import type { Facts, Node, Resource } from "../facts/model.ts";
import { recordedFailures } from "../facts/on-fail.ts";

/** Failures on the node that have not expired. */
export function failuresOn(facts: Facts, resource: Resource, node: Node): number {
  const { count, lastSeconds } = recordedFailures(resource, node.attributes);
  if (count > 0 && isForgiven(facts, resource, node)) return 0;
  if (count === 0 || resource.failureTimeoutMs === 0 || lastSeconds === 0) return count;
  if (facts.nowSeconds <= lastSeconds + resource.failureTimeoutMs / 1000) return count;
  return isBlockingFailure(facts, resource, node) ? count : 0;
}
