/** Unfencing at the DC: a node keeps by what it was let in, and is let in again when that was changed. */
import { expect, test } from "vitest";
import { nodeState, transientAttributes } from "../../../src/cluster/core/controller/cib-read.ts";
import { nodeCib } from "../../../src/cluster/core/controller/node-core.ts";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";
import { Cluster, honestAgent } from "./pair.ts";

const CONFIGURATION = `
  <crm_config/><nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>
  <resources><primitive id="door" class="stonith" type="fence_scsi">
    <meta_attributes id="m"><nvpair id="m1" name="provides" value="unfencing"/></meta_attributes>
    <instance_attributes id="i"><nvpair id="i1" name="devices" value="/dev/sda"/></instance_attributes></primitive>
  <primitive id="ip" class="ocf" provider="gemel" type="Dummy"/></resources><constraints/>`;

function start(fence: { afterMs: number }): Cluster {
  const cluster = new Cluster(["alpha", "bravo"], CONFIGURATION, {
    schedule,
    agent: honestAgent,
    fence: () => ({ result: "confirmed", kills: false, ...fence }),
  });
  cluster.run(10_000);
  return cluster;
}

const attributesOf = (cluster: Cluster, node: string) =>
  transientAttributes(nodeState(nodeCib(cluster.machine("alpha").state), node));

test("each node is let in once, keeps the digests, and once more when the device was changed", () => {
  const cluster = start({ afterMs: 500 });
  expect([...cluster.fenced].sort()).toEqual(["alpha", "bravo"]);
  const before = attributesOf(cluster, "bravo");
  expect(before).toMatchObject({ "#digests-all": expect.stringMatching(/^door:fence_scsi:[0-9a-f]{32},$/) });
  expect(attributesOf(cluster, "alpha")["#digests-all"]).toBe(before["#digests-all"]);
  cluster.run(60_000);
  expect(cluster.fenced).toHaveLength(2);
  const origin = { who: "root", from: "alpha: a test", wallMs: 0 };
  const change = { kind: "set-attributes", target: "i1", attributes: { value: "/dev/sdb" } } as const;
  cluster.feed("alpha", { kind: "submit", request: { requestId: "r1", operations: [change], origin } });
  cluster.run(10_000);
  expect([...cluster.fenced].sort()).toEqual(["alpha", "alpha", "bravo", "bravo"]);
  expect(attributesOf(cluster, "bravo")["#digests-all"]).not.toBe(before["#digests-all"]);
  const story = cluster.operations.filter((line) => / ip_(start|stop)_0$/.test(line)).map((line) => line.split(" ")[2]);
  expect(story).toEqual(["ip_start_0", "ip_stop_0", "ip_start_0"]);
  cluster.run(60_000);
  expect(cluster.fenced).toHaveLength(4);
});
