/** A node that is to leave goes within its bound, whatever the others are doing. */
import { expect, test } from "vitest";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";
import { Cluster, honestAgent, type World } from "./pair.ts";

const CONFIGURATION = `
  <nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>
  <resources><primitive id="ip" class="ocf" provider="gemel" type="Dummy"/>
  <primitive id="device" class="stonith" type="meatware"/></resources>`;

function leaveAlone(fence: World["fence"], isWithdrawable: boolean, agent: World["agent"] = honestAgent): Cluster {
  const cluster = new Cluster(["alpha", "bravo"], CONFIGURATION, {
    schedule,
    agent,
    fence,
    isWithdrawable,
  });
  cluster.run(5_000);
  cluster.kill("bravo");
  cluster.tellViews();
  cluster.run(5_000);
  cluster.feed("alpha", { kind: "stop", hasForerunner: false });
  return cluster;
}

const isGone = (cluster: Cluster) => cluster.machine("alpha").left;

test("the last node does not wait for a proof of its peer's death that nobody brings", () => {
  const cluster = leaveAlone(() => ({ result: "unknown", afterMs: 1_200_000 }), true);
  cluster.run(50_000);
  expect(isGone(cluster)).toBe(false);
  expect(cluster.whereRuns("ip")).toEqual([]);
  cluster.run(15_000);
  expect(isGone(cluster)).toBe(true);
  expect(cluster.log.join("\n")).toContain("does not wait for the fencing of the others");
  expect(cluster.log.at(-1)).toMatch(/alpha left true$/);
});

test("it waits for a board that takes its time, and goes when that has answered", () => {
  const cluster = leaveAlone(() => ({ result: "confirmed", afterMs: 30_000 }), false);
  cluster.run(45_000);
  expect(cluster.fenced).toEqual(["bravo"]);
  expect(isGone(cluster)).toBe(true);
  expect(cluster.log.join("\n")).not.toContain("does not wait");
});

test("nor does it go while something runs on it", () => {
  const slow: World["agent"] = (node, run, cluster) =>
    run.operation === "stop" ? { code: 0, afterMs: 10_000_000 } : honestAgent(node, run, cluster);
  const cluster = leaveAlone(() => ({ result: "unknown", afterMs: 1_200_000 }), true, slow);
  cluster.run(120_000);
  expect(isGone(cluster)).toBe(false);
});

test("a node that hears nobody goes at once when it is told to, and has nobody fenced for it", () => {
  const fence: World["fence"] = () => ({ result: "unknown", afterMs: 1_200_000 });
  const cluster = new Cluster(["alpha", "bravo"], CONFIGURATION, { schedule, agent: honestAgent, fence });
  cluster.kill("bravo");
  const peers = [{ name: "bravo", phase: "awaited", generation: 0, returned: false }] as const;
  const alone = { self: "alpha", generation: 1, epoch: 1, members: ["alpha"], peers, links: [], agreed: true };
  cluster.feed("alpha", { kind: "view", view: { ...alone, settled: false, quorate: false } });
  cluster.feed("alpha", { kind: "stop", hasForerunner: false });
  expect(isGone(cluster)).toBe(true);
  cluster.run(10_000);
  expect(cluster.log.join("\n")).not.toContain("fencing of bravo");
});
