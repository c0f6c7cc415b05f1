/** The order in which nodes that have lost each other may shoot: both sides must read the same from their own CIB. */
import { expect, test } from "vitest";
import type { XmlElement } from "../../../src/base/xml.ts";
import { fencingStandings, isPreferred } from "../../../src/cluster/core/controller/fencing-race.ts";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";
import { ACTIVE, type NodeState, PROBED, pairCib, STANDBY } from "../scheduler/pair-cib.ts";

const NOW = 1_800_000_000_000;
const order = (cib: XmlElement) => fencingStandings(schedule(cib, NOW)).map(({ node }) => node);
const lost = (state: NodeState): NodeState => ({ ...state, online: false });

for (const [what, alpha, bravo, first] of [
  ["alpha serves", ACTIVE, STANDBY, "alpha"],
  ["bravo serves", STANDBY, ACTIVE, "bravo"],
  ["nobody serves: the lower node id", PROBED, PROBED, "alpha"],
  [
    "only the mirror is promoted",
    STANDBY,
    { ...STANDBY, history: { drbd0: ACTIVE.history?.["drbd0"] ?? [] } },
    "bravo",
  ],
] as const) {
  test(`${what}: ${first} goes first, whichever side looks`, () => {
    expect(order(pairCib(alpha, bravo))[0]).toBe(first);
    // Each side sees the other as lost, and what was recorded of it as it was.
    expect(order(pairCib(alpha, lost(bravo)))[0]).toBe(first);
    expect(order(pairCib(lost(alpha), bravo))[0]).toBe(first);
  });
}

test("a configured priority weighs more than the number of resources", () => {
  const withPriority = (text: string) =>
    text.replace(
      '<primitive id="fs"',
      '<primitive id="dear" class="ocf" provider="gemel" type="Dummy"><meta_attributes id="dear-meta">' +
        '<nvpair id="dear-p" name="priority" value="10"/></meta_attributes></primitive><primitive id="fs"',
    );
  const dear = { dear: [{ task: "start", rc: 0 }] };
  const bravo = { ...STANDBY, history: { ...STANDBY.history, ...dear } };
  const typed = (text: string) =>
    withPriority(text).replaceAll(
      '<lrm_resource id="dear" ',
      '<lrm_resource id="dear" class="ocf" provider="gemel" type="Dummy" ',
    );
  expect(order(pairCib(ACTIVE, bravo, typed))[0]).toBe("bravo");
});

test("of three nodes a target is preferred only to those who all stand behind it", () => {
  expect(isPreferred(["a", "b", "c"], "a", ["b", "c"])).toBe(true);
  expect(isPreferred(["a", "b", "c"], "b", ["a", "c"])).toBe(false);
  expect(isPreferred(["a", "b", "c"], "stranger", ["a"])).toBe(false);
  expect(isPreferred([], "a", ["b"])).toBe(false);
});
