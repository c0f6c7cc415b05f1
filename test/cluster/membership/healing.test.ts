/**
 * Whatever happened to a pair: once the faults end, both are members of one agreed view again, with nobody's help but
 * what a manager and an init always do: accept a lost peer that returned, and start a node that has ended.
 */
import { expect, test } from "vitest";
import { playMembership } from "../../support/membership-pair.ts";
import { fc } from "../../support/repeatable.ts";

const node = fc.constantFrom("node1", "node2");
const link = fc.constantFrom("eth1", "ttyS0", "eth1:node1", "eth1:node2", "ttyS0:node1", "ttyS0:node2");
const fault = fc.oneof(
  fc.integer({ min: 1, max: 9000 }).map((ms) => [`run ${ms}`]),
  link.map((name) => [`cut ${name}`]),
  link.map((name) => [`join ${name}`]),
  node.map((name) => [`kill ${name}`]),
  fc.tuple(node, fc.integer({ min: 1, max: 20 })).map(([name, number]) => [`start ${name} generation=${number}`]),
  fc
    .tuple(node, fc.constantFrom("stop", "freeze"), fc.integer({ min: 10, max: 12_000 }))
    .map(([name, verb, ms]) => [`${verb} ${name}`, `run ${ms}`, `thaw ${name}`]),
  node.map((name) => [`leave ${name}`]),
  node.map((name) => [`fence ${name}`]),
);

const LINKS = ["eth1", "ttyS0", "eth1:node1", "eth1:node2", "ttyS0:node1", "ttyS0:node2"];
/** One round of what managers and inits do, and time for it to work. */
const AID = ["accept node1", "accept node2", "revive node1", "revive node2", "run 25000"];
const HEALED = [...LINKS.map((name) => `join ${name}`), "revive node1", "revive node2", "run 25000", ...AID, ...AID];

test("after any faults the pair heals by itself", () => {
  fc.assert(
    fc.property(fc.array(fault, { maxLength: 25 }), (faults) => {
      const lines = ["pair links=eth1,ttyS0", ...faults.flat(), ...HEALED, "view node1", "view node2"];
      const views = playMembership(lines).slice(-2);
      expect(views[0]).toMatch(/members=node1,node2 node2=member\/\d+ agreed quorate$/);
      expect(views[1]).toMatch(/members=node1,node2 node1=member\/\d+ agreed quorate$/);
    }),
    { numRuns: 300 },
  );
});
