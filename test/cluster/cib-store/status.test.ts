/** The status section: shutdown locks in it, and how it reaches the members. */
import { expect, test } from "vitest";
import { printXml, xml } from "../../../src/base/xml.ts";
import { applyStatus, coalesce, EMPTY_STATUS } from "../../../src/cluster/core/cib-store/status.ts";
import type { StatusChange } from "../../../src/cluster/core/cib-store/types.ts";
import { World } from "./world.ts";

const ip = { id: "ip", class: "ocf", type: "Dummy" };
const operation = (id: string) => xml("lrm_rsc_op", { id });
const stop: StatusChange = {
  kind: "set-operation",
  node: "alpha",
  resource: { ...ip, "shutdown-lock": "1700000000" },
  operation: operation("ip_last_0"),
};
const probe: StatusChange = { kind: "set-operation", node: "alpha", resource: ip, operation: operation("ip_probe") };
const end: StatusChange = { kind: "end-lock", node: "alpha", resource: "ip" };
const bare: StatusChange = {
  kind: "replace-history",
  node: "alpha",
  lrm: xml("lrm", {}, [xml("lrm_resources", {}, [xml("lrm_resource", { ...ip, "shutdown-lock": "1700000000" })])]),
};

const after = (...changes: readonly StatusChange[]) =>
  printXml(changes.reduce((status, change) => applyStatus(status, change, () => "1"), EMPTY_STATUS).tree);

test("a lock comes with the record of the stop, stays with what is recorded next, and ends alone", () => {
  expect(after(stop, probe)).toContain('shutdown-lock="1700000000"');
  expect(after(stop, probe, end)).not.toContain("shutdown-lock");
  expect(after(stop, probe, end)).toContain('id="ip_probe"');
});

test("a record that was kept for its lock alone goes with it; one that was none is left as it is", () => {
  expect(after(bare, end)).not.toContain("lrm_resource ");
  expect(after(probe, end)).toBe(after(probe));
});

test("what locks again after an end is not taken for what locked before it", () => {
  expect(coalesce([stop, end], stop)).toEqual([stop, end, stop]);
});

/** Two stores at rest, and how many status words the DC sends on from here. */
function pair(): { readonly world: World; readonly words: (forMs: number) => number } {
  const world = new World(["a", "b"]);
  world.settle();
  const words = (forMs: number): number => {
    let count = 0;
    for (let spentMs = 0; spentMs < forMs; spentMs += 100) {
      world.tick(100);
      count += world.wire.filter(({ text }) => text.includes('"cib-status"')).length;
      while (world.wire.length > 0) world.deliver(0, false);
    }
    return count;
  };
  return { world, words };
}

const busy: StatusChange = { kind: "set-attribute", node: "a", name: "busy", value: "1" };

test("a status that was lost for good is found as soon as the channel tells of a loss", () => {
  const { world, words } = pair();
  world.step(world.node("a"), { kind: "report", changes: [busy] });
  world.tick(100);
  expect(world.wire).toHaveLength(1);
  world.wire = [];
  world.step(world.node("a"), { kind: "messages-lost", peer: "b" });
  words(200);
  expect(world.tree("b")).toContain("busy");
  expect(world.tree("b")).toBe(world.tree("a"));
});

test("a DC repeats itself once behind a change, and hardly ever while nothing happens", () => {
  const { world, words } = pair();
  world.step(world.node("a"), { kind: "report", changes: [busy] });
  expect(words(10_000)).toBe(2);
  expect(words(600_000)).toBe(10);
});

test("a replica tells the DC what is in force only once, and again when it is no more", () => {
  const { world, words } = pair();
  const score: StatusChange = { kind: "set-attribute", node: "b", name: "master-data", value: "10000" };
  const none: StatusChange = { ...score, value: null };
  const said = (change: StatusChange): number => {
    world.step(world.node("b"), { kind: "report", changes: [change] });
    const count = world.wire.length;
    words(200);
    return count;
  };
  expect(said(score)).toBe(1);
  expect(world.tree("a")).toContain("master-data");
  expect(said(score)).toBe(0);
  world.step(world.node("a"), { kind: "report", changes: [none] });
  words(200);
  expect(said(score)).toBe(1);
  expect(world.tree("a")).toContain("master-data");
  // What is under way says more than what is in force.
  world.step(world.node("b"), { kind: "report", changes: [none] });
  world.step(world.node("b"), { kind: "report", changes: [score] });
  words(200);
  expect(world.tree("a")).toContain("master-data");
  expect(world.tree("b")).toBe(world.tree("a"));
});
