/** Requests to the replicated CIB: in order, once, answered, whatever is lost on their way to the DC. */
import { expect, test } from "vitest";
import { xml } from "../../../src/base/xml.ts";
import { openConflict } from "../../../src/cluster/core/cib-store/merge.ts";
import { leaseOperations } from "../../../src/cluster/core/overrides/lease.ts";
import { World } from "./world.ts";

test("what was asked later overtakes nothing that a DC has dropped before it was one", () => {
  const world = new World(["a", "b"]);
  world.settle();
  const a = world.node("a");
  const put = (value: string) =>
    world.submit("b", [
      { kind: "set-option", target: "crm_config", setName: "cluster_property_set", name: "x", value },
    ]);
  const view = { kind: "view", members: ["a", "b"], quorate: true, tied: false } as const;
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
  const view = { kind: "view", members: ["a", "b"], quorate: true, tied: false } as const;
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
  world.step(world.node("a"), { kind: "view", members: ["a", "b"], dc: undefined, quorate: true, tied: false });
  world.submit("a");
  for (let at = 0; at < 70; at += 1) world.tick(500);
  expect(world.answers).toMatchObject([{ kind: "refused", problems: [{ reason: "there is no DC" }] }]);
});

const option = (name: string) =>
  ({ kind: "set-option", target: "crm_config", setName: "cluster_property_set", name, value: "1" }) as const;

test("what is asked for while a version is on its way makes the next one together, each answered by itself", () => {
  const world = new World(["a", "b", "c"]);
  world.settle();
  const { epoch } = world.node("a").store?.stored.version ?? { epoch: -1 };
  const first = world.submit("a", [option("first")]);
  const good = ["a", "b", "c"].map((name) => world.submit(name, [option(`of-${name}`)]));
  const bad = world.submit("b", [{ kind: "delete", target: "nobody" }]);
  const same = world.submit("c", [option("of-a")]);
  world.settle();
  expect(new Set(world.accepted())).toEqual(new Set([first, ...good, same]));
  expect(world.answers.filter(({ kind }) => kind === "refused").map(({ requestId }) => requestId)).toEqual([bad]);
  const versions = new Map(
    world.answers.flatMap((answer) => (answer.kind === "accepted" ? [[answer.requestId, answer.version.epoch]] : [])),
  );
  expect(versions.get(first)).toBe(epoch + 1);
  expect(new Set([...good, same].map((id) => versions.get(id)))).toEqual(new Set([epoch + 2]));
  for (const { store } of world.nodes) {
    const made = store?.stored.history.slice(-4) ?? [];
    expect(new Set(made.map(({ requestId }) => requestId))).toEqual(new Set([first, ...good]));
    expect(made.map(({ version }) => version.epoch)).toEqual([epoch + 1, epoch + 2, epoch + 2, epoch + 2]);
  }
});

test("no more is taken at once than the DC can check without being late for other things", () => {
  const world = new World(["a", "b"]);
  world.settle();
  const ids = Array.from({ length: 60 }, (_, index) => world.submit("a", [option(`x${index}`)]));
  world.settle();
  expect(world.accepted()).toEqual(ids);
  const sizes = Map.groupBy(world.node("b").store?.stored.history ?? [], ({ version }) => version.epoch);
  expect(Math.max(...[...sizes.values()].map(({ length }) => length))).toBe(20);
});

test("two who replace what both have read: the second is refused, at the DC, also within one version", () => {
  const world = new World(["a", "b", "c"]);
  world.settle();
  const stored = world.node("a").store?.stored;
  if (stored === undefined) throw new Error("no store");
  const version = `${stored.version.adminEpoch}.${stored.version.epoch}`;
  const replace = (name: string, value: string) => {
    const set = xml("cluster_property_set", { id: "cib-bootstrap-options" }, [
      xml("nvpair", { id: "cib-bootstrap-options-x", name: "x", value }),
    ]);
    const children = stored.configuration.children.map((child) =>
      child.name === "crm_config" ? { ...child, children: [set] } : child,
    );
    const configuration = { ...stored.configuration, children };
    return world.submit(name, [
      { kind: "expect", version },
      { kind: "replace", configuration },
    ]);
  };
  const [first, second] = [replace("b", "by-b"), replace("c", "by-c")];
  world.settle();
  const third = replace("b", "late");
  world.settle();
  const [winner] = world.accepted();
  expect([[first], [second]]).toContainEqual(world.accepted());
  expect(world.tree("a")).toContain(winner === first ? "by-b" : "by-c");
  const refused = world.answers.filter((answer) => answer.kind === "refused");
  expect(refused.map(({ requestId }) => requestId)).toContain(third);
  expect(refused).toHaveLength(2);
  expect(refused.every(({ problems }) => problems[0]?.place === "base")).toBe(true);
});

test("a conflict is told until somebody changes something, not by what the cluster does itself", () => {
  const entry = (requestId: string, who: string, epoch: number) => ({
    requestId,
    version: { adminEpoch: 0, epoch },
    origin: { who, from: "a: test", wallMs: 0 },
    diff: ["lost: - primitive x"],
  });
  const history = [entry("r1", "alice", 1), entry("conflict-a-1", "gemel", 4), entry("r2", "gemel", 5)];
  expect(openConflict(history)).toEqual({ version: "0.4", lost: 1 });
  expect(openConflict([...history, entry("r3", "bob", 6)])).toBeUndefined();
  expect(openConflict(history.slice(0, 1))).toBeUndefined();
});

test("a change asked for before its node knew of a trial does not go into it, to be lost when it goes back", () => {
  const world = new World(["a", "b"]);
  world.settle();
  const trial = { kind: "trial", subject: "0.1", endWallMs: 1_000_000, owner: "alice", reason: "" } as const;
  const tried = world.submit("a", [option("tried"), ...leaseOperations(trial)]);
  const late = world.submit("b", [option("late")]);
  world.settle();
  expect(world.accepted()).toEqual([tried]);
  const [refused] = world.answers.filter(({ kind }) => kind === "refused");
  expect(refused).toMatchObject({ requestId: late, problems: [{ reason: expect.stringContaining("trial by alice") }] });
  const confirmed = world.submit("a", [{ kind: "delete", target: '//nvpair[@name="lease.trial.0.1"]' }]);
  world.settle();
  const after = world.submit("b", [option("late")]);
  world.settle();
  expect(world.accepted()).toEqual([tried, confirmed, after]);
});

test.each([
  ["loses", false],
  ["wins", true],
])("a request without a change, in flight when a content that %s comes, gets a true answer", (_, theirsWins) => {
  const world = new World(["a", "b"]);
  world.settle();
  const put = (value: string) => world.submit("a", [{ ...option("x"), value }]);
  put("1");
  world.settle();
  const before = world.node("a").store?.stored;
  const first = world.submit("a");
  const change = world.submit("a");
  const unchanging = put("1");
  const a = world.node("a");
  const isFlying = () => a.store?.inFlight?.requests.some(({ request }) => request.requestId === unchanging);
  while (isFlying() !== true) {
    while (a.writes.length > 0) world.write(a);
    while (world.node("b").writes.length > 0) world.write(world.node("b"));
    if (isFlying() !== true) world.deliver(0, false);
  }
  if (before === undefined || a.store?.reign === undefined) throw new Error("no reign");
  const { quorateVersion } = before;
  const stored = {
    ...before,
    head: "elsewhere",
    lineage: [...before.lineage, "elsewhere"],
    quorateVersion: theirsWins ? { ...quorateVersion, epoch: quorateVersion.epoch + 9 } : quorateVersion,
    configuration: xml("configuration", {}, [xml("crm_config"), xml("nodes"), xml("resources"), xml("constraints")]),
  };
  world.step(a, {
    kind: "from-peer",
    from: "b",
    message: { kind: "cib-document", round: a.store.reign.round, stored },
  });
  world.settle();
  const refused = world.answers.filter(({ kind }) => kind === "refused").map(({ requestId }) => requestId);
  expect(refused).toEqual(theirsWins ? [change] : []);
  expect(world.accepted()).toEqual(expect.arrayContaining([first, unchanging]));
  // What was answered as in force is in force.
  for (const name of ["a", "b"]) expect(world.tree(name)).toContain('"name":"x","value":"1"');
});
