/**
 * Fencing is wanted, but there is neither a fencing device nor a watchdog: then nothing is started, moved or stopped,
 * for no recovery could ever be made safe. It is said once, and what runs is left running and watched; only of a
 * clone's instances those beyond its limit go (`place/assign-clone.ts`).
 * A value only: `read-facts.ts` writes it down.
 * Fact: crm_simulate as a black box ("Resource start-up disabled since no STONITH resources have been defined").
 */
import type { Problem } from "../../../../base/problem.ts";
import type { Known } from "./model.ts";
import { isFencingClass } from "./read-resources.ts";

export interface HeldBack {
  /** Fencing is not wanted, or there is something to fence with. */
  readonly canProtect: boolean;
  readonly problems: readonly Problem[];
}

export function heldBack({ options, resources }: Pick<Known, "options" | "resources">): HeldBack {
  const canProtect =
    !options.fencingEnabled || options.hasWatchdog || resources.some(({ class: name }) => isFencingClass(name));
  if (canProtect || resources.length === 0) return { canProtect, problems: [] };
  const problem: Problem = {
    severity: "error",
    place: "/cib/configuration/resources",
    reason: "fencing is enabled, but there is neither a fencing device nor a watchdog: nothing will be started",
    remedy: "configure a fencing device, or set fencing-enabled=false if no resource here needs protection",
  };
  return { canProtect, problems: [problem] };
}
