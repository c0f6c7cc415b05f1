/**
 * The parameters of a device that speak to the fencer, and not to the device: `pcmk_*`. A misspelt one would be a
 * delay, a limit or a list of nodes that is silently not there; one that asks for what is not done here is told.
 * Fact: pacemaker-fenced(7), all of its pcmk_* parameters.
 */
import { nearestName } from "../../base/nearest.ts";
import { entryOf } from "../../base/record.ts";
import type { Complain, Values } from "./values.ts";

const ACTIONS = ["reboot", "off", "on", "list", "monitor", "status"] as const;

export const FENCER_PARAMETERS: readonly string[] = [
  "pcmk_host_argument",
  "pcmk_host_map",
  "pcmk_host_list",
  "pcmk_host_check",
  "pcmk_delay_max",
  "pcmk_delay_base",
  "pcmk_action_limit",
  ...ACTIONS.flatMap((action) => ["action", "timeout", "retries"].map((what) => `pcmk_${action}_${what}`)),
];

/**
 * What may be put in the place of an action. Off is read back as off, then comes on: an agent's own word for either
 * would leave nothing to be read. A reboot is both; `off` in its place leaves the machine off. Others switch nothing.
 */
const REPLACEMENTS: Readonly<Record<string, readonly string[]>> = {
  pcmk_off_action: ["off"],
  pcmk_on_action: ["on"],
  pcmk_reboot_action: ["reboot", "off", "cycle", "onoff"],
};

/** Tells every pcmk_* parameter that is not known, or that asks for what is not done. */
export function checkFencerParameters(parameters: Values, place: string, complain: Complain): void {
  for (const [name, value] of Object.entries(parameters)) {
    if (!name.startsWith("pcmk_")) continue;
    if (!FENCER_PARAMETERS.includes(name)) {
      const nearest = nearestName(name, FENCER_PARAMETERS);
      complain(place, `${name}: there is no such parameter`, nearest === undefined ? "remove it" : `write ${nearest}`);
    }
    const allowed = entryOf(REPLACEMENTS, name);
    if (allowed !== undefined && !allowed.includes(value))
      complain(place, `${name}=${value}: that is not done here`, `write ${allowed.join(" or ")}, or remove it`);
  }
}

/**
 * The parameter that takes a node's plug. A packaged agent may be told another one than its usual by
 * `pcmk_host_argument` (`none`: it has no plugs); a driver of our own has its own, whatever the agent of old called it.
 */
export function plugParameterOf(
  { plugParameter, isAgentOfOthers }: { readonly plugParameter: string | undefined; readonly isAgentOfOthers: boolean },
  parameters: Values,
): string | undefined {
  const named = parameters["pcmk_host_argument"];
  if (!isAgentOfOthers || named === undefined) return plugParameter;
  return named === "none" ? undefined : named;
}
