/** A node that does only so many operations at once, and has more to do than it can within their timeouts. */
import { expect, test } from "vitest";
import { Cluster, honestAgent, obedientFence } from "./pair.ts";
import { simpleSchedule } from "./simple-schedule.ts";

const START_MS = 15_000;
const ids = Array.from({ length: 16 }, (_, at) => `r${at}`);
const primitives = ids.map((id) => `<primitive id="${id}" class="ocf" provider="gemel" type="Dummy"/>`).join("");
const CONFIGURATION = `
  <crm_config><cluster_property_set id="o"/></crm_config>
  <nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>
  <resources>${primitives}</resources><constraints/>`;

/** Twice as loaded as it may be: two starts at once. */
function start(): Cluster {
  const cluster = new Cluster(["alpha", "bravo"], CONFIGURATION, {
    schedule: simpleSchedule,
    agent: (node, run, world) => ({
      ...honestAgent(node, run, world),
      afterMs: run.operation === "start" ? START_MS : 5,
    }),
    fence: obedientFence,
  });
  for (const name of ["alpha", "bravo"]) cluster.feed(name, { kind: "load", load: 4 });
  return cluster;
}

test("what waits its turn on a loaded node for longer than its guard is neither given up nor done twice", () => {
  const cluster = start();
  cluster.run((ids.length / 2) * START_MS + 1_000);
  expect(cluster.log.filter((line) => line.includes("was never answered"))).toEqual([]);
  expect(cluster.operations.filter((line) => line.includes("_start_"))).toHaveLength(ids.length);
  expect(ids.map((id) => cluster.whereRuns(id).join())).toEqual(ids.map(() => "alpha"));
});

test("a peer that dies meanwhile is fenced when what runs has ended: what waits its turn is not waited for", () => {
  const cluster = start();
  cluster.run(5_000);
  cluster.kill("bravo");
  cluster.tellViews();
  cluster.run(START_MS);
  expect(cluster.fenced).toEqual(["bravo"]);
});
