/** Two halves of the nodes that are quorate in turn, and what each had before it was. */
import { expect, test } from "vitest";
import { World } from "./world.ts";

const hasOption = (tree: string, requestId: string) => tree.includes(`"x-${requestId}"`);

/** A pair parted after a start of b, which is changed before it may decide; a has a change made with quorum. */
function partedPair(): { world: World; quorate: string; alone: string } {
  const world = new World(["a", "b"]);
  world.settle();
  world.split([["a"], ["b"]]);
  const quorate = world.submit("a");
  world.crash(world.node("b"), 0);
  world.start(world.node("b"), false);
  world.submit("b");
  world.settle();
  const alone = world.submit("b");
  world.settle();
  expect(world.acceptedWithQuorum()).toEqual([quorate]);
  world.node("b").settled = true;
  world.views();
  world.settle();
  return { world, quorate, alone };
}

test("what half of the nodes had before its quorum loses to what the other half acknowledged with quorum", () => {
  const { world, quorate } = partedPair();
  world.split([["a", "b"]]);
  world.settle();
  for (const { name } of world.nodes) expect(hasOption(world.tree(name), quorate), name).toBe(true);
  expect(world.conflicts.map(({ loserNode }) => loserNode)).toEqual(["b"]);
});

test("what half of the nodes had before its quorum is marked by its next change, or when it is asked for again", () => {
  for (const isAgain of [false, true]) {
    const { world, alone } = partedPair();
    const name = `x-${alone}`;
    const set = { target: "crm_config", setName: "cluster_property_set", name: isAgain ? name : "other" } as const;
    const id = world.submit("b", [{ kind: "set-option", ...set, value: "1" }]);
    world.settle();
    expect(world.acceptedWithQuorum()).toContain(id);
    const { disk } = world.node("b");
    expect(disk?.quorateHead).toBe(disk?.head);
    world.split([["a", "b"]]);
    world.settle();
    for (const node of world.nodes) expect(hasOption(world.tree(node.name), alone), node.name).toBe(true);
  }
});
