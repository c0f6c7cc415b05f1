/**
 * Notes in the configuration that a watchdog is armed, as Pacemaker's cluster does: where the watchdog is all the
 * fencing that there is, the scheduler starts nothing without that word. Every manager looks, only the DC writes.
 * Fact: Pacemaker Explained, "Cluster Options", have-watchdog ("set automatically by the cluster").
 */
import { clusterOption } from "../../cluster/core/controller/cib-read.ts";
import { nodeCib } from "../../cluster/core/controller/node-core.ts";
import { type Manager, submit } from "./manager.ts";

const NAME = "have-watchdog";
/** It is wanted once in the life of a cluster. */
const LOOK_EVERY_MS = 1_000;

async function look(manager: Manager): Promise<void> {
  if (manager.node.controller.election.dc !== manager.self) return;
  const isCountedOn = manager.fencing.configuration().devices.some(({ driver }) => driver === "watchdog");
  if (!isCountedOn || clusterOption(nodeCib(manager.node), NAME) === "true") return;
  const set = { kind: "set-option", target: "crm_config", setName: "cluster_property_set" } as const;
  const answer = await submit(manager, "gemel", "a watchdog is armed", [{ ...set, name: NAME, value: "true" }]);
  if (answer.kind !== "accepted")
    manager.log("warning", `${NAME} could not be noted (${answer.kind}); it is tried again`);
}

/** Looks until the process ends; one look at a time. */
export function watchForWatchdog(manager: Manager): void {
  let isLooking = false;
  setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look(manager).finally(() => {
      isLooking = false;
    });
  }, LOOK_EVERY_MS);
}
