/**
 * The agents of the virtual machines: what they start really runs there, until it is stopped or the power goes. An
 * agent may fail, or hang until its time is over, as a fault has ordered; a stop that fails leaves the service running.
 */
import type { AttributeUpdate, OperationRun } from "../cluster/core/executor/types.ts";
import { runDrbdAgent } from "./drbd-agent.ts";
import type { Machine } from "./machine.ts";
import { runStatefulAgent } from "./stateful.ts";

/** Instead of an exit code: the agent does not come to an end. */
export const HANGS = -1;
const NOT_RUNNING = 7;
const MONITOR_MS = 10;
const UNMOUNT_POLL_MS = 500;

/** Gets the exit code, or undefined when the time was over. */
export type AgentDone = (code: number | undefined, execMs: number, attributes?: readonly AttributeUpdate[]) => void;

export function runAgent(machine: Machine, run: OperationRun, done: AgentDone): void {
  const { resource, operation, intervalMs, timeoutMs } = run;
  const { id } = resource;
  const { world, chance, running } = machine;
  const { drbd } = world;
  if (resource.type === "drbd" && drbd !== undefined) {
    runDrbdAgent(drbd, drbd.of(machine), run, done);
    return;
  }
  if (resource.type === "Stateful") {
    runStatefulAgent(machine, run, done);
    return;
  }
  const ordered = machine.failing.get(`${id} ${operation}`);
  const end = (code: number | undefined, execMs: number) => machine.later(execMs, () => done(code, execMs));
  if (operation === "monitor") {
    const isProbe = intervalMs === 0;
    if (ordered === HANGS && !isProbe) end(undefined, timeoutMs);
    else
      machine.later(MONITOR_MS, () => {
        const code =
          ordered !== undefined && ordered !== HANGS && !isProbe ? ordered : running.has(id) ? 0 : NOT_RUNNING;
        if (code === NOT_RUNNING) world.watch.seenStopped(machine, id);
        done(code, MONITOR_MS);
      });
    return;
  }
  if (operation === "start") {
    world.tell(machine.name, `starts ${id}`);
    // From the first instant of the start it may write, also when the start fails.
    world.watch.activated(machine, id);
    if (id === "fs") world.watch.mounted(machine);
    running.add(id);
    if (ordered === undefined) end(0, chance.between(50, 400));
    else if (ordered === HANGS) end(undefined, timeoutMs);
    else end(ordered, 100);
    return;
  }
  if (operation === "stop") {
    world.tell(machine.name, `stops ${id}`);
    if (ordered === HANGS) end(undefined, timeoutMs);
    else if (ordered !== undefined) end(ordered, 100);
    else {
      const execMs = chance.between(30, 300);
      const finish = (tookMs: number) => {
        // What has been written and not yet acknowledged holds up an unmount.
        if (id === "fs" && drbd?.of(machine).pending !== undefined) {
          if (tookMs >= timeoutMs) done(undefined, timeoutMs);
          else machine.later(UNMOUNT_POLL_MS, () => finish(tookMs + UNMOUNT_POLL_MS));
          return;
        }
        running.delete(id);
        world.watch.stopped(machine, id);
        done(0, tookMs);
      };
      machine.later(execMs, () => finish(execMs));
    }
    return;
  }
  end(0, MONITOR_MS);
}
