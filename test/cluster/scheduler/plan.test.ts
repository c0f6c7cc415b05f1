/**
 * The plan is a value: every pass that concludes from it (what must happen, why, by which way, who is told) answers
 * with a conclusion of its own, and writes on nothing that an earlier one has concluded.
 */
import { expect, test } from "vitest";
import { parseXml, type XmlElement } from "../../../src/base/xml.ts";
import { parametersDigest } from "../../../src/cluster/core/scheduler/facts/digests.ts";
import { readFacts } from "../../../src/cluster/core/scheduler/facts/read-facts.ts";
import { assignAll } from "../../../src/cluster/core/scheduler/place/assign.ts";
import { baseBoard } from "../../../src/cluster/core/scheduler/place/base-scores.ts";
import { picture } from "../../../src/cluster/core/scheduler/print/picture.ts";
import { collect, conclude, work } from "../../../src/cluster/core/scheduler/schedule.ts";
import { randomCib } from "../../support/random-cib/cib.ts";
import { NOW_SECONDS } from "../../support/random-cib/draw.ts";
import { terseCib } from "../../support/terse-cib.ts";

const NOW_WALL_MS = NOW_SECONDS * 1000;
/** With a migration among them. */
const SEEDS = [...Array.from({ length: 24 }, (_, index) => index + 1), 34, 49, 245];
/** Started with another parameter that the agent can take in while it runs. */
const RELOADED = terseCib(`
nodes alpha bravo
Dummy p
  parameters level=2
  monitor 10s
p on alpha: start monitor/10s
p on bravo: monitor=7`).replaceAll(
  'op-digest="',
  `op-force-restart=" state " op-restart-digest="${parametersDigest({})}" op-digest="`,
);
const INPUTS = [RELOADED, ...SEEDS.map((seed) => randomCib(seed))];
/** What the passes behind the settling add or change: without them the test would show nothing. */
const SHOWN = ["migrate_to", "migrate_from", "reload-agent", "notify", "stonith", "cancel", "promote"];

function refuse(): never {
  throw new Error("written on");
}

/** Everything within is read-only from now on, maps and sets as well. */
function freeze(value: unknown, seen = new Set<unknown>()): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Map || value instanceof Set) {
    for (const [key, each] of value.entries()) {
      freeze(key, seen);
      freeze(each, seen);
    }
    for (const name of ["set", "add", "delete", "clear"]) Object.defineProperty(value, name, { value: refuse });
  }
  Object.freeze(value);
  for (const each of Object.values(value)) freeze(each, seen);
}

function parse(text: string): XmlElement {
  const read = parseXml(text);
  if (read.kind === "not-xml") throw new Error(read.reason);
  return read.root;
}

function collected(cib: XmlElement) {
  const facts = readFacts(cib, NOW_WALL_MS, {}, "decision");
  const board = baseBoard(facts, false);
  assignAll(board);
  return { facts, board, plan: collect(facts, board) };
}

test("no pass that concludes writes on the plan, the placement or the facts", () => {
  const done = new Set<string>();
  for (const text of INPUTS) {
    const cib = parse(text);
    const { facts, board, plan } = collected(cib);
    for (const each of [facts, board, plan]) freeze(each);
    const graph = conclude(plan);
    expect(picture(graph, true)).toBe(picture(work(cib, NOW_WALL_MS).graph, true));
    for (const { operation } of graph.steps) done.add(operation);
  }
  expect(SHOWN.filter((operation) => !done.has(operation))).toEqual([]);
});

test("nor could one: neither the types nor what is frozen allow it", () => {
  const { plan } = collected(parse(randomCib(1)));
  freeze(plan);
  const { steps, links, bySuffix } = plan.plan;
  const [step, link] = [steps[0], links[0]];
  if (step === undefined || link === undefined) throw new Error("an empty plan shows nothing");
  const writes = [
    // @ts-expect-error A step is a value.
    () => (step.wanted = true),
    // @ts-expect-error A link is a value.
    () => (link.hidden = true),
    // @ts-expect-error Nothing is added to a closed plan.
    () => steps.push(step),
    // @ts-expect-error Nor under another name.
    () => bySuffix[0]?.set("start_0", []),
  ];
  for (const write of writes) expect(write).toThrow();
});
