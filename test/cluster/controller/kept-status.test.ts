/** kill -9 of managers: what the status section says and no executor would tell again must not go with them. */
import { expect, test } from "vitest";
import { printXml, xml } from "../../../src/base/xml.ts";
import { nodeState } from "../../../src/cluster/core/controller/cib-read.ts";
import { nodeCib, nodeKeptStatus } from "../../../src/cluster/core/controller/node-core.ts";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";
import { Cluster, honestAgent, obedientFence } from "./pair.ts";

const TICKET = `<rsc_ticket id="t" rsc="ip" ticket="site" loss-policy="stop"/>`;
const LOCKS = `<cluster_property_set id="o"><nvpair id="o-l" name="shutdown-lock" value="1"/></cluster_property_set>`;

function start(options: string, constraints: string): Cluster {
  const text = `<crm_config>${options}</crm_config>
    <nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>
    <resources><primitive id="ip" class="ocf" provider="gemel" type="Dummy"/>
      <primitive id="device" class="stonith" type="external/ipmi"/></resources>
    <constraints>${constraints}</constraints>`;
  const cluster = new Cluster(["alpha", "bravo"], text, { schedule, agent: honestAgent, fence: obedientFence });
  cluster.run(5_000);
  return cluster;
}

const statusOn = (cluster: Cluster, node: string) =>
  printXml(nodeCib(cluster.machine(node).state).children.find(({ name }) => name === "status") ?? xml("status"));

// Alpha, the lower name, is the DC, and becomes it again at once.
test.each([["alpha"], ["bravo"], ["alpha", "bravo"]])(
  "tickets and attributes outlive the managers: %s %s",
  (...dead) => {
    const cluster = start("", TICKET);
    expect(cluster.whereRuns("ip")).toEqual([]);
    cluster.feed("alpha", {
      kind: "report",
      changes: [
        { kind: "set-ticket", ticket: "site", attributes: { granted: "true" } },
        { kind: "set-attribute", node: "alpha", name: "fail-count-ip#monitor_10000", value: "3" },
        { kind: "set-attribute", node: "bravo", name: "shelf", value: "7" },
      ],
    });
    cluster.run(5_000);
    expect(cluster.whereRuns("ip")).toEqual(["alpha"]);
    const before = cluster.operations.length;
    for (const node of dead) cluster.restartManager(node);
    cluster.run(10_000);
    for (const node of ["alpha", "bravo"]) {
      expect(statusOn(cluster, node)).toContain(`<ticket_state id="site" granted="true"/>`);
      expect(statusOn(cluster, node)).toContain(`name="fail-count-ip#monitor_10000" value="3"`);
      expect(statusOn(cluster, node)).toContain(`name="shelf" value="7"`);
    }
    expect(cluster.whereRuns("ip")).toEqual(["alpha"]);
    expect(cluster.operations.slice(before).filter((line) => line.includes("ip_st"))).toEqual([]);
  },
);

test("what waits for a node that was shut down waits on when the only manager is started anew", () => {
  const cluster = start(LOCKS, "");
  const [home] = cluster.whereRuns("ip");
  cluster.feed("alpha", { kind: "stop", hasForerunner: false });
  cluster.run(20_000);
  expect([home, cluster.machine("alpha").left]).toEqual(["alpha", true]);
  cluster.restartManager("bravo");
  cluster.run(600_000);
  expect(cluster.whereRuns("ip")).toEqual([]);
  expect(cluster.fenced).toEqual([]);
  cluster.boot("alpha");
  cluster.tellViews();
  cluster.run(20_000);
  expect(cluster.whereRuns("ip")).toEqual(["alpha"]);
  expect(statusOn(cluster, "bravo")).not.toContain("shutdown-lock");
});

test("what was set until a reboot ends with it, also when the manager that noted it is new", () => {
  const cluster = start("", "");
  cluster.feed("alpha", {
    kind: "report",
    changes: [{ kind: "set-attribute", node: "bravo", name: "shelf", value: "7" }],
  });
  cluster.run(1_000);
  cluster.kill("bravo");
  cluster.restartManager("alpha");
  cluster.tellViews();
  cluster.run(5_000);
  expect(cluster.fenced).toEqual(["bravo"]);
  cluster.boot("bravo");
  cluster.tellViews();
  cluster.run(20_000);
  expect(statusOn(cluster, "alpha")).not.toContain("shelf");
});

test("a note says of no node that it is down, and of tickets only what the DC knew", () => {
  const cluster = start("", "");
  cluster.feed("alpha", {
    kind: "report",
    changes: [
      { kind: "set-ticket", ticket: "site", attributes: { granted: "true" } },
      { kind: "set-attribute", node: "bravo", name: "shelf", value: "7" },
    ],
  });
  cluster.run(1_000);
  const noted = (node: string) => nodeKeptStatus(cluster.machine(node).state);
  const standing = nodeState(xml("cib", {}, [noted("alpha")]), "bravo")?.attributes;
  expect(standing).toEqual({ id: "2", uname: "bravo", join: "member", expected: "member", generation: "1" });
  expect(printXml(noted("alpha"))).toContain("ticket_state");
  expect(printXml(noted("bravo"))).not.toContain("ticket_state");
});
