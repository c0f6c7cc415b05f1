/**
 * A promotable clone without shared data below it, as ocf:pacemaker:Stateful or a database that replicates by itself:
 * an instance on every node, one of them promoted. Being promoted is held to the rules of a service that runs once
 * (watch.ts): nowhere on two machines at a time, elsewhere only after its end there or a fencing, and somewhere at
 * rest.
 */
import type { AttributeUpdate, OperationRun } from "../cluster/core/executor/types.ts";
import type { Machine } from "./machine.ts";

/** The primitive within the clone. */
const STATE = "state";
/** Among what runs on a machine, and among its services. */
export const PROMOTED = "promoted";

const [SUCCESS, FAILED, NOT_RUNNING, RUNNING_PROMOTED] = [0, 1, 7, 8];
/** Whoever is promoted is better there than elsewhere. */
const SCORES = { promoted: "10", unpromoted: "5" } as const;

/** With what stands on it: the group goes where the clone is promoted. */
export const STATEFUL = {
  clone:
    '<clone id="ms-state"><meta_attributes id="ms-state-meta">' +
    '<nvpair id="ms-state-p" name="promotable" value="true"/>' +
    '<nvpair id="ms-state-i" name="interleave" value="true"/></meta_attributes>' +
    `<primitive id="${STATE}" class="ocf" provider="gemel" type="Stateful"><operations>` +
    '<op id="state-m1" name="monitor" interval="10s" timeout="20s" role="Promoted"/>' +
    '<op id="state-m2" name="monitor" interval="11s" timeout="20s" role="Unpromoted"/>' +
    '<op id="state-start" name="start" interval="0s" timeout="60s"/>' +
    '<op id="state-promote" name="promote" interval="0s" timeout="60s"/>' +
    '<op id="state-demote" name="demote" interval="0s" timeout="60s"/>' +
    '<op id="state-stop" name="stop" interval="0s" timeout="60s"/></operations></primitive></clone>',
  constraints:
    '<rsc_colocation id="c-state" rsc="service" with-rsc="ms-state" with-rsc-role="Promoted" score="INFINITY"/>' +
    '<rsc_order id="o-state" first="ms-state" first-action="promote" then="service" then-action="start"/>',
} as const;

export type StatefulDone = (code: number | undefined, execMs: number, attributes: readonly AttributeUpdate[]) => void;

function scoreOf({ running }: Machine): AttributeUpdate {
  const name = `master-${STATE}`;
  if (!running.has(STATE)) return { name };
  return { name, value: running.has(PROMOTED) ? SCORES.promoted : SCORES.unpromoted };
}

function monitor(machine: Machine): number {
  const { running, world } = machine;
  if (!running.has(PROMOTED)) world.watch.seenStopped(machine, PROMOTED);
  if (!running.has(STATE)) return NOT_RUNNING;
  return running.has(PROMOTED) ? RUNNING_PROMOTED : SUCCESS;
}

function demote(machine: Machine): void {
  if (!machine.running.delete(PROMOTED)) return;
  machine.world.tell(machine.name, "demotes state");
  machine.world.watch.stopped(machine, PROMOTED);
}

/** What an operation has done when it ends well; of a promotion from its first instant on. */
function perform(machine: Machine, operation: string): number {
  const { running } = machine;
  if (operation === "monitor") return monitor(machine);
  if (operation === "start") running.add(STATE);
  else if (operation === "promote" && !running.has(STATE)) return FAILED;
  else if (operation === "demote") demote(machine);
  else if (operation === "stop") {
    demote(machine);
    running.delete(STATE);
  }
  return SUCCESS;
}

export function runStatefulAgent(
  machine: Machine,
  { operation, intervalMs, timeoutMs }: OperationRun,
  done: StatefulDone,
) {
  const ordered = machine.failing.get(`${STATE} ${operation}`);
  const isProbe = operation === "monitor" && intervalMs === 0;
  if (operation === "promote" && machine.running.has(STATE) && !machine.running.has(PROMOTED)) {
    machine.world.tell(machine.name, "promotes state");
    machine.world.watch.activated(machine, PROMOTED);
    machine.running.add(PROMOTED);
  }
  const execMs = ordered !== undefined && ordered < 0 && !isProbe ? timeoutMs : machine.chance.between(10, 200);
  machine.later(execMs, () => {
    if (ordered === undefined || isProbe) done(perform(machine, operation), execMs, [scoreOf(machine)]);
    else done(ordered < 0 ? undefined : ordered, execMs, [scoreOf(machine)]);
  });
}
