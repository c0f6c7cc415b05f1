/** Facts are a value: what the reading passes made of a CIB is the same after all passes that decide by it. */
import { expect, test } from "vitest";
import { parseXml, type XmlElement, xml } from "../../../src/base/xml.ts";
import { parametersDigest } from "../../../src/cluster/core/scheduler/facts/digests.ts";
import { readFacts } from "../../../src/cluster/core/scheduler/facts/read-facts.ts";
import { readEntries } from "../../../src/cluster/core/scheduler/facts/read-history.ts";
import { work } from "../../../src/cluster/core/scheduler/schedule.ts";
import { randomCib } from "../../support/random-cib/cib.ts";
import { NOW_SECONDS } from "../../support/random-cib/draw.ts";
import { terseCib } from "../../support/terse-cib.ts";

const NOW_WALL_MS = NOW_SECONDS * 1000;

function parse(text: string): XmlElement {
  const read = parseXml(text);
  if (read.kind === "not-xml") throw new Error(read.reason);
  return read.root;
}

/** One instance too many, which goes although nothing else may be acted on. */
const HELD_BACK = `
nodes alpha bravo
option stonith-enabled=true
clone c clone-max=1
  Dummy p
p on alpha: start
p on bravo: start`;

const FROZEN = `
nodes alpha
group g
  Dummy p
  Dummy q
rsc_ticket rsc=g ticket=t loss-policy=freeze
p on alpha: start`;

const INPUTS: readonly (readonly [name: string, text: string])[] = [
  ["one too many", terseCib(HELD_BACK)],
  ["frozen", terseCib(FROZEN)],
  ...[1, 2, 3].map((seed) => [`seed ${seed}`, randomCib(seed)] as const),
];

test.each(INPUTS)("no pass that decides writes on them: %s", (_name, text) => {
  const cib = parse(text);
  const { facts } = work(cib, NOW_WALL_MS);
  const { nodes, resources, top, colocations, orders, bans, toFence, problems } = readFacts(
    cib,
    NOW_WALL_MS,
    {},
    "decision",
  );
  expect(facts).toMatchObject({ nodes, resources, top, colocations, orders, bans, toFence, problems });
});

test("a decision also goes by lost tickets and by the colocations that nobody writes; a report does not", () => {
  const cib = parse(terseCib(FROZEN));
  const [report, decision] = [readFacts(cib, NOW_WALL_MS), readFacts(cib, NOW_WALL_MS, {}, "decision")];
  expect(decision.byId.get("p")).toMatchObject({ managed: false, blocked: true });
  expect(decision.colocations.map(({ id }) => id)).toEqual(["group-members"]);
  expect(report.byId.get("p")).toMatchObject({ managed: true, blocked: false });
  expect(report.colocations).toEqual([]);
});

/** Started with another `level` than is configured, by an agent that told what only a restart changes. */
const reloadable = (forcing: string) =>
  terseCib(`
nodes alpha
Dummy p
  parameters level=2
p on alpha: start`).replaceAll('op-digest="', `${forcing} op-digest="`);

test("a restart digest without its list is of all parameters: they are the same, a reload will do", () => {
  const operations = (text: string) => work(parse(text), NOW_WALL_MS).graph.steps.map(({ operation }) => operation);
  const digest = (parameters: Readonly<Record<string, string>>) =>
    `op-restart-digest="${parametersDigest(parameters)}"`;
  expect(operations(reloadable(digest({ level: "2" })))).toEqual(["reload-agent"]);
  expect(operations(reloadable(digest({ level: "1" }))).toSorted()).toEqual(["start", "stop"]);
  // An empty list is a list: nothing forces a restart.
  expect(operations(reloadable(`op-force-restart=" " ${digest({})}`))).toEqual(["reload-agent"]);
});

test("a record's operations come in the order in which they happened, however they stand among notifications", () => {
  // Each with its call and the transition that ordered it; a notification has no call of its own.
  const operations = [
    ["start", "13688", 3178],
    ["post_notify_start", "-1", 3178],
    ["pre_notify_promote", "-1", 3126],
    ["post_notify_promote", "-1", 3126],
    ["monitor_29000", "149", 1],
    ["pre_notify_demote", "-1", 3132],
    ["post_notify_demote", "-1", 3132],
    ["pre_notify_stop", "-1", 3177],
    ["monitor_31000", "13427", 3127],
  ] as const;
  operations.forEach((_, turn) => {
    const turned = [...operations.slice(turn), ...operations.slice(0, turn)];
    const children = turned.map(([id, call, run]) =>
      xml("lrm_rsc_op", { id, operation: id, "call-id": call, "transition-key": `1:${run}:0:one` }),
    );
    const order = readEntries(xml("lrm_resource", {}, children)).map(({ key }) => key);
    expect(order.indexOf("monitor_31000")).toBeLessThan(order.indexOf("pre_notify_demote"));
    expect(order.indexOf("pre_notify_stop")).toBeLessThan(order.indexOf("start"));
    expect(order.at(0)).toBe("monitor_29000");
    expect(order.at(-1)).toBe("post_notify_start");
  });
});
