/** A promotion that is under way when its DC goes: what stands on it waits for its end. */
import { expect, test } from "vitest";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";
import { Cluster, honestAgent, obedientFence } from "./pair.ts";

const node = (id: number, name: string, score: number) =>
  `<node id="${id}" uname="${name}"><instance_attributes id="n${id}">
    <nvpair id="n${id}-m" name="master-disk" value="${score}"/></instance_attributes></node>`;
const CONFIGURATION = `
  <crm_config><cluster_property_set id="o">
    <nvpair id="o-f" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
  <nodes>${node(1, "alpha", 10)}${node(2, "bravo", 5)}</nodes>
  <resources>
    <clone id="mirror"><meta_attributes id="m"><nvpair id="m-p" name="promotable" value="true"/></meta_attributes>
      <primitive id="disk" class="ocf" provider="gemel" type="Stateful"/></clone>
    <primitive id="mount" class="ocf" provider="gemel" type="Dummy"/>
  </resources>
  <constraints>
    <rsc_colocation id="c" rsc="mount" with-rsc="mirror" with-rsc-role="Promoted" score="INFINITY"/>
    <rsc_order id="order" first="mirror" first-action="promote" then="mount" then-action="start"/>
  </constraints>`;

const PROMOTION_MS = 12_000;

test("a DC leaves while its last promotion runs: the next one mounts when that has ended", () => {
  const cluster = new Cluster(["alpha", "bravo"], CONFIGURATION, {
    schedule,
    agent: (name, run, all) => {
      const isSlow = run.operation === "promote" && name === "bravo";
      return { ...honestAgent(name, run, all), afterMs: isSlow ? PROMOTION_MS : 5 };
    },
    fence: obedientFence,
  });
  cluster.run(10_000);
  expect(cluster.whereRuns("mount")).toEqual(["alpha"]);
  cluster.feed("alpha", { kind: "stop", hasForerunner: false });
  cluster.run(60_000);
  expect(cluster.whereRuns("mount")).toEqual(["bravo"]);
  const at = (what: string) => Number(cluster.operations.find((line) => line.endsWith(what))?.split(" ")[0]);
  expect(at("bravo mount_start_0")).toBeGreaterThanOrEqual(at("bravo disk_promote_0") + PROMOTION_MS);
  expect(cluster.fenced).toEqual([]);
});
