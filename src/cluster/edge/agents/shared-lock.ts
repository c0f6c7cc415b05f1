/**
 * ocf:gemel:sfex: a lock on a small shared disk, as the witness that only one node runs what is grouped behind it.
 * The record on the disk is that of sfex, so that nodes with the sfex tools and with gemel exclude each other. While
 * the lock is held this process renews it; a lease that is lost resets the node at once, because writes that are in
 * flight cannot be called back. A DRBD pair needs none: DRBD's role is its lock.
 * Facts: reference/storage.md, section 8.
 */
import { writeFileSync } from "node:fs";
import os from "node:os";
import { printSfexLock, readSfexControl, readSfexLock } from "../../../hw/core/sfex/record.ts";
import { type BlockDevice, openBlockDevice } from "../../../hw/edge/block-device.ts";
import {
  createSfexLease,
  type SfexEffect,
  type SfexEvent,
  type SfexLease,
  type SfexTimes,
  sfexWakeAtMs,
  stepSfexLease,
} from "../../../storage/core/sfex-lease.ts";
import { type AgentAnswer, type AgentCall, type BuiltInAgent, failed, OCF, operates, succeeded } from "./contract.ts";
import { isMarked, mark, unmark } from "./mark.ts";

const DEFAULT_SECONDS = { lock_timeout: 100, collision_timeout: 1, monitor_interval: 10 };

interface Holding {
  readonly step: (event: SfexEvent) => void;
  readonly isHeld: () => boolean;
  /** Resolves with the answer to the next `acquire` or `release`. */
  readonly settled: () => Promise<AgentAnswer>;
  readonly close: () => void;
}

/** By resource instance: a lease lives longer than the operation that took it. */
const holdings = new Map<string, Holding>();

/** At once and without sync: what is still in memory must not reach a disk that belongs to another node now. */
function resetNode(reason: string): void {
  process.stderr.write(`gemel: shared lock lost, resetting this node: ${reason}\n`);
  try {
    writeFileSync("/dev/kmsg", `gemel: shared lock lost, resetting this node: ${reason}\n`);
    writeFileSync("/proc/sysrq-trigger", "b");
  } catch {
    // Not root: the monitor fails, and the node is fenced for it.
  }
}

function hold(
  disk: BlockDevice,
  index: number,
  created: SfexLease,
  tellEnd: (untilMs: number | undefined) => void,
): Holding {
  let lease = created;
  const { times } = created;
  let timer: NodeJS.Timeout | undefined;
  let answer: (answer: AgentAnswer) => void = () => {};
  const step = (event: SfexEvent) => {
    const { phase: before } = lease;
    const stepped = stepSfexLease(lease, event, performance.now());
    lease = stepped.state;
    const { phase } = lease;
    if (phase.kind === "holding") tellEnd(phase.renewedAtMs + times.lockTimeoutMs);
    // What could not be given back stands there still.
    else if (before.kind === "releasing" && event.kind === "wrote") tellEnd(undefined);
    for (const effect of stepped.effects) perform(effect);
    clearTimeout(timer);
    const wakeAtMs = sfexWakeAtMs(lease);
    if (wakeAtMs !== undefined)
      timer = setTimeout(() => step({ kind: "tick" }), Math.max(0, Math.ceil(wakeAtMs - performance.now())));
  };
  const diskFailed = (error: unknown) =>
    step({ kind: "disk-failed", reason: error instanceof Error ? error.message : String(error) });
  const perform = (effect: SfexEffect) => {
    switch (effect.kind) {
      case "read":
        disk.read(index).then((bytes) => step({ kind: "read", result: readSfexLock(bytes) }), diskFailed);
        return;
      case "write":
        disk.write(index, printSfexLock(effect.lock, disk.sectorBytes)).then(() => step({ kind: "wrote" }), diskFailed);
        return;
      case "acquired":
      case "released":
        answer(succeeded);
        return;
      case "refused":
        answer(failed(effect.reason));
        return;
      case "lost":
        resetNode(effect.reason);
    }
  };
  return {
    step,
    isHeld: () => ["holding", "checking", "renewing"].includes(lease.phase.kind),
    settled: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
    close() {
      clearTimeout(timer);
      void disk.close();
    },
  };
}

function secondsOf(parameters: AgentCall["parameters"], name: keyof typeof DEFAULT_SECONDS): number {
  const given = Number(parameters[name] ?? DEFAULT_SECONDS[name]);
  return (Number.isFinite(given) && given > 0 ? given : DEFAULT_SECONDS[name]) * 1000;
}

async function start(call: AgentCall): Promise<AgentAnswer> {
  const { instance, parameters, signal } = call;
  if (holdings.get(instance)?.isHeld() === true) return succeeded;
  const index = Number(parameters["index"] ?? 1);
  let disk: BlockDevice;
  try {
    disk = await openBlockDevice(parameters["device"] ?? "");
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error), OCF.notInstalled);
  }
  const control = await disk.read(0).then(
    (bytes) => readSfexControl(bytes, disk.sectorBytes),
    (error: unknown) => ({ kind: "damaged", reason: error instanceof Error ? error.message : String(error) }) as const,
  );
  // Of a disk that hung until nobody waits any more no lock is taken: nobody would give it back.
  if (signal.aborted) {
    await disk.close();
    return failed(`${parameters["device"]} answered too late`);
  }
  const fault = control.kind === "damaged" ? control.reason : undefined;
  if (control.kind === "damaged" || !(index >= 1 && index <= control.value.lockCount)) {
    await disk.close();
    return failed(fault ?? `there is no lock ${index} on this disk`, OCF.notConfigured);
  }
  const times: SfexTimes = {
    lockTimeoutMs: secondsOf(parameters, "lock_timeout"),
    collisionTimeoutMs: secondsOf(parameters, "collision_timeout"),
    monitorIntervalMs: secondsOf(parameters, "monitor_interval"),
  };
  const lock = `${parameters["device"]} (lock ${index})`;
  const lease = createSfexLease(call.node ?? os.hostname(), times);
  const holding = hold(disk, index, lease, (untilMs) => call.tellLease?.(lock, untilMs));
  const settled = holding.settled();
  signal.addEventListener("abort", () => holding.step({ kind: "release" }), { once: true });
  holding.step({ kind: "acquire" });
  const answer = await settled;
  if (answer.code === OCF.success && holding.isHeld()) {
    holdings.set(instance, holding);
    mark(call);
    return answer;
  }
  holding.close();
  return answer.code === OCF.success ? failed("ended before the lock was taken") : answer;
}

/** A manager that starts anew holds nothing, but its lock still stands on the disk: it takes it up again. */
function monitor(call: AgentCall): Promise<AgentAnswer> {
  if (holdings.get(call.instance)?.isHeld() === true) return Promise.resolve(succeeded);
  return isMarked(call) ? start(call) : Promise.resolve({ code: OCF.notRunning, reason: "" });
}

async function stop(call: AgentCall): Promise<AgentAnswer> {
  const { instance } = call;
  // A manager that starts anew must hold the lock to give it back: else the keeper ends the node when it has run out.
  if (isMarked(call)) await monitor(call);
  unmark(call);
  const holding = holdings.get(instance);
  if (holding === undefined) return succeeded;
  const settled = holding.settled();
  holding.step({ kind: "release" });
  const answer = await settled;
  holding.close();
  holdings.delete(instance);
  return answer;
}

export const sharedLock: BuiltInAgent = {
  type: "sfex",
  shortdesc: "A lock on a shared disk, in the format of sfex",
  parameters: [
    {
      name: "device",
      required: true,
      content: "string",
      shortdesc: "The shared disk, made ready by gemel fence lock create",
    },
    { name: "index", content: "integer", fallback: "1", shortdesc: "Which of the disk's locks" },
    { name: "lock_timeout", content: "integer", fallback: "100", shortdesc: "Seconds until a silent holder is passed" },
    { name: "collision_timeout", content: "integer", fallback: "1", shortdesc: "Seconds that two claims may be apart" },
    { name: "monitor_interval", content: "integer", fallback: "10", shortdesc: "Seconds between renewals" },
  ],
  actions: [
    { name: "start", timeout: "120s" },
    { name: "stop", timeout: "20s" },
    { name: "monitor", timeout: "10s", interval: "10s" },
    { name: "validate-all", timeout: "5s" },
    { name: "meta-data", timeout: "5s" },
  ],
  operate: operates({ start, stop, monitor }),
};
