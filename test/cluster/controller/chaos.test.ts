/**
 * Random faults on a pair of real cores, with fencing that may do anything but lie: whatever happens, no resource runs
 * on two nodes, and once the faults have ended it runs on one. What the simulator of issue 4 does at large.
 */
import { expect, test } from "vitest";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";
import { fc } from "../../support/repeatable.ts";
import { Cluster, honestAgent, type World } from "./pair.ts";

const CONFIGURATION = `
  <crm_config><cluster_property_set id="o"/></crm_config>
  <nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>
  <resources>
    <primitive id="ip" class="ocf" provider="gemel" type="Dummy">
      <operations><op id="ip-m" name="monitor" interval="10s" timeout="20s"/></operations>
    </primitive>
    <primitive id="person" class="stonith" type="meatware"/>
  </resources><constraints/>`;

const NODES = ["alpha", "bravo"] as const;

const happening = fc.record({
  kind: fc.constantFrom("power-cut", "power-on", "cut", "join", "restart-manager", "fencing", "resource-dies"),
  node: fc.constantFrom(...NODES),
  fencing: fc.constantFrom("confirmed", "not-done", "unknown", "unknown-but-off"),
  waitMs: fc.nat(8_000),
});

test("no two writers, and service again after the faults", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 15 }), (happenings) => {
      let fencing = "confirmed";
      const doubles: string[] = [];
      const world: World = {
        schedule,
        agent: (node, run, cluster) => {
          const answer = honestAgent(node, run, cluster);
          const where = cluster.whereRuns("ip");
          if (where.length > 1) doubles.push(`${cluster.nowMs}: ${where.join(" and ")}`);
          return answer;
        },
        fence: () => {
          const result = fencing === "unknown-but-off" ? "unknown" : fencing;
          const kills = fencing === "confirmed" || fencing === "unknown-but-off";
          return { result: result as "confirmed" | "not-done" | "unknown", afterMs: 700, kills };
        },
      };
      const cluster = new Cluster(NODES, CONFIGURATION, world);
      cluster.run(3_000);
      for (const { kind, node, fencing: outcome, waitMs } of happenings) {
        const isAlive = cluster.machine(node).alive;
        if (kind === "power-cut") cluster.kill(node);
        else if (kind === "power-on" && !isAlive) cluster.boot(node);
        else if (kind === "cut") cluster.cutLinks();
        else if (kind === "join") cluster.joinLinks();
        else if (kind === "restart-manager" && isAlive) cluster.restartManager(node);
        else if (kind === "resource-dies") cluster.machine(node).running.delete("ip");
        else if (kind === "fencing") fencing = outcome;
        cluster.tellViews();
        cluster.run(waitMs);
      }
      fencing = "confirmed";
      cluster.joinLinks();
      for (const node of NODES) if (!cluster.machine(node).alive) cluster.boot(node);
      cluster.tellViews();
      cluster.run(30_000);
      for (const node of NODES) if (!cluster.machine(node).alive) cluster.boot(node);
      cluster.tellViews();
      cluster.run(60_000);
      expect(doubles).toEqual([]);
      expect(cluster.whereRuns("ip"), cluster.log.slice(-60).join("\n")).toHaveLength(1);
    }),
    { numRuns: 60 },
  );
});
