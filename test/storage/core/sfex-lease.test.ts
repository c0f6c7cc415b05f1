/** sfex leases on one virtual disk: whatever the disk's delays, never two holders. */
import { describe, expect, test } from "vitest";
import type { SfexLock } from "../../../src/hw/core/sfex/record.ts";
import {
  createSfexLease,
  type SfexEffect,
  type SfexEvent,
  type SfexLease,
  sfexWakeAtMs,
  stepSfexLease,
} from "../../../src/storage/core/sfex-lease.ts";
import { fc } from "../../support/repeatable.ts";

const TIMES = { lockTimeoutMs: 5_000, collisionTimeoutMs: 1_000, monitorIntervalMs: 1_000 };
const FREE: SfexLock = { held: false, count: 0, node: "" };

interface Due {
  readonly atMs: number;
  readonly act: () => void;
}

/** Nodes, a disk whose every access takes a time of its own, and a clock. */
function createWorld(names: readonly string[], delayMs: () => number) {
  let disk = FREE;
  let nowMs = 0;
  let queue: Due[] = [];
  const leases = new Map<string, SfexLease>(names.map((name) => [name, createSfexLease(name, TIMES)]));
  const holders = new Set<string>();
  const dead = new Set<string>();
  const said: string[] = [];
  let holdersMax = 0;
  const at = (atMs: number, act: () => void) => queue.push({ atMs, act });

  const apply = (name: string, effect: SfexEffect) => {
    switch (effect.kind) {
      case "read": {
        const total = delayMs();
        let seen = FREE;
        at(nowMs + total / 2, () => {
          seen = disk;
        });
        at(nowMs + total, () => step(name, { kind: "read", result: { kind: "record", value: seen } }));
        return;
      }
      case "write": {
        const total = delayMs();
        const { lock } = effect;
        at(nowMs + total * 0.75, () => {
          disk = lock;
        });
        at(nowMs + total, () => step(name, { kind: "wrote" }));
        return;
      }
      case "acquired":
        holders.add(name);
        break;
      case "lost":
        dead.add(name);
        holders.delete(name);
        break;
      case "refused":
      case "released":
        holders.delete(name);
        break;
    }
    said.push(`${name} ${effect.kind}`);
    holdersMax = Math.max(holdersMax, holders.size);
  };

  const step = (name: string, event: SfexEvent) => {
    const lease = leases.get(name);
    if (lease === undefined || dead.has(name)) return;
    const stepped = stepSfexLease(lease, event, nowMs);
    leases.set(name, stepped.state);
    // Its release is over for its user as soon as it is asked for: the resources are stopped by then.
    if (event.kind === "release") holders.delete(name);
    for (const effect of stepped.effects) apply(name, effect);
  };

  const runUntil = (endMs: number) => {
    for (;;) {
      const wakes = [...leases].flatMap(([name, lease]): Due[] => {
        const wakeAtMs = dead.has(name) ? undefined : sfexWakeAtMs(lease);
        return wakeAtMs === undefined
          ? []
          : [{ atMs: Math.max(wakeAtMs, nowMs), act: () => step(name, { kind: "tick" }) }];
      });
      const next = [...queue, ...wakes].sort((left, right) => left.atMs - right.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      nowMs = next.atMs;
      queue = queue.filter((due) => due !== next);
      next.act();
    }
    nowMs = endMs;
  };

  return {
    step,
    runUntil,
    said,
    holders,
    kill: (name: string) => dead.add(name),
    max: () => holdersMax,
    disk: () => disk,
  };
}

describe("a fast disk", () => {
  test("a free lock is taken at once, and kept", () => {
    const world = createWorld(["alpha", "beta"], () => 10);
    world.step("alpha", { kind: "acquire" });
    world.runUntil(1_100);
    expect(world.said).toEqual(["alpha acquired"]);
    world.step("beta", { kind: "acquire" });
    world.runUntil(20_000);
    expect(world.said).toEqual(["alpha acquired", "beta refused"]);
    expect(world.disk().count).toBeGreaterThan(10);
  });

  test("a dead holder's lock is taken after the lock timeout", () => {
    const world = createWorld(["alpha", "beta"], () => 10);
    world.step("alpha", { kind: "acquire" });
    world.runUntil(3_000);
    world.kill("alpha");
    world.step("beta", { kind: "acquire" });
    world.runUntil(3_000 + TIMES.lockTimeoutMs);
    expect(world.said).toEqual(["alpha acquired"]);
    world.runUntil(3_000 + TIMES.lockTimeoutMs + TIMES.collisionTimeoutMs + 200);
    expect(world.said).toEqual(["alpha acquired", "beta acquired"]);
  });

  test("a released lock is free", () => {
    const world = createWorld(["alpha", "beta"], () => 10);
    world.step("alpha", { kind: "acquire" });
    world.runUntil(3_000);
    world.step("alpha", { kind: "release" });
    world.runUntil(3_100);
    world.step("beta", { kind: "acquire" });
    world.runUntil(4_300);
    expect(world.said).toEqual(["alpha acquired", "alpha released", "beta acquired"]);
  });

  test("of two that start together one gets it", () => {
    const world = createWorld(["alpha", "beta"], () => 10);
    world.step("alpha", { kind: "acquire" });
    world.step("beta", { kind: "acquire" });
    world.runUntil(5_000);
    expect(world.said.filter((word) => word.endsWith("acquired"))).toHaveLength(1);
  });
});

test("a disk that stops answering makes the holder give up before anybody may take the lock", () => {
  let delay = 10;
  const world = createWorld(["alpha"], () => delay);
  world.step("alpha", { kind: "acquire" });
  world.runUntil(2_000);
  delay = 1e9;
  world.runUntil(2_000 + TIMES.lockTimeoutMs);
  expect(world.said).toEqual(["alpha acquired", "alpha lost"]);
});

test("whatever the delays, there are never two holders", () => {
  const delays = fc.array(fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 9_000 })), {
    minLength: 20,
    maxLength: 60,
  });
  const orders = fc.array(
    fc.record({
      node: fc.constantFrom("alpha", "beta", "gamma"),
      what: fc.constantFrom("acquire" as const, "acquire" as const, "release" as const),
      afterMs: fc.nat(4_000),
    }),
    { minLength: 3, maxLength: 25 },
  );
  fc.assert(
    fc.property(delays, orders, (delay, ordered) => {
      let turn = 0;
      const world = createWorld(["alpha", "beta", "gamma"], () => delay[(turn++ * 7) % delay.length] ?? 1);
      let nowMs = 0;
      for (const { node, what, afterMs } of ordered) {
        nowMs += afterMs;
        world.runUntil(nowMs);
        world.step(node, { kind: what });
      }
      world.runUntil(nowMs + 30_000);
      expect(world.max()).toBeLessThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
});
