/**
 * Watchdog fencing as Pacemaker writes it: stonith-watchdog-timeout stands for a device by the name of `watchdog`
 * that can fence every node, after all others and before people. How long it waits is not what is written there, but
 * what each node has promised; so -1 says all. Fact: Pacemaker Explained, "Cluster Options", stonith-watchdog-timeout.
 */
import { childOf, childrenOf, type XmlElement } from "../../base/xml.ts";
import type { FencingDevice } from "./configuration.ts";
import { parseDurationMs } from "./duration.ts";
import type { Complain } from "./values.ts";

const WATCHDOG = "watchdog";
const AGENTS = [WATCHDOG, "fence_watchdog"];
/** Whoever has not written a priority comes before it. */
const PRIORITY = "-1000000";

/** `primitives`: those of the fencing that are written; one that is a watchdog stands for itself. */
export function impliedWatchdog(
  section: XmlElement | undefined,
  timeout: string | undefined,
  primitives: readonly XmlElement[],
  complain: Complain,
): readonly XmlElement[] {
  if (timeout === undefined || /^(0(ms|s|min)?)?$/.test(timeout)) return [];
  if (parseDurationMs(timeout.replace(/^-/, "")) === undefined) {
    complain("property stonith-watchdog-timeout", `it is ${timeout}`, "write -1 or a time to use it, 0 for none");
    return [];
  }
  if (primitives.some(({ attributes }) => AGENTS.includes(attributes["type"] ?? ""))) return [];
  const nodes = childrenOf(childOf(section, "nodes"), "node").map(({ attributes }) => attributes["uname"] ?? "");
  // A cluster that starts for the first time has not written down its nodes yet.
  if (nodes.length === 0) return [];
  const pairs = [
    { name: "pcmk_host_list", value: nodes.join(" ") },
    { name: "priority", value: PRIORITY },
  ].map((attributes) => ({ name: "nvpair", attributes, children: [] }));
  const attributes = { id: WATCHDOG, class: "stonith", type: WATCHDOG };
  return [
    { name: "primitive", attributes, children: [{ name: "instance_attributes", attributes: {}, children: pairs }] },
  ];
}

/** A half that starts what the other half still runs cannot count on the other's end for want of quorum. */
export function withoutLostQuorum(
  devices: readonly FencingDevice[],
  policy: string | undefined,
  complain: Complain,
): readonly FencingDevice[] {
  if (policy !== "ignore") return devices;
  return devices.filter(({ id, driver }) => {
    if (driver !== WATCHDOG) return true;
    const reason =
      "with no-quorum-policy=ignore a half without quorum starts resources, and nobody may count on its end";
    complain(`fencing device ${id}`, reason, "write no-quorum-policy=stop");
    return false;
  });
}
