/** What the DC tells of a transition: its beginning and end at once, its progress now and then, and none of it late. */
import { expect, test } from "vitest";
import type { DcReport } from "../../../src/cluster/core/controller/types.ts";
import { Cluster, honestAgent, obedientFence } from "./pair.ts";
import { simpleSchedule } from "./simple-schedule.ts";

const IDS = ["a", "b", "c", "d", "e", "f", "g", "h"];
const primitive = (id: string) => `<primitive id="${id}" class="ocf" provider="gemel" type="Dummy"/>`;
const CONFIGURATION = `
  <crm_config/><nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>
  <resources>${IDS.map(primitive).join("")}</resources><constraints/>`;
/** The start of one of them takes so long; everything else a few milliseconds. */
const LONG_MS = 3_000;

test("progress is told twice a second, begin and end at once", () => {
  const told: (DcReport & { readonly atMs: number })[] = [];
  const cluster: Cluster = new Cluster(["alpha", "bravo"], CONFIGURATION, {
    schedule: simpleSchedule,
    fence: obedientFence,
    agent: (node, run, whole) => {
      const { code, afterMs } = honestAgent(node, run, whole);
      return { code, afterMs: run.resource.id === "a" && run.operation === "start" ? LONG_MS : afterMs };
    },
    say: (_from, said) => {
      const { room, message } = said;
      if (room === "controller" && message.kind === "dc-report") told.push({ ...message.report, atMs: cluster.nowMs });
      return said;
    },
  });
  cluster.run(10_000);
  const running = told.filter(({ isRunning }) => isRunning);
  const [first, second] = running;
  const end = told.at(-1);
  expect(first?.actionCount).toBeGreaterThan(2 * IDS.length);
  for (const [at, report] of running.entries()) {
    const before = running[at - 1];
    if (before?.number === report.number) expect(report.atMs - before.atMs).toBeGreaterThanOrEqual(500);
  }
  // All but the slow one was done in a moment, and nothing happened until that ended: it is told all the same.
  expect(second?.inFlight).toEqual(["a_start_0 on alpha"]);
  expect(second?.atMs).toBeLessThan(LONG_MS / 2);
  const started = cluster.operations.find((line) => line.endsWith("alpha a_start_0"));
  expect(end).toMatchObject({ isRunning: false, inFlight: [], doneCount: end?.actionCount });
  expect(end?.atMs).toBeLessThan(Number(started?.split(" ")[0]) + LONG_MS + 50);
  expect(cluster.machine("bravo").state.controller.dcReport).toEqual(
    cluster.machine("alpha").state.controller.dcReport,
  );
});
