/** The replicated CIB: what was acknowledged is never lost, whatever the network and the machines do. */
import { describe, expect, test } from "vitest";
import { type XmlElement, xml } from "../../../src/base/xml.ts";
import { compareLineage, growLineage, winnerOf } from "../../../src/cluster/core/cib-store/lineage.ts";
import { mergeStored } from "../../../src/cluster/core/cib-store/merge.ts";
import type { StatusChange, StoredCib } from "../../../src/cluster/core/cib-store/types.ts";
import { createChance, operationOf, type TestNode, World } from "./world.ts";

const attribute = (node: string, value: string): StatusChange => ({ kind: "set-attribute", node, name: "p", value });
const hasOption = (tree: string, requestId: string) => tree.includes(`"x-${requestId}"`);

/** Whether everything that this node's disk was confirmed to hold is also on the disks of the others alive. */
function spareable(world: World, node: TestNode): boolean {
  const others = world.alive().filter((other) => other !== node);
  const head = node.store?.stored.head ?? "blank";
  return others.length > 0 && others.every(({ disk }) => head === "blank" || disk?.lineage.includes(head) === true);
}

/** `apart`: the network may split and nodes may die while alone in what they know, so that conflicts arise. */
function play(seed: number, names: readonly string[], apart: boolean): World {
  const chance = createChance(seed);
  const pick = <Item>(list: readonly Item[]) => list[Math.floor(chance() * list.length)];
  const world = new World(names);
  for (let turn = 0; turn < 120; turn += 1) {
    const dice = chance();
    const node = pick(world.alive());
    if (dice < 0.1 && node !== undefined) world.submit(node.name);
    else if (dice < 0.2 && node !== undefined)
      world.step(node, { kind: "report", changes: [attribute(node.name, String(turn))] });
    else if (dice < 0.6) world.deliver(Math.floor(chance() * world.wire.length), chance() < 0.15);
    else if (dice < 0.66) world.wire.splice(Math.floor(chance() * world.wire.length), 1);
    else if (dice < 0.85 && node !== undefined) world.write(node);
    else if (dice < 0.92) world.tick(300);
    else if (dice < 0.95 && node !== undefined && (apart || spareable(world, node)))
      world.crash(node, Math.floor(chance() * (node.writes.length + 1)));
    else if (dice < 0.98) {
      const dead = pick(world.nodes.filter(({ store }) => store === undefined));
      if (dead !== undefined) world.start(dead, !apart || chance() < 0.5);
    } else if (apart && chance() < 0.3) {
      for (const one of world.nodes) one.settled = true;
      world.views();
    } else if (apart) {
      // Nodes of the same number hear each other; mostly all do.
      const number = names.map(() => (chance() < 0.6 ? 0 : Math.floor(chance() * names.length)));
      world.split(names.map((_, group) => names.filter((_name, at) => number[at] === group)));
    }
  }
  world.split([[...names]]);
  for (const node of world.nodes) if (node.store === undefined) world.start(node);
  world.settle();
  return world;
}

describe.each([
  ["a pair", ["a", "b"], 150],
  ["three nodes", ["a", "b", "c"], 150],
  ["five nodes", ["a", "b", "c", "d", "e"], 30],
  ["seven nodes", ["a", "b", "c", "d", "e", "f", "g"], 15],
])("%s", (_, names, seeds) => {
  test(`crashes, loss and disorder: every node ends with every acknowledged change (${seeds} seeds)`, () => {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const world = play(seed, names, false);
      const trees = names.map((name) => world.tree(name));
      expect(new Set(trees).size, `seed ${seed}: nodes differ`).toBe(1);
      const lost = world.accepted().filter((id) => !hasOption(trees[0] ?? "", id));
      expect(lost, `seed ${seed}`).toEqual([]);
    }
  });

  test(`partitions too: an acknowledged change is in force, or a conflict has kept it (${seeds} seeds)`, () => {
    let conflicts = 0;
    for (let seed = 1; seed <= seeds; seed += 1) {
      const world = play(seed, names, true);
      const trees = names.map((name) => world.tree(name));
      expect(new Set(trees).size, `seed ${seed}: nodes differ`).toBe(1);
      const kept = JSON.stringify(world.conflicts);
      const lost = world.accepted().filter((id) => !hasOption(trees[0] ?? "", id) && !hasOption(kept, id));
      expect(lost, `seed ${seed}`).toEqual([]);
      // Of a pair each half has quorum, so there one of two may have to be set aside.
      const safe = names.length === 2 ? [] : world.acceptedWithQuorum();
      const gone = safe.filter((id) => !hasOption(trees[0] ?? "", id));
      expect(gone, `seed ${seed}: acknowledged with quorum`).toEqual([]);
      conflicts += world.conflicts.length;
      for (const node of world.nodes) {
        expect(node.store?.requests, `seed ${seed}: a request without an answer`).toEqual([]);
        expect(node.disk?.head ?? "blank", `seed ${seed}: not on disk`).toBe(node.store?.stored.head);
      }
    }
    expect(conflicts).toBeGreaterThan(seeds / 8);
  });
});

test("what a part with quorum has acknowledged wins over a part without, however often that one has changed", () => {
  const world = new World(["a", "b", "c"]);
  const flow = () => {
    while (world.wire.length > 0) world.deliver(0, false);
    for (const node of world.nodes) while (node.writes.length > 0) world.write(node);
  };
  world.settle();
  world.split([["a"], ["b", "c"]]);
  for (let change = 1; change <= 9; change += 1) {
    world.submit("a");
    flow();
  }
  const quorate = world.submit("c");
  for (let times = 0; times < 5; times += 1) flow();
  expect(world.accepted()).toContain(quorate);
  world.split([["a", "b", "c"]]);
  world.settle();
  for (const { name } of world.nodes) expect(hasOption(world.tree(name), quorate), name).toBe(true);
  // What the other part had is kept beside.
  expect(world.conflicts.map(({ loserNode }) => loserNode)).toEqual(["a"]);
});

test("a DC that may not decide yet tells so, whatever the asker believes of their quorum", () => {
  const world = new World(["a", "b", "c"]);
  world.settle();
  world.split([["a", "b"], ["c"]]);
  world.settle();
  // The DC has started anew and has not heard c, so it does not know yet of any quorum; b knows of it.
  world.crash(world.node("a"), 0);
  world.start(world.node("a"), false);
  world.settle();
  const early = world.submit("b");
  world.settle();
  expect(world.accepted()).toEqual([early]);
  expect(world.acceptedWithQuorum()).toEqual([]);
  world.node("a").settled = true;
  world.views();
  const safe = world.submit("b");
  world.settle();
  for (let change = 1; change <= 9; change += 1) {
    world.submit("c");
    world.settle();
  }
  expect(world.acceptedWithQuorum()).toEqual([safe]);
  world.split([["a", "b", "c"]]);
  world.settle();
  for (const { name } of world.nodes) expect(hasOption(world.tree(name), safe), name).toBe(true);
});

test("a node that a fresh DC wanted to add is left as it is by a DC that has it", () => {
  const world = new World(["a", "b"]);
  world.settle();
  const node = (children: readonly XmlElement[], id = "1") => xml("node", { id, uname: "a" }, children);
  const standby = xml("instance_attributes", { id: "nodes-1" }, [
    xml("nvpair", { id: "s", name: "standby", value: "on" }),
  ]);
  world.submit("a", [{ kind: "set", parent: "nodes", element: node([standby]) }]);
  world.settle();
  const before = world.tree("b");
  for (const element of [node([]), node([], "7")]) world.submit("b", [{ kind: "add", parent: "nodes", element }]);
  world.settle();
  expect(world.tree("b")).toContain('"standby"');
  expect(world.accepted()).toHaveLength(3);
  expect(world.tree("b")).toBe(before);
});

test("a join descends from both sides, however much each of them has changed and whatever came before", () => {
  const shared = ["blank", "first"];
  const side = (name: string, changes: number): StoredCib => {
    const heads = Array.from({ length: changes }, (_, at) => `${name}-${at + 1}`);
    const lineage = heads.reduce<readonly string[]>(growLineage, shared);
    const head = heads.at(-1) ?? "first";
    const version = { adminEpoch: 0, epoch: changes };
    return {
      version,
      head,
      lineage,
      confirmedHead: head,
      quorateHead: head,
      quorateVersion: version,
      configuration: xml("configuration"),
      history: [],
    };
  };
  for (const [mine, theirs] of [
    [300, 300],
    [300, 1],
    [3, 400],
  ] as const) {
    const [one, two] = [side("a", mine), side("b", theirs)];
    const merge = mergeStored(one, two, "b", "a", "joined");
    if (merge.kind !== "join") throw new Error(merge.kind);
    for (const old of [one, two]) expect(compareLineage(old, merge.stored)).toBe("newer");
    // Those who were away meanwhile are still known after a hundred changes more.
    const later = Array.from({ length: 100 }, (_, at) => `late-${at}`).reduce(growLineage, [...merge.stored.lineage]);
    for (const old of [one, two])
      expect(compareLineage(old, { ...merge.stored, head: "late-99", lineage: later })).toBe("newer");
  }
});

test("a part that was alone for longer than names are kept does not win over what was acknowledged meanwhile", () => {
  const changed = (name: string, changes: number, quorate: Pick<StoredCib, "quorateHead" | "quorateVersion">) => {
    const names = Array.from({ length: changes }, (_, at) => `${name}-${at + 1}`);
    const head = `${name}-${changes}`;
    const content: StoredCib = {
      version: { adminEpoch: 0, epoch: changes + 2 },
      head,
      lineage: names.reduce<readonly string[]>(growLineage, ["blank", "first", "shared"]),
      confirmedHead: head,
      ...quorate,
      configuration: xml("configuration"),
      history: [],
    };
    return content;
  };
  // Both have changed so often that neither knows the last name that they shared, and c more often than the others.
  const quorate = changed("a", 300, { quorateHead: "a-300", quorateVersion: { adminEpoch: 0, epoch: 302 } });
  const alone = changed("c", 400, { quorateHead: "shared", quorateVersion: { adminEpoch: 0, epoch: 2 } });
  expect(winnerOf(quorate, alone)).toBe(quorate);
  expect(winnerOf(alone, quorate)).toBe(quorate);
});

test("a change is acknowledged only when both disks have it, and know that both have it", () => {
  const world = new World(["a", "b"]);
  world.settle();
  const id = world.submit("b");
  const [a, b] = [world.node("a"), world.node("b")];
  while (world.wire.length > 0) world.deliver(0, false);
  world.write(a);
  while (world.wire.length > 0) world.deliver(0, false);
  expect(world.accepted()).toEqual([]);
  world.write(b);
  while (world.wire.length > 0) world.deliver(0, false);
  for (const node of [a, b]) {
    expect(world.accepted()).toEqual([]);
    world.write(node);
    while (world.wire.length > 0) world.deliver(0, false);
  }
  expect(world.accepted()).toEqual([id]);
  for (const { disk } of [a, b]) expect(disk?.quorateHead).toBe(disk?.head);
});

test("what was acknowledged with quorum wins over a part alone, even if nothing but the disks is left of it", () => {
  const world = new World(["a", "b", "c"]);
  world.settle();
  world.split([["a"], ["b", "c"]]);
  for (let change = 1; change <= 9; change += 1) {
    world.submit("a");
    world.settle();
  }
  const quorate = world.submit("c");
  for (let times = 0; times < 100 && !world.accepted().includes(quorate); times += 1) {
    if (world.wire.length > 0) world.deliver(0, false);
    else for (const node of world.nodes) world.write(node);
  }
  expect(world.acceptedWithQuorum()).toEqual([quorate]);
  // The very moment that the asker is told, both lose their power.
  for (const name of ["b", "c"]) world.crash(world.node(name), 0);
  for (const name of ["b", "c"]) world.start(world.node(name));
  world.split([["a", "b", "c"]]);
  world.settle();
  for (const { name } of world.nodes) expect(hasOption(world.tree(name), quorate), name).toBe(true);
});

/** Until nothing moves, without the passing of any time. */
function flow(world: World): void {
  for (let round = 0; round < 100; round += 1) {
    while (world.wire.length > 0) world.deliver(0, false);
    for (const node of world.nodes) while (node.writes.length > 0) world.write(node);
  }
}

test("five nodes: a copy that never heard of its confirmation cannot be set aside as if it had not been", () => {
  const world = new World(["a", "b", "c", "d", "e"]);
  world.settle();
  world.split([["a", "b", "c"], ["d"], ["e"]]);
  world.settle();
  // E changes alone, and more often than the others.
  for (let change = 1; change <= 9; change += 1) {
    world.submit("e");
    world.settle();
  }
  // All of the majority have the change on disk; then c is cut off before it hears that it was confirmed.
  const id = world.submit("b");
  while (!world.wire.some(({ text }) => text.includes("cib-confirmed"))) {
    if (world.wire.length > 0) world.deliver(0, false);
    else for (const node of world.nodes) world.write(node);
  }
  expect(world.accepted()).not.toContain(id);
  world.split([
    ["a", "b", "d"],
    ["c", "e"],
  ]);
  flow(world);
  world.settle();
  expect(world.acceptedWithQuorum()).toEqual([id]);
  // What c and e have joined to may not pass for something newer.
  world.split([["a", "b", "c", "d", "e"]]);
  world.settle();
  for (const { name } of world.nodes) expect(hasOption(world.tree(name), id), name).toBe(true);
});

test("a note of the quorum that was lost is made good", () => {
  const world = new World(["a", "b"]);
  world.settle();
  const id = world.submit("a");
  while (!world.wire.some(({ text }) => text.includes("cib-confirmed"))) {
    if (world.wire.length > 0) world.deliver(0, false);
    else for (const node of world.nodes) world.write(node);
  }
  world.wire = [];
  world.settle();
  expect(world.accepted()).toEqual([id]);
});

test("the DC dies between its own disk and the answer: the change is done once, by the survivor", () => {
  const world = new World(["a", "b"]);
  world.settle();
  const id = world.submit("b");
  while (world.wire.length > 0) world.deliver(0, false);
  world.crash(world.node("a"), 0);
  world.settle();
  expect(world.acceptedWithQuorum()).toEqual([id]);
  const { disk } = world.node("b");
  expect(disk?.quorateHead).toBe(disk?.head);
  world.start(world.node("a"));
  world.settle();
  expect(world.node("a").store?.stored.version.epoch).toBe(1);
  expect(hasOption(world.tree("a"), id)).toBe(true);
});

test("status changes reach the DC in order and come back to every member", () => {
  const world = new World(["a", "b", "c"]);
  world.settle();
  const resource = { id: "ip", class: "ocf", provider: "heartbeat", type: "IPaddr2" };
  const b = world.node("b");
  for (const rc of ["0", "7"])
    world.step(b, {
      kind: "report",
      changes: [{ kind: "set-operation", node: "b", resource, operation: operationOf("ip_last_0", rc) }],
    });
  // The second report overtakes the first.
  world.deliver(1, false);
  world.settle();
  for (const name of ["a", "b", "c"]) {
    expect(world.tree(name)).toContain('"id":"ip_last_0","rc-code":"7"');
    expect(world.tree(name)).not.toContain('"rc-code":"0"');
  }
  expect(new Set(["a", "b", "c"].map((name) => world.tree(name))).size).toBe(1);
  expect(world.node("a").disk === undefined || !JSON.stringify(world.node("a").disk).includes("ip_last_0")).toBe(true);
});

test("an attribute that is told again as it is makes no new status; another value, and its end, do", () => {
  const world = new World(["a", "b"]);
  const told = (value: string | null) => {
    const change: StatusChange = { kind: "set-attribute", node: "b", name: "master-data", value };
    world.step(world.node("b"), { kind: "report", changes: [change] });
    world.settle();
    return [world.node("a").store?.numUpdates, world.node("b").store?.numUpdates];
  };
  world.settle();
  const [start = 0] = [world.node("a").store?.numUpdates];
  const values = ["10000", "10000", "10", "10000", null, null];
  expect(values.map((value) => told(value).map((updates) => (updates ?? 0) - start))).toEqual(
    [1, 1, 2, 3, 4, 4].map((updates) => [updates, updates]),
  );
  expect(world.tree("b")).not.toContain("master-data");
});

test("history tells who, from where and what", () => {
  const world = new World(["a"]);
  const id = world.submit("a");
  world.settle();
  expect(world.node("a").disk?.history).toEqual([
    {
      requestId: id,
      version: { adminEpoch: 0, epoch: 1 },
      origin: { who: "root", from: "a: test", wallMs: 0 },
      // With all that came in it: a conflict that told the set alone would not say which option was lost.
      diff: [
        "+ cluster_property_set cib-bootstrap-options",
        `+ nvpair cib-bootstrap-options-x-${id} name="x-${id}" value="1"`,
      ],
    },
  ]);
});
