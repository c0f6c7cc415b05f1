/** The controller, executor and store cores of a pair together: what is taken over, when, and what never is. */
import { expect, test } from "vitest";
import { nodeState, transientAttributes } from "../../../src/cluster/core/controller/cib-read.ts";
import { nodeCib } from "../../../src/cluster/core/controller/node-core.ts";
import { Cluster, honestAgent, obedientFence, type World } from "./pair.ts";
import { simpleSchedule } from "./simple-schedule.ts";

const option = (name: string, value: string) => `<nvpair id="o-${name}" name="${name}" value="${value}"/>`;
const CONFIGURATION = (options = "") => `
  <crm_config><cluster_property_set id="o">${options}</cluster_property_set></crm_config>
  <nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>
  <resources><primitive id="ip" class="ocf" provider="gemel" type="Dummy"/></resources><constraints/>`;

function start(world: Partial<World> = {}, options = ""): Cluster {
  const whole: World = { schedule: simpleSchedule, agent: honestAgent, fence: obedientFence, ...world };
  const cluster = new Cluster(["alpha", "bravo"], CONFIGURATION(options), whole);
  cluster.run(5_000);
  return cluster;
}

/** The DCs that the living nodes name. */
function dcs(cluster: Cluster): readonly (string | null)[] {
  return Object.values(cluster.machines)
    .filter(({ alive, left }) => alive && !left)
    .map(({ state }) => state.controller.election.dc);
}

function firstStart(cluster: Cluster, node: string, resource: string): number {
  const found = cluster.operations.find((line) => line.endsWith(`${node} ${resource}_start_0`));
  return Number(found?.split(" ")[0] ?? Number.NaN);
}

test("a pair elects the lower name, probes on both sides and starts once", () => {
  const cluster = start();
  expect(dcs(cluster)).toEqual(["alpha", "alpha"]);
  expect(cluster.whereRuns("ip")).toEqual(["alpha"]);
  expect(cluster.operations.filter((line) => line.endsWith("ip_monitor_0"))).toHaveLength(2);
  expect(cluster.operations.filter((line) => line.includes("_start_"))).toHaveLength(1);
  expect(cluster.fenced).toEqual([]);
});

test("a node that was set up anew changes nothing before it is settled, or its peer would have a conflict", () => {
  const whole: World = { schedule: simpleSchedule, agent: honestAgent, fence: obedientFence };
  const cluster = new Cluster(["alpha", "bravo"], CONFIGURATION().replace(/<nodes>.*<\/nodes>/, "<nodes/>"), whole);
  const alone = { members: ["alpha"], peers: [], links: [], agreed: true, settled: false, quorate: false };
  cluster.feed("alpha", { kind: "view", view: { self: "alpha", generation: 1, epoch: 1, ...alone } });
  expect(dcs(cluster)[0]).toBe("alpha");
  expect(cluster.machine("alpha").state.store.stored.head).toBe("h1");
  cluster.run(5_000);
  expect(cluster.whereRuns("ip")).toEqual(["alpha"]);
  const histories = Object.values(cluster.machines).map(({ state }) => state.store.stored.history);
  expect(histories.map((entries) => entries.length)).toEqual([1, 1]);
  expect(histories[0]?.[0]?.diff).toEqual(['+ node 1 uname="alpha"', '+ node 2 uname="bravo"']);
});

test("the active node dies: fenced first, then taken over", () => {
  const cluster = start();
  cluster.kill("alpha");
  cluster.tellViews();
  cluster.run(400);
  expect(cluster.whereRuns("ip")).toEqual([]);
  cluster.run(200);
  expect(cluster.fenced).toEqual(["alpha"]);
  expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
  expect(dcs(cluster)).toEqual(["bravo"]);
  cluster.run(60_000);
  expect(cluster.fenced).toEqual(["alpha"]);
});

test.each(["not-done", "unknown"] as const)(
  "a fencing that ends %s lets nothing be taken over, and is tried again",
  (outcome) => {
    const cluster = start({ fence: () => ({ result: outcome, afterMs: 500 }) });
    cluster.kill("alpha");
    cluster.tellViews();
    cluster.run(120_000);
    expect(cluster.whereRuns("ip")).toEqual([]);
    const attempts = cluster.log.filter((line) => line.includes("warning: fencing of alpha"));
    expect(attempts.length).toBeGreaterThan(3);
    expect(attempts.length).toBeLessThan(40);
  },
);

test("a pair cut in two with fencing that works for nobody: what ran, runs on, and nothing is taken over", () => {
  const cluster = start({ fence: () => ({ result: "not-done", afterMs: 100 }) });
  cluster.cutLinks();
  cluster.tellViews();
  cluster.run(30_000);
  expect(cluster.whereRuns("ip")).toEqual(["alpha"]);
  cluster.joinLinks();
  cluster.tellViews();
  cluster.run(30_000);
  expect(new Set(dcs(cluster)).size).toBe(1);
  expect(cluster.whereRuns("ip")).toEqual(["alpha"]);
  const operations = cluster.operations.filter((line) => /ip_(start|stop)_/.test(line));
  expect(operations).toHaveLength(1);
});

test("a cut pair without fencing runs on both sides, says so, and comes back to one after the links are joined", () => {
  const cluster = start({}, option("stonith-enabled", "false"));
  cluster.cutLinks();
  cluster.tellViews();
  cluster.run(5_000);
  expect(cluster.whereRuns("ip")).toEqual(["alpha", "bravo"]);
  cluster.joinLinks();
  cluster.tellViews();
  cluster.run(10_000);
  expect(cluster.whereRuns("ip")).toHaveLength(1);
});

test("fencing disabled: taken over without, and said loudly", () => {
  const cluster = start({}, option("stonith-enabled", "false"));
  cluster.kill("alpha");
  cluster.tellViews();
  cluster.run(50);
  expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
  expect(cluster.log.join("\n")).toContain("FENCING IS DISABLED");
});

test("the fenced node comes back, joins, is probed, and is not given the resource", () => {
  const cluster = start();
  cluster.kill("alpha");
  cluster.tellViews();
  cluster.run(2_000);
  cluster.boot("alpha");
  cluster.tellViews();
  cluster.run(5_000);
  // The DC that did the work stays it, though the name that has come back is lower.
  expect(dcs(cluster)).toEqual(["bravo", "bravo"]);
  expect(cluster.log.filter((line) => line.includes("bravo is the DC"))).toHaveLength(2);
  expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
  expect(nodeState(nodeCib(cluster.machine("bravo").state), "alpha")?.attributes).toMatchObject({
    in_ccm: "true",
    crmd: "online",
    join: "member",
    expected: "member",
  });
  expect(cluster.fenced).toEqual(["alpha"]);
});

test("a manager that comes up later than its keeper is heard is asked again as soon as it follows the DC", () => {
  const cluster = start();
  cluster.kill("bravo");
  cluster.tellViews();
  cluster.run(2_000);
  cluster.boot("bravo");
  cluster.tellViews();
  cluster.run(0);
  // What the DC asks at the sight of the new member is lost.
  cluster.machine("bravo").alive = false;
  cluster.run(1);
  cluster.machine("bravo").alive = true;
  const hasJoined = () => cluster.log.some((line) => line.endsWith("alpha info: bravo has joined") && isLate(line));
  const bootedAtMs = cluster.nowMs;
  const isLate = (line: string) => Number(line.split(" ")[0]) >= bootedAtMs;
  cluster.run(100);
  expect(hasJoined()).toBe(false);
  // A hello goes out each second; the DC's next try of itself would come after five.
  cluster.run(2_000);
  expect(hasJoined()).toBe(true);
});

test("the DC dies in the middle of a transition: the survivor finishes the work", () => {
  const slow: World["agent"] = (node, run, cluster) => ({
    ...honestAgent(node, run, cluster),
    afterMs: run.operation === "start" ? 3_000 : 5,
  });
  const cluster = start({ agent: slow });
  cluster.kill("alpha");
  cluster.tellViews();
  cluster.run(10_000);
  expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
});

test("a start that fails on one node is counted as fatal and made on the other", () => {
  const failing: World["agent"] = (node, run, cluster) =>
    node === "alpha" && run.operation === "start" ? { code: 1, afterMs: 5 } : honestAgent(node, run, cluster);
  const cluster = start({ agent: failing });
  expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
  const attributes = transientAttributes(nodeState(nodeCib(cluster.machine("bravo").state), "alpha"));
  expect(attributes["fail-count-ip#start_0"]).toBe("INFINITY");
});

test("a manager that is killed comes back: its resources run on and are found by probes", () => {
  for (const node of ["alpha", "bravo"]) {
    const cluster = start();
    const before = cluster.operations.length;
    cluster.restartManager(node);
    cluster.run(10_000);
    expect(cluster.whereRuns("ip")).toEqual(["alpha"]);
    const after = cluster.operations.slice(before);
    expect(after.some((line) => line.endsWith(`${node} ip_monitor_0`))).toBe(true);
    expect(after.filter((line) => /_(start|stop)_/.test(line))).toEqual([]);
    expect(new Set(dcs(cluster)).size).toBe(1);
    expect(cluster.fenced).toEqual([]);
  }
});

test("a node that is stopped hands over in order and leaves clean; nobody is fenced", () => {
  const cluster = start();
  cluster.feed("alpha", { kind: "stop", hasForerunner: false });
  cluster.run(5_000);
  expect(cluster.log.some((line) => line.endsWith("alpha left true"))).toBe(true);
  expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
  cluster.run(60_000);
  expect(cluster.fenced).toEqual([]);
  expect(firstStart(cluster, "bravo", "ip")).toBeGreaterThan(0);
});

test("attributes that change faster than it can decide do not keep a cluster from doing anything", () => {
  const cluster = start({ scheduleMs: 300 });
  const noise = (value: number) =>
    cluster.feed("bravo", {
      kind: "report",
      changes: [{ kind: "set-attribute", node: "bravo", name: "noise", value: String(value) }],
    });
  cluster.feed("alpha", { kind: "stop", hasForerunner: false });
  for (let value = 0; value < 600 && !cluster.machine("alpha").left; value += 1) {
    noise(value);
    cluster.run(100);
  }
  expect(cluster.machine("alpha").left).toBe(true);
  expect(cluster.log.some((line) => line.endsWith("alpha left true"))).toBe(true);
  for (let value = 1_000; value < 1_600 && cluster.whereRuns("ip").length === 0; value += 1) {
    noise(value);
    cluster.run(100);
  }
  expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
  expect(cluster.fenced).toEqual([]);
});

test("the last node stops as well", () => {
  const cluster = start();
  cluster.feed("alpha", { kind: "stop", hasForerunner: false });
  cluster.run(5_000);
  cluster.feed("bravo", { kind: "stop", hasForerunner: false });
  cluster.run(5_000);
  expect(cluster.whereRuns("ip")).toEqual([]);
  expect(cluster.machine("bravo").left).toBe(true);
});

test("a stop that hangs is waited for within one bound, however often the manager is started anew meanwhile", () => {
  const hanging: World["agent"] = (node, run, cluster) =>
    run.operation === "stop" ? { code: 0, afterMs: 24 * 3_600_000 } : honestAgent(node, run, cluster);
  const cluster = start({ agent: hanging, fence: () => ({ result: "not-done", afterMs: 500 }) });
  const left = () => cluster.log.filter((line) => line.includes("alpha left"));
  cluster.feed("alpha", { kind: "stop", hasForerunner: false });
  cluster.run(15 * 60_000);
  cluster.restartManager("alpha");
  cluster.feed("alpha", { kind: "stop", alreadyMs: 15 * 60_000, hasForerunner: true });
  cluster.run(4 * 60_000);
  expect(left()).toEqual([]);
  cluster.run(2 * 60_000);
  // Without a goodbye: what it runs is not known to have stopped.
  expect(left().map((line) => line.split(" ").slice(1).join(" "))).toEqual(["alpha left false"]);
});

test("a monitor that answers degraded is told once, and neither counted nor answered by anything", () => {
  let isDegraded = false;
  const agent: World["agent"] = (node, run, cluster) => {
    const honest = honestAgent(node, run, cluster);
    return isDegraded && run.operation === "monitor" && honest.code === 0 ? { ...honest, code: 190 } : honest;
  };
  const cluster = start({ agent });
  const before = cluster.operations.filter((line) => !line.includes("monitor"));
  isDegraded = true;
  cluster.run(60_000);
  isDegraded = false;
  cluster.run(60_000);
  const attributes = transientAttributes(nodeState(nodeCib(cluster.machine("bravo").state), "alpha"));
  expect(attributes["fail-count-ip#monitor_10000"]).toBeUndefined();
  expect(cluster.operations.filter((line) => !line.includes("monitor"))).toEqual(before);
  expect(cluster.log.filter((line) => line.includes("answers degraded (rc=190)"))).toHaveLength(1);
});

test("a monitor that fails is counted, and the DC decides anew", () => {
  const cluster = start();
  cluster.machine("alpha").running.delete("ip");
  cluster.run(15_000);
  const attributes = transientAttributes(nodeState(nodeCib(cluster.machine("bravo").state), "alpha"));
  expect(attributes["fail-count-ip#monitor_10000"]).toBe("1");
  expect(cluster.log.some((line) => line.includes("monitor of ip on alpha answered 7"))).toBe(true);
});
