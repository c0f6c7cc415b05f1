/**
 * How long an operation waits after its order: `start-delay`, or until the next of the instants that are whole
 * intervals away from `interval-origin`, so that a costly monitor runs at the same minute on whatever node.
 * Facts: crm_simulate 2.1.5 (CRM_meta_start_delay in its graphs): a delay that cannot be read, or is negative, is none.
 */
import { parseDate } from "./facts/dates.ts";
import type { RuleContext } from "./facts/rules.ts";
import { parseDurationMs } from "./facts/values.ts";

/** Undefined where neither is configured. */
export function startDelayMs(
  options: Readonly<Record<string, string>>,
  intervalMs: number,
  { nowSeconds, zoneSeconds }: RuleContext,
): number | undefined {
  const { "start-delay": delay, "interval-origin": origin } = options;
  if (delay !== undefined) return parseDurationMs(delay) ?? 0;
  const originSeconds = parseDate(origin, zoneSeconds);
  if (originSeconds === undefined || intervalMs <= 0) return undefined;
  const awayMs = (originSeconds - nowSeconds) * 1000;
  return ((awayMs % intervalMs) + intervalMs) % intervalMs;
}
