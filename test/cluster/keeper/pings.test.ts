/** Ping nodes: who is reachable, and what the cluster is told of it. */
import { expect, test } from "vitest";
import { parseXml } from "../../../src/base/xml.ts";
import {
  createPingScores,
  isToldByResource,
  pingScoresWakeAtMs,
  stepPingScores,
} from "../../../src/cluster/core/keeper/ping-scores.ts";
import {
  createReachability,
  type Reachability,
  restartReachability,
  stepReachability,
} from "../../../src/cluster/core/keeper/reachability.ts";

/** Plays answers (a name and its time) and returns what was said, with its time. */
function play(before: Reachability, steps: readonly (readonly [string | undefined, number])[]) {
  let state = before;
  const said = steps.flatMap(([name, atMs]) => {
    const stepped = stepReachability(state, name, atMs);
    state = stepped.state;
    return stepped.effects.map((effect) => `${atMs} ${effect.kind} ${"name" in effect ? effect.name : effect.count}`);
  });
  return { state, said };
}

test("a ping node is judged after deadping only, and its answer brings it back", () => {
  const start = createReachability(["gate", "mail"], 3000, 0);
  const steps = [
    ["gate", 500],
    [undefined, 2999],
    [undefined, 3000],
    ["mail", 3400],
    [undefined, 3500],
  ] as const;
  expect(play(start, steps).said).toEqual([
    "500 ping-node-alive gate",
    "3000 ping-node-dead mail",
    "3000 reachable 1",
    "3400 ping-node-alive mail",
    "3400 reachable 2",
    "3500 ping-node-dead gate",
    "3500 reachable 1",
  ]);
});

test("a node that slept does not call its ping nodes dead: nobody listened", () => {
  const { state } = play(createReachability(["gate"], 3000, 0), [["gate", 100]]);
  const woken = restartReachability(state, 60_000);
  expect(play(woken, [[undefined, 62_999]]).said).toEqual([]);
  expect(play(woken, [[undefined, 63_000]]).said).toEqual(["63000 ping-node-dead gate", "63000 reachable 0"]);
});

test("a host that dies for both sides is told for both at once, and one side's loss after it has lasted", () => {
  let state = createPingScores(0);
  const tell = (counts: Readonly<Record<string, number>>, atMs: number) => {
    const stepped = stepPingScores(state, { counts, absent: [] }, atMs, 1000);
    state = stepped.state;
    return stepped.changes.map(({ node, value }) => `${node}=${value}`);
  };
  tell({ alpha: 2, bravo: 2 }, 0);
  expect(tell({ alpha: 2, bravo: 2 }, 1000)).toEqual(["alpha=200", "bravo=200"]);
  // Alpha notices 300 ms before bravo: had it been told at once, everything would have moved to bravo.
  expect(tell({ alpha: 1, bravo: 2 }, 5000)).toEqual([]);
  expect(tell({ alpha: 1, bravo: 1 }, 5300)).toEqual([]);
  expect(pingScoresWakeAtMs(state, 1000)).toBe(6300);
  expect(tell({ alpha: 1, bravo: 1 }, 6300)).toEqual(["alpha=100", "bravo=100"]);
  expect(pingScoresWakeAtMs(state, 1000)).toBeUndefined();
  tell({ alpha: 0, bravo: 1 }, 8000);
  expect(tell({ alpha: 0, bravo: 1 }, 9000)).toEqual(["alpha=0"]);
  // Bravo leaves and comes back: its attribute went with it and is told again.
  tell({ alpha: 0 }, 10_000);
  tell({ alpha: 0, bravo: 1 }, 20_000);
  expect(tell({ alpha: 0, bravo: 1 }, 21_000)).toEqual(["bravo=100"]);
  // Another node leads now; when we lead again, everything is told anew.
  tell({}, 30_000);
  tell({ alpha: 0, bravo: 1 }, 40_000);
  expect(tell({ alpha: 0, bravo: 1 }, 41_000)).toEqual(["alpha=0", "bravo=100"]);
});

test("a node without the attribute is told at once; the change of another waits beside it", () => {
  let state = createPingScores(0);
  const tell = (counts: Readonly<Record<string, number>>, absent: readonly string[], atMs: number) => {
    const stepped = stepPingScores(state, { counts, absent }, atMs, 1000);
    state = stepped.state;
    return stepped.changes.map(({ node, value }) => `${node}=${value}`);
  };
  expect(tell({ alpha: 2 }, ["alpha"], 0)).toEqual(["alpha=200"]);
  // Bravo joins while a host is just dying: alpha's own fall still waits for what bravo will say of it.
  expect(tell({ alpha: 1, bravo: 2 }, ["bravo"], 5000)).toEqual(["bravo=200"]);
  expect(tell({ alpha: 1, bravo: 1 }, [], 5400)).toEqual([]);
  expect(tell({ alpha: 1, bravo: 1 }, [], 6400)).toEqual(["alpha=100", "bravo=100"]);
  // The status section was cleared under us, as when a node joins anew.
  expect(tell({ alpha: 1, bravo: 1 }, ["bravo"], 7000)).toEqual(["bravo=100"]);
  expect(tell({ alpha: 1, bravo: 1 }, [], 9000)).toEqual([]);
});

test("where a ping resource tells pingd, the keeper's count does not", () => {
  const configuration = (parameter: string) => {
    const ping = `<primitive id="p" class="ocf" provider="pacemaker" type="ping">${parameter}</primitive>`;
    const read = parseXml(`<configuration><resources><clone id="c">${ping}</clone></resources></configuration>`);
    return read.kind === "xml" ? read.root : undefined;
  };
  const named = (name: string) =>
    `<instance_attributes id="i"><nvpair id="n" name="name" value="${name}"/></instance_attributes>`;
  expect(isToldByResource(configuration(""))).toBe(true);
  expect(isToldByResource(configuration(named("pingd")))).toBe(true);
  expect(isToldByResource(configuration(named("default_ping_set")))).toBe(false);
});
