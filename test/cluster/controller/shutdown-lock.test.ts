/** `shutdown-lock` as a pair lives it: who leaves in order finds its resources waiting, for as long as was said. */
import { expect, test } from "vitest";
import { nodeState } from "../../../src/cluster/core/controller/cib-read.ts";
import { nodeCib } from "../../../src/cluster/core/controller/node-core.ts";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";
import { Cluster, honestAgent, obedientFence } from "./pair.ts";

const other = { alpha: "bravo", bravo: "alpha" } as const;
const option = (name: string, value: string) => `<nvpair id="o-${name}" name="${name}" value="${value}"/>`;

/** It begins on `node`, where it sticks; from the second minute on it would rather start on the other one. */
const CONFIGURATION = (options: string, node: "alpha" | "bravo") => `
  <crm_config><cluster_property_set id="o">${options}</cluster_property_set></crm_config>
  <nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>
  <resources><primitive id="ip" class="ocf" provider="gemel" type="Dummy">
    <meta_attributes id="m"><nvpair id="m-s" name="resource-stickiness" value="1000"/></meta_attributes></primitive>
  <primitive id="device" class="stonith" type="external/ipmi"/></resources>
  <constraints><rsc_location id="l" rsc="ip" node="${other[node]}" score="100"/>
    <rsc_location id="f" rsc="ip"><rule id="r" score="200"><expression id="e" attribute="#uname" operation="eq"
      value="${node}"/><date_expression id="d" operation="lt" end="2026-01-01 00:01:00Z"/></rule></rsc_location>
  </constraints>`;

const LOCKED = option("shutdown-lock", "true");

function start(node: "alpha" | "bravo", options = LOCKED): Cluster {
  const text = CONFIGURATION(options, node);
  const cluster = new Cluster(["alpha", "bravo"], text, { schedule, agent: honestAgent, fence: obedientFence });
  cluster.run(5_000);
  expect(cluster.whereRuns("ip")).toEqual([node]);
  return cluster;
}

function leave(cluster: Cluster, node: string): void {
  cluster.feed(node, { kind: "stop", hasForerunner: false });
  cluster.run(20_000);
  expect(cluster.machine(node).left).toBe(true);
}

const recorded = (cluster: Cluster, at: string, node: string) =>
  JSON.stringify(nodeState(nodeCib(cluster.machine(at).state), node));

// The DC, which is alpha, and the one that follows it.
test.each(["alpha", "bravo"] as const)("what ran on %s waits for it, and runs there when it is back", (node) => {
  const cluster = start(node);
  leave(cluster, node);
  cluster.run(3_600_000);
  expect(cluster.whereRuns("ip")).toEqual([]);
  // Its history is dropped with its goodbye, all but the lock; the instant is that of its wish to leave.
  expect(recorded(cluster, other[node], node)).toContain(`"shutdown-lock":"${Date.UTC(2026, 0, 1) / 1_000 + 5}"`);
  expect(recorded(cluster, other[node], node)).not.toContain("lrm_rsc_op");
  cluster.boot(node);
  cluster.tellViews();
  cluster.run(20_000);
  expect(cluster.whereRuns("ip")).toEqual([node]);
  expect(recorded(cluster, other[node], node)).not.toContain("shutdown-lock");
  const probed = cluster.operations.filter((line) => line.endsWith(`${node} ip_monitor_0`));
  expect(probed).toHaveLength(2);
});

test("without the option it is taken over at once", () => {
  const cluster = start("alpha", "");
  leave(cluster, "alpha");
  expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
});

test("a limit frees it by the clock alone, and the lock is gone from the record of the node that is away", () => {
  const cluster = start("alpha", LOCKED + option("shutdown-lock-limit", "10min"));
  leave(cluster, "alpha");
  cluster.run(9 * 60_000);
  expect(cluster.whereRuns("ip")).toEqual([]);
  cluster.run(60_000);
  expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
  expect(recorded(cluster, "bravo", "alpha")).not.toContain("shutdown-lock");
});

test("an operator frees it by forgetting what is recorded of it on the node that is away", () => {
  const cluster = start("alpha");
  leave(cluster, "alpha");
  cluster.feed("bravo", { kind: "cleanup", resource: "ip", node: "alpha" });
  cluster.run(5_000);
  expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
});

test("a node that dies locks nothing: its resources are taken over once it is fenced", () => {
  const cluster = start("alpha");
  cluster.kill("alpha");
  cluster.tellViews();
  cluster.run(5_000);
  expect(cluster.fenced).toEqual(["alpha"]);
  expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
});

test.each([
  ["once it is fenced", "", ["alpha"]],
  ["at once where fencing is disabled", option("stonith-enabled", "false"), []],
])("nor does one that comes back and dies before it has started anything: taken over %s", (_when, options, fenced) => {
  const cluster = start("alpha", LOCKED + options);
  leave(cluster, "alpha");
  cluster.boot("alpha");
  cluster.tellViews();
  cluster.run(1);
  cluster.kill("alpha");
  cluster.tellViews();
  cluster.run(30_000);
  expect(cluster.fenced).toEqual(fenced);
  expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
});
