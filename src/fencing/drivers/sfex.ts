/**
 * Death by a lock that was not renewed: where a node holds an sfex lock by `ocf:gemel:sfex`, its keeper ends the
 * machine when the lock has not been renewed in time, and a hardware watchdog ends a keeper that hangs. So a lock that
 * has stood still for all of lock_timeout proves that its holder is gone. It kills nobody: a holder that lives renews.
 * Then the lock is taken away, so that even a machine which was frozen and wakes up finds it lost and resets itself.
 * A lock proves something only of the node on which the cluster has recorded that its resource runs, in its present
 * start: the name of a node that was switched off stays on the disk, and so does that of one which was refused.
 * Facts: reference storage.md, section 8; src/cluster/core/keeper/lock-leases.ts.
 */
import * as v from "valibot";
import type { SharedLock } from "../../hw/core/sfex/lock.ts";
import { LOCKS_MAX, nextCount, type SfexLock } from "../../hw/core/sfex/record.ts";
import type { PowerDevice, PowerReading } from "../core/driver.ts";
import { defineDriver } from "./define-driver.ts";
import { duration, powerTimes, text, timesOf } from "./parameter.ts";

/** For the reads, the write and a late timer: what confirm_time must have above the lock's own times. */
const MARGIN_MS = 5_000;

const parameters = v.strictObject({
  resource: text("name the resource of ocf:gemel:sfex that holds the lock"),
  node: text("name the node as it stands on the disk: its host name"),
  // Those of the resource: see `borrowing`.
  device: v.pipe(v.string(), v.startsWith("/", "write the path of the shared disk")),
  index: v.optional(
    v.pipe(
      v.string(),
      v.transform(Number),
      v.check((index) => Number.isInteger(index) && index >= 1 && index <= LOCKS_MAX, "write a number from 1 to 999"),
    ),
    "1",
  ),
  lock_timeout: duration(100_000, 1_000, 500_000, "the lock_timeout of the resource"),
  collision_timeout: duration(1_000, 100, 60_000, "the collision_timeout of the resource"),
  monitor_interval: duration(10_000, 100, 500_000, "the monitor_interval of the resource"),
  // The proof is a time that has passed; there is nothing that could settle.
  ...powerTimes({ answerMs: 5_000, confirmMs: 150_000, pollMs: 1_000, settleMs: 0 }),
});

export interface LockUse {
  readonly resource: string;
  readonly node: string;
  readonly lockTimeoutMs: number;
  readonly collisionTimeoutMs: number;
  readonly confirmMs: number;
}

const seconds = (ms: number) => `${Math.ceil(ms / 1_000)} s`;
const isSame = (left: SfexLock, right: SfexLock) =>
  left.held === right.held && left.count === right.count && left.node === right.node;
const describe = ({ held, node, count }: SfexLock) => (held ? `held by ${node}, count ${count}` : "free");

export function lockDevice(lock: SharedLock, use: LockUse): PowerDevice {
  const { resource, node, lockTimeoutMs, collisionTimeoutMs, confirmMs } = use;
  let watched: { readonly seen: SfexLock; readonly sinceMs: number } | undefined;
  /** The start of the node whose lock is looked at. */
  let start: number | undefined;
  let taken: { readonly record: SfexLock; readonly atMs: number } | undefined;

  /** Why this lock tells nothing of the node, or undefined. */
  function objectTo(): string | undefined {
    const neededMs = lockTimeoutMs + collisionTimeoutMs + MARGIN_MS;
    if (neededMs > confirmMs)
      return `its lock_timeout is ${seconds(lockTimeoutMs)}; write confirm_time=${Math.ceil(neededMs / 1_000)}s`;
    const holders = lock.holders();
    if (holders === undefined) return `whether ${resource} runs on ${node} is known to a running cluster only`;
    if (!holders.includes(node)) return `${resource} does not run on ${node}: its lock tells nothing of that node`;
    return undefined;
  }

  async function look(): Promise<SfexLock | string> {
    const read = await lock.read();
    return read.kind === "record" ? read.value : read.reason;
  }

  /** What the record shows while nobody has taken the lock from the node. */
  async function judge(record: SfexLock, seen: SfexLock, sinceMs: number, beganAtMs: number): Promise<PowerReading> {
    if (!isSame(record, seen)) {
      watched = { seen: record, sinceMs: lock.nowMs() };
      const isRenewed = record.held && record.node === node;
      return isRenewed || record.node === node
        ? { kind: "power", power: "on", by: isRenewed ? "its renewal of the lock" : "its giving back of the lock" }
        : { kind: "unreadable", reason: `the lock is ${describe(record)}, and was taken from ${node}` };
    }
    if (!record.held || record.node !== node)
      return { kind: "unreadable", reason: `the lock is ${describe(record)}, no longer held by ${node}` };
    const leftMs = sinceMs + lockTimeoutMs - beganAtMs;
    if (leftMs > 0)
      return { kind: "unreadable", reason: `the lock stands still; not yet for ${seconds(lockTimeoutMs)}` };
    const mine: SfexLock = { held: false, count: nextCount(record.count), node: lock.self };
    const failure = await lock.write(mine);
    if (failure !== undefined) return { kind: "unreadable", reason: failure };
    taken = { record: mine, atMs: lock.nowMs() };
    return { kind: "unreadable", reason: "the lock is taken away; somebody may still write over it" };
  }

  return {
    async switchPower(wanted) {
      if (wanted === "on") return { kind: "refused", reason: "a lock switches no machine on" };
      const objection = objectTo();
      if (objection !== undefined) return { kind: "refused", reason: objection };
      const record = await look();
      if (typeof record === "string") return { kind: "refused", reason: record };
      if (!record.held || record.node !== node)
        return { kind: "refused", reason: `the lock is ${describe(record)}: it tells nothing of ${node}` };
      watched = { seen: record, sinceMs: lock.nowMs() };
      start = lock.startOf(node);
      return { kind: "accepted" };
    },
    async readPower() {
      const beganAtMs = lock.nowMs();
      const record = await look();
      if (typeof record === "string") return { kind: "unreadable", reason: record };
      if (watched !== undefined && lock.startOf(node) !== start)
        return { kind: "unreadable", reason: `${node} has started anew: the lock was that of its former start` };
      if (taken !== undefined) {
        if (!isSame(record, taken.record))
          return { kind: "unreadable", reason: `the lock was taken away, and is now ${describe(record)}` };
        if (beganAtMs - taken.atMs >= collisionTimeoutMs)
          return { kind: "power", power: "off", by: `its lock, not renewed for ${seconds(lockTimeoutMs)}` };
        return { kind: "unreadable", reason: "the lock is taken away; somebody may still write over it" };
      }
      if (watched === undefined) return { kind: "not-told", text: `the lock is ${describe(record)}` };
      return await judge(record, watched.seen, watched.sinceMs, beganAtMs);
    },
    async readIdentity() {
      const record = await look();
      if (typeof record === "string") return { kind: "unreadable", reason: record };
      return {
        kind: "identity",
        uuid: undefined,
        text: `the lock of ${resource} can be read; it is ${describe(record)}`,
      };
    },
  };
}

export const sfex = defineDriver(
  "sfex",
  parameters,
  ({ resource, node, device, index, lock_timeout, collision_timeout, ...times }) => ({
    transport: "lock",
    target: { path: device, index, resource },
    times: timesOf(times),
    expectedUuid: undefined,
    device: (lock) =>
      lockDevice(lock, {
        resource,
        node,
        lockTimeoutMs: lock_timeout,
        collisionTimeoutMs: collision_timeout,
        confirmMs: times.confirm_time,
      }),
  }),
  {
    switchesOn: false,
    // What the holder keeps and what is judged here must be the same; so both read it at one place.
    borrowing: {
      parameter: "resource",
      agent: "ocf:gemel:sfex",
      names: ["device", "index", "lock_timeout", "collision_timeout", "monitor_interval"],
    },
  },
);
