/** The handler's answer: each code only with its proof. */
import { expect, test } from "vitest";
import { decideFencePeer, type FencePeerFacts } from "../../../src/storage/core/fence-peer.ts";
import { fc } from "../../support/repeatable.ts";

const lost: FencePeerFacts = { peer: "bravo", localDisk: "UpToDate", connectedAtMs: 100, word: { kind: "silent" } };

test.each<[string, Partial<FencePeerFacts>, number]>([
  ["nothing is known", {}, 1],
  ["its power was read as off", { powerOffConfirmedAtMs: 200 }, 7],
  ["it has connected again since its power was off", { powerOffConfirmedAtMs: 50 }, 1],
  ["it was heard again after its power was off", { powerOffConfirmedAtMs: 200, heardAtMs: 201 }, 1],
  ["it was heard for the last time before", { powerOffConfirmedAtMs: 200, heardAtMs: 150 }, 7],
  ["it is off, but our data may be old", { powerOffConfirmedAtMs: 200, localDisk: "Consistent" }, 1],
  [
    "it is off, and our disk was current with it connected before",
    { powerOffConfirmedAtMs: 200, currentAtMs: 150, localDisk: "Consistent" },
    7,
  ],
  ["our disk was current, and it is not known to be off", { currentAtMs: 150, localDisk: "Consistent" }, 1],
  [
    "our disk was current before, and says now that it is outdated",
    { powerOffConfirmedAtMs: 200, currentAtMs: 150, localDisk: "Outdated" },
    1,
  ],
  [
    "it has left in order, and our disk was current before",
    { hasLeft: true, currentAtMs: 150, localDisk: "Consistent" },
    1,
  ],
  ["it is off, and our disk is gone", { powerOffConfirmedAtMs: 200, localDisk: "Diskless" }, 1],
  ["it is Primary", { word: { kind: "primary" }, powerOffConfirmedAtMs: 200 }, 6],
  ["it has outdated itself", { word: { kind: "outdated" } }, 4],
  ["it has left in order", { hasLeft: true }, 4],
  ["it has left in order, but our data may be old", { hasLeft: true, localDisk: "Consistent" }, 1],
  ["it has outdated itself, but our data may be old", { word: { kind: "outdated" }, localDisk: "Consistent" }, 1],
])("%s", (_name, given, code) => {
  expect(decideFencePeer({ ...lost, ...given }).code).toBe(code);
});

test("it was never connected here, but is off, and our metadata say that we are current", () => {
  const { connectedAtMs: _, ...never } = lost;
  expect(decideFencePeer({ ...never, powerOffConfirmedAtMs: 5 }).code).toBe(7);
});

test("never 5; and 7 never after any sign of life since the power was off", () => {
  const time = fc.option(fc.nat(10), { nil: undefined });
  const facts = fc.record({
    peer: fc.constant("bravo"),
    localDisk: fc.constantFrom("UpToDate", "Consistent", "Outdated", "Diskless"),
    connectedAtMs: time,
    currentAtMs: time,
    powerOffConfirmedAtMs: time,
    heardAtMs: time,
    word: fc.constantFrom({ kind: "primary" as const }, { kind: "outdated" as const }, { kind: "silent" as const }),
  });
  fc.assert(
    fc.property(facts, ({ connectedAtMs, currentAtMs, powerOffConfirmedAtMs, heardAtMs, ...rest }) => {
      const { code } = decideFencePeer({
        ...rest,
        ...(connectedAtMs === undefined ? {} : { connectedAtMs }),
        ...(currentAtMs === undefined ? {} : { currentAtMs }),
        ...(powerOffConfirmedAtMs === undefined ? {} : { powerOffConfirmedAtMs }),
        ...(heardAtMs === undefined ? {} : { heardAtMs }),
      });
      expect([1, 4, 6, 7]).toContain(code);
      if (code !== 7) return;
      expect(powerOffConfirmedAtMs).toBeGreaterThanOrEqual(connectedAtMs ?? 0);
      expect(powerOffConfirmedAtMs).toBeGreaterThanOrEqual(heardAtMs ?? 0);
      if (currentAtMs === undefined) expect(rest.localDisk).toBe("UpToDate");
      else expect(["UpToDate", "Consistent"]).toContain(rest.localDisk);
    }),
  );
});
