/** The scheduler on the pair: what it does, where, and in which order. One scenario a story. */
import { expect, test } from "vitest";
import type { Decision } from "../../../src/cluster/core/scheduler/decision.ts";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";
import type { TransitionAction } from "../../../src/cluster/core/transition/graph.ts";
import { ACTIVE, type NodeState, PROBED, pairCib, STANDBY } from "./pair-cib.ts";

const NOW = 1_800_000_000_000;

function label(action: TransitionAction): string {
  if (action.kind === "fence") return `fence ${action.operation} ${action.target}`;
  if (action.kind === "resource") return `${action.operation} ${action.resource.id} ${action.node}`;
  if (action.kind === "cluster") return `${action.operation} ${action.node}`;
  return `(${action.key}${action.node === undefined ? "" : ` ${action.node}`})`;
}

const real = ({ transition }: Decision) =>
  transition.actions
    .filter(({ kind }) => kind !== "pseudo")
    .map(label)
    .filter((text) => !text.startsWith("notify"))
    .sort();

/** Whether `second` waits for `first`, directly or not. */
function waits({ transition }: Decision, second: string, first: string): boolean {
  const byId = new Map(transition.actions.map((action) => [action.id, action]));
  const start = transition.actions.find((action) => label(action) === second);
  const queue = [...(start?.inputs ?? [])];
  const seen = new Set<number>();
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const action = byId.get(id);
    if (action === undefined || seen.has(id)) continue;
    seen.add(id);
    if (label(action) === first) return true;
    queue.push(...action.inputs);
  }
  return false;
}

function follows(decision: Decision, chain: readonly string[]): string[] {
  return chain.flatMap((second, index) => {
    const first = chain[index - 1];
    return first === undefined || waits(decision, second, first) ? [] : [`${second} does not wait for ${first}`];
  });
}

const LOST: NodeState = { ...ACTIVE, online: false };

test("a cold pair looks everywhere before it starts anything", () => {
  const unknown: NodeState = { online: true };
  const decision = schedule(pairCib(unknown, unknown), NOW);
  expect(real(decision)).toContain("monitor fs alpha");
  expect(real(decision)).toContain("monitor fs bravo");
  expect(follows(decision, ["monitor drbd0 bravo", "start drbd0 alpha"])).toEqual([]);
});

test("probed and stopped: DRBD on both sides, one promoted, the group behind it on that side", () => {
  const decision = schedule(pairCib(PROBED, { ...PROBED, attributes: { "master-drbd0": "5" } }), NOW);
  expect(real(decision)).toEqual([
    "monitor drbd0 alpha",
    "monitor drbd0 bravo",
    "monitor http alpha",
    "promote drbd0 alpha",
    "start drbd0 alpha",
    "start drbd0 bravo",
    "start fence-alpha bravo",
    "start fence-bravo alpha",
    "start fs alpha",
    "start http alpha",
    "start ip alpha",
  ]);
  const chain = ["start drbd0 alpha", "promote drbd0 alpha", "start fs alpha", "start ip alpha", "start http alpha"];
  expect(follows(decision, chain)).toEqual([]);
});

test("a pair that serves is left alone", () => {
  expect(schedule(pairCib(ACTIVE, STANDBY), NOW).transition.actions).toEqual([]);
});

test("the active node is lost: fencing first, and everything that it allows behind it", () => {
  const decision = schedule(pairCib(LOST, STANDBY), NOW);
  expect(real(decision)).toEqual(
    [
      "fence off alpha",
      "monitor drbd0 bravo",
      "monitor http bravo",
      "promote drbd0 bravo",
      "start fence-bravo bravo",
      "start fs bravo",
      "start http bravo",
      "start ip bravo",
    ]
      .filter((text) => text !== "start fence-bravo bravo")
      .concat(["cancel drbd0 bravo"])
      .sort(),
  );
  const chain = ["fence off alpha", "promote drbd0 bravo", "start fs bravo", "start ip bravo", "start http bravo"];
  expect(follows(decision, chain)).toEqual([]);
  expect(decision.nodes.find(({ name }) => name === "alpha")).toMatchObject({ online: false, unclean: true });
});

test("without fencing by configuration the survivor takes over at once", () => {
  const edit = (text: string) =>
    text.replace('name="stonith-enabled" value="true"', 'name="stonith-enabled" value="false"');
  const decision = schedule(pairCib(LOST, STANDBY, edit), NOW);
  expect(real(decision).filter((text) => text.startsWith("fence "))).toEqual([]);
  expect(follows(decision, ["promote drbd0 bravo", "start fs bravo", "start http bravo"])).toEqual([]);
});

test("standby of the active node: down here in order, demoted, then up on the other side", () => {
  const resting: NodeState = { ...ACTIVE, attributes: { "master-drbd0": "10000", standby: "on" } };
  const decision = schedule(pairCib(resting, STANDBY), NOW);
  const chain = [
    "stop http alpha",
    "stop ip alpha",
    "stop fs alpha",
    "demote drbd0 alpha",
    "promote drbd0 bravo",
    "start fs bravo",
    "start ip bravo",
    "start http bravo",
  ];
  expect(follows(decision, chain)).toEqual([]);
  expect(real(decision)).toContain("stop drbd0 alpha");
});

const failing = (failures: string): NodeState => ({
  ...ACTIVE,
  attributes: { "master-drbd0": "10000", "fail-count-http#monitor_5000": failures },
  history: {
    ...ACTIVE.history,
    http: [
      { task: "monitor", rc: 7, target: 7 },
      { task: "start", rc: 0 },
      { task: "monitor", rc: 1, intervalMs: 5000 },
    ],
  },
});

test("a failed service is restarted where it is, and nothing else", () => {
  const decision = schedule(pairCib(failing("1"), STANDBY), NOW);
  expect(real(decision)).toEqual(["monitor http alpha", "start http alpha", "stop http alpha"]);
  expect(decision.resources.find(({ id }) => id === "http")).toMatchObject({ failed: true, nextNode: "alpha" });
});

test("at the threshold the whole service moves, DRBD's promotion with it", () => {
  const decision = schedule(pairCib(failing("3"), STANDBY), NOW);
  expect(
    follows(decision, ["stop http alpha", "demote drbd0 alpha", "promote drbd0 bravo", "start http bravo"]),
  ).toEqual([]);
});

test("a failed stop is answered with fencing, and only then starts elsewhere", () => {
  const stuck: NodeState = {
    ...ACTIVE,
    attributes: { "master-drbd0": "10000", "fail-count-fs#stop_0": "INFINITY" },
    history: {
      ...ACTIVE.history,
      fs: [
        { task: "start", rc: 0 },
        { task: "stop", rc: 1 },
      ],
    },
  };
  const decision = schedule(pairCib(stuck, STANDBY), NOW);
  expect(follows(decision, ["fence off alpha", "promote drbd0 bravo", "start fs bravo"])).toEqual([]);
});

const GROUP = '<group id="service">';
const STOPPED = `<meta_attributes id="service-meta">
  <nvpair id="service-role" name="target-role" value="Stopped"/></meta_attributes>`;

test("target-role Stopped takes the group down and leaves the mirror promoted", () => {
  const edit = (text: string) => text.replace(GROUP, GROUP + STOPPED);
  const decision = schedule(pairCib(ACTIVE, STANDBY, edit), NOW);
  expect(real(decision)).toEqual(["stop fs alpha", "stop http alpha", "stop ip alpha"]);
  expect(follows(decision, ["stop http alpha", "stop ip alpha", "stop fs alpha"])).toEqual([]);
});

test("a node that leaves politely is emptied, then let go; it is not fenced", () => {
  const leaving: NodeState = { ...ACTIVE, attributes: { "master-drbd0": "10000", shutdown: "1700000000" } };
  const decision = schedule(pairCib(leaving, STANDBY), NOW);
  expect(real(decision).filter((text) => text.startsWith("fence "))).toEqual([]);
  expect(follows(decision, ["stop http alpha", "stop drbd0 alpha", "do_shutdown alpha"])).toEqual([]);
});

test("every action says why", () => {
  const decision = schedule(pairCib(LOST, STANDBY), NOW);
  expect(decision.transition.actions.filter(({ reason }) => reason.code === "")).toEqual([]);
});

test("a failure whose count ends later than itself: somebody looks again when the count has ended", () => {
  const failedAt = NOW / 1000;
  const countedAt = failedAt + 7;
  const bravo: NodeState = {
    ...STANDBY,
    attributes: {
      "master-drbd0": "10000",
      "fail-count-fence-alpha#start_0": "INFINITY",
      "last-failure-fence-alpha#start_0": `${countedAt}`,
    },
    history: { ...STANDBY.history, "fence-alpha": [{ task: "start", rc: 1 }] },
  };
  const dated = (text: string) =>
    text
      .replaceAll('rc-code="1"', `rc-code="1" last-rc-change="${failedAt}"`)
      .replace(
        'name="resource-stickiness"',
        'name="failure-timeout" value="60s"/><nvpair id="sticky" name="resource-stickiness"',
      );
  const cib = pairCib(ACTIVE, bravo, dated);
  const early = schedule(cib, (failedAt + 62) * 1000);
  expect(real(early)).not.toContain("start fence-alpha bravo");
  expect(early.transition.recheckAtWallMs).toBe((countedAt + 61) * 1000);
  expect(real(schedule(cib, early.transition.recheckAtWallMs ?? 0))).toContain("start fence-alpha bravo");
});
