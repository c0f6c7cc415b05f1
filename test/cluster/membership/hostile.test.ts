/** A peer that has the key and says anything at all: the core neither throws nor stops beating. */
import { expect, test } from "vitest";
import { stepMembership, wakeAtMs } from "../../../src/cluster/core/membership/membership.ts";
import {
  createMembership,
  type MembershipConfig,
  type MembershipEvent,
  type MembershipState,
} from "../../../src/cluster/core/membership/state.ts";
import { viewOf } from "../../../src/cluster/core/membership/view-of.ts";
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat } from "../../../src/cluster/core/wire/heartbeat.ts";
import { fc } from "../../support/repeatable.ts";

const CONFIG: MembershipConfig = {
  self: "n1",
  nodes: [1, 2, 3].map((id) => ({ name: `n${id}`, id })),
  links: ["a", "b"].map((name) => ({ name, kind: "udp", peers: ["n2", "n3"] })),
  keepaliveMs: 500,
  warntimeMs: 1500,
  deadtimeMs: 3000,
  initdeadMs: 10_000,
};

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const generation = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 2 ** 48 - 1 }));
const heartbeat: fc.Arbitrary<Heartbeat> = fc.record({
  leaving: fc.boolean(),
  settled: fc.boolean(),
  holding: fc.boolean(),
  quorate: fc.boolean(),
  holdsTie: fc.boolean(),
  epoch: uint32,
  members: fc.integer({ min: 0, max: 65_535 }),
  sentAtMs: uint32,
  beat: uint32,
  peers: fc.array(
    fc.record({
      id: fc.integer({ min: 0, max: 255 }),
      generation,
      opinion: fc.constantFrom("awaited", "member", "left", "lost", "fenced"),
      heard: fc.boolean(),
      echo: fc.integer({ min: 0, max: 65_535 }),
    }),
    { maxLength: 15 },
  ),
});
const event: fc.Arbitrary<MembershipEvent> = fc.oneof(
  fc.record({
    kind: fc.constant("heartbeat"),
    from: fc.integer({ min: 0, max: 255 }),
    link: fc.constantFrom("a", "b", "no such link"),
    generation,
    heartbeat,
  }),
  fc.record({ kind: fc.constant("fencing-confirmed"), name: fc.constantFrom("n2", "n3", "n9"), generation }),
  fc.constant({ kind: "tick" }),
);

test("whatever a keyholder says, the state stays sound and the beats go on", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.integer({ min: 0, max: 4000 })), { maxLength: 40 }), (steps) => {
      let state: MembershipState = createMembership(CONFIG, 1, {}, 0);
      let nowMs = 0;
      for (const [one, afterMs] of steps) {
        nowMs += afterMs;
        const read =
          one.kind === "heartbeat"
            ? { ...one, heartbeat: decodeHeartbeat(encodeHeartbeat(one.heartbeat)) ?? one.heartbeat }
            : one;
        state = stepMembership(state, read, nowMs).state;
        if (state.selfFenced) return;
        expect(wakeAtMs(state)).toBeLessThanOrEqual(nowMs + CONFIG.keepaliveMs);
        const { members } = viewOf(state, nowMs);
        expect(new Set(members).size).toBe(members.length);
        expect(members).toContain("n1");
      }
    }),
    { numRuns: 500 },
  );
});
