/**
 * Fencing is wanted, but there is neither a fencing device nor a watchdog: then nothing is started, moved or stopped,
 * for no recovery could ever be made safe. It is said once, and what runs is left running and watched.
 * Fact: crm_simulate as a black box ("Resource start-up disabled since no STONITH resources have been defined").
 */
import type { Facts } from "./model.ts";
import { isFencingClass } from "./read-resources.ts";

export function holdBack(facts: Facts): void {
  const { options, resources, problems } = facts;
  facts.canProtect =
    !options.fencingEnabled || options.hasWatchdog || resources.some(({ class: name }) => isFencingClass(name));
  if (facts.canProtect || resources.length === 0) return;
  problems.push({
    severity: "error",
    place: "/cib/configuration/resources",
    reason: "fencing is enabled, but there is neither a fencing device nor a watchdog: nothing will be started",
    remedy: "configure a fencing device, or set fencing-enabled=false if no resource here needs protection",
  });
  for (const resource of resources) {
    // An instance beyond clone-max must not go on, whatever else may.
    if (resource.removed && resource.parent !== undefined) continue;
    resource.heldBack = resource.managed;
    resource.managed = false;
  }
}
