/** Requests to the replicated CIB: in order, once, answered, whatever is lost on their way to the DC. */
import { expect, test } from "vitest";
import { World } from "./world.ts";

test("what was asked later overtakes nothing that a DC has dropped before it was one", () => {
  const world = new World(["a", "b"]);
  world.settle();
  const a = world.node("a");
  const put = (value: string) =>
    world.submit("b", [
      { kind: "set-option", target: "crm_config", setName: "cluster_property_set", name: "x", value },
    ]);
  const view = { kind: "view", members: ["a", "b"], quorate: true } as const;
  world.step(a, { ...view, dc: undefined });
  const ids = [put("early")];
  while (world.wire.length > 0) world.deliver(0, false);
  ids.push(put("late"));
  world.step(a, { ...view, dc: "a" });
  for (let at = 0; at < 10; at += 1) {
    while (world.wire.length > 0) world.deliver(0, false);
    for (const node of world.nodes) while (node.writes.length > 0) world.write(node);
  }
  expect(world.accepted()).toEqual(ids);
  for (const { name } of world.nodes) expect(world.tree(name)).toContain('"name":"x","value":"late"');
  expect(world.node("b").store?.requests).toEqual([]);
});

test("what a DC has dropped before it was one is sent again as soon as it asks", () => {
  const world = new World(["a", "b"]);
  world.settle();
  const a = world.node("a");
  const view = { kind: "view", members: ["a", "b"], quorate: true } as const;
  world.step(a, { ...view, dc: undefined });
  const id = world.submit("b");
  while (world.wire.length > 0) world.deliver(0, false);
  world.step(a, { ...view, dc: "a" });
  for (let at = 0; at < 10; at += 1) {
    while (world.wire.length > 0) world.deliver(0, false);
    for (const node of world.nodes) while (node.writes.length > 0) world.write(node);
  }
  expect(world.accepted()).toEqual([id]);
});

test("a late copy of a request gets the answer that it had, and is not carried out again", () => {
  const world = new World(["a", "b"]);
  world.settle();
  const put = (from: string, value: string) =>
    world.submit(from, [
      { kind: "set-option", target: "crm_config", setName: "cluster_property_set", name: "x", value },
    ]);
  put("a", "1");
  world.settle();
  // No change, so no history knows of it.
  put("b", "1");
  const copy = world.wire.find(({ text }) => text.includes("cib-request"));
  world.settle();
  put("a", "2");
  world.settle();
  if (copy === undefined) throw new Error("nothing was asked");
  world.wire.push(copy);
  world.settle();
  expect(world.tree("a")).toContain('"name":"x","value":"2"');
});

test("a slow peer is not sent again what it has; what a new start of it has lost goes out at once", () => {
  const world = new World(["a", "b"]);
  world.settle();
  const id = world.submit("a");
  const installs = () => world.wire.filter(({ to, text }) => to === "b" && text.includes(id)).length;
  // For 4 s b takes nothing off the wire: it is busy, and copies would only keep it so.
  for (let spentMs = 0; spentMs < 4000; spentMs += 100) world.tick(100);
  expect(installs()).toBe(1);
  world.wire = [];
  world.step(world.node("a"), { kind: "messages-lost", peer: "b" });
  expect(installs()).toBe(1);
  while (world.wire.length > 0) world.deliver(0, false);
  world.settle();
  expect(world.accepted()).toEqual([id]);
});

test("a request of a replica reaches a DC whose manager has started anew", () => {
  const world = new World(["a", "b"]);
  world.settle();
  const id = world.submit("b");
  world.wire = [];
  world.step(world.node("b"), { kind: "messages-lost", peer: "a" });
  expect(world.wire.filter(({ to, text }) => to === "a" && text.includes(id))).toHaveLength(1);
});

test("what cannot be applied is refused whole, and nothing changes", () => {
  const world = new World(["a", "b"]);
  world.settle();
  const before = world.tree("a");
  world.submit("b", [
    { kind: "set-option", target: "crm_config", setName: "cluster_property_set", name: "x", value: "1" },
    { kind: "delete", target: "nobody" },
    { kind: "set-attributes", target: "nothing", attributes: {} },
  ]);
  world.settle();
  const [answer] = world.answers;
  expect(answer?.kind === "refused" && answer.problems.map(({ place }) => place)).toEqual([
    "operation 2 (delete)",
    "operation 3 (set-attributes)",
  ]);
  expect(world.tree("a")).toBe(before);
});

test("without a DC a change is refused in the end, with the reason", () => {
  const world = new World(["a", "b"]);
  world.step(world.node("a"), { kind: "view", members: ["a", "b"], dc: undefined, quorate: true });
  world.submit("a");
  for (let at = 0; at < 70; at += 1) world.tick(500);
  expect(world.answers).toMatchObject([{ kind: "refused", problems: [{ reason: "there is no DC" }] }]);
});
