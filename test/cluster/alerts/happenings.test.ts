/** What is told: members, operations that matter, fencings, attributes. */
import { describe, expect, test } from "vitest";
import { xml } from "../../../src/base/xml.ts";
import {
  attributeHappenings,
  fencingHappening,
  nodeHappenings,
  nodeWords,
  resourceHappening,
} from "../../../src/cluster/core/alerts/happenings.ts";
import { createExecutor, stepExecutor } from "../../../src/cluster/core/executor/executor.ts";
import type { ExecutorEvent, ExecutorState, Outcome } from "../../../src/cluster/core/executor/types.ts";
import type { MembershipView, PeerPhase } from "../../../src/cluster/core/membership/view.ts";
import type { ResourceAction } from "../../../src/cluster/core/transition/graph.ts";
import type { FencingRecord } from "../../../src/fencing/core/fencer-state.ts";
import { cib } from "./scene.ts";

describe("members", () => {
  const view = (members: readonly string[], phase: PeerPhase): MembershipView => {
    const peers = [{ name: "bravo", phase, generation: 1, returned: false }];
    return {
      self: "alpha",
      generation: 1,
      epoch: 1,
      members,
      agreed: true,
      peers,
      links: [],
      settled: true,
      quorate: true,
    };
  };

  test("each change once: joined, silent, fenced, back; and one that was never heard is told when it is lost", () => {
    const views = [
      view(["alpha"], "awaited"),
      view(["alpha", "bravo"], "member"),
      view(["alpha"], "member"), // one side has let go, the other not yet
      view(["alpha"], "lost"),
      view(["alpha"], "awaited"), // its power was read as off
      view(["alpha", "bravo"], "member"),
      view(["alpha"], "awaited"), // it began anew
      view(["alpha"], "left"),
    ];
    let words = {};
    const told = views.map((one) => {
      const before = words;
      words = nodeWords(one, before);
      return nodeHappenings(before, words, cib(""), []).map((each) =>
        each.kind === "node" ? `${each.node} ${each.word} ${each.nodeId}` : "",
      );
    });
    expect(told).toEqual([
      ["alpha member 1"],
      ["bravo member 2"],
      [],
      ["bravo lost 2"],
      [],
      ["bravo member 2"],
      ["bravo lost 2"],
      [],
    ]);
    expect(nodeWords(view(["alpha"], "lost"), {})).toEqual({ alpha: "member", bravo: "lost" });
  });

  test("of a cluster that was set up anew: its CIB has no nodes yet, and the node configuration has their ids", () => {
    const own = [{ id: "2", name: "bravo" }];
    expect(nodeHappenings({}, { bravo: "member" }, xml("cib", {}, [xml("configuration")]), own)).toEqual([
      { kind: "node", node: "bravo", word: "member", nodeId: "2" },
    ]);
  });
});

describe("operations", () => {
  const resource = { id: "ip", class: "ocf", provider: "gemel", type: "Dummy" };

  function action(operation: string, intervalMs: number, expectedCode: number): ResourceAction {
    const fixed = { kind: "resource", id: 1, key: `ip_${operation}_${intervalMs}`, priority: 0, inputs: [] } as const;
    const rest = { node: "alpha", operation, intervalMs, timeoutMs: 9_000, parameters: {}, meta: {}, expectedCode };
    return { ...fixed, ...rest, resource, reason: { code: "start", facts: {} } };
  }

  /** Runs it once for each outcome, and answers what was told of each. */
  function told(ordered: ResourceAction, outcomes: readonly Outcome[]) {
    let state: ExecutorState = createExecutor("alpha", 4);
    let nowMs = 0;
    const step = (event: ExecutorEvent) => {
      const stepped = stepExecutor(state, event, nowMs, { md5: () => "" });
      state = stepped.state;
    };
    step({ kind: "perform", action: ordered, transitionKey: "0:0:0:x" });
    return outcomes.map((outcome) => {
      const before = state;
      const callId = state.resources["ip"]?.running?.callId ?? 0;
      const ended = { exitReason: "", output: "", attributes: [], execMs: 12.4, endedWallMs: 1_000 };
      step({ kind: "finished", callId, outcome, ...ended });
      const happening = resourceHappening(before, state, callId);
      nowMs += ordered.intervalMs;
      step({ kind: "tick" });
      return happening;
    });
  }

  const exit = (code: number): Outcome => ({ kind: "exit", code });

  test("a start is told with its answer, good or bad", () => {
    expect(told(action("start", 0, 0), [exit(0)])).toEqual([
      {
        kind: "resource",
        node: "alpha",
        resource: "ip",
        operation: "start",
        intervalMs: 0,
        rc: 0,
        expectedRc: 0,
        opStatus: 0,
        execMs: 12,
      },
    ]);
    expect(told(action("start", 0, 0), [exit(1)])).toMatchObject([{ rc: 1, opStatus: 0 }]);
  });

  test("one that was ended for its time has taken its time", () => {
    expect(told(action("stop", 0, 0), [{ kind: "timeout" }])).toMatchObject([{ rc: 1, opStatus: 2, execMs: 9_000 }]);
  });

  test("a monitor is told when its answer is not the expected one, and once for each answer", () => {
    const rcs = told(action("monitor", 10_000, 0), [exit(0), exit(0), exit(7), exit(7), exit(1), exit(0)]);
    expect(rcs.map((one) => one?.rc)).toEqual([undefined, undefined, 7, undefined, 1, undefined]);
    expect(rcs[2]).toMatchObject({ operation: "monitor", intervalMs: 10_000, expectedRc: 0 });
  });

  test("what a probe finds is nothing to tell; that it could not look is", () => {
    for (const found of [0, 7, 8]) expect(told(action("monitor", 0, 7), [exit(found)])).toEqual([undefined]);
    expect(told(action("monitor", 0, 7), [exit(5)])).toMatchObject([{ rc: 5, expectedRc: 7 }]);
    expect(told(action("monitor", 0, 7), [{ kind: "timeout" }])).toMatchObject([{ opStatus: 2 }]);
  });

  test("what was cut short by ourselves, a notification, and an answer that nobody waits for are not told", () => {
    expect(told(action("start", 0, 0), [{ kind: "killed" }])).toEqual([undefined]);
    expect(told(action("notify", 0, 0), [exit(0)])).toEqual([undefined]);
    expect(told(action("start", 0, 0), [exit(0), exit(0)])[1]).toBeUndefined();
  });
});

test.each([
  [{ kind: "confirmed", power: "off" }, 0, "OK"],
  [{ kind: "not-done", reason: "denied" }, 1, "not-done: denied"],
  [{ kind: "unknown", reason: "no answer" }, 2, "unknown: no answer"],
] as const)("a fencing that is %j has the code %i", (outcome, rc, result) => {
  const record: FencingRecord = {
    node: "alpha",
    id: 4,
    target: "bravo",
    action: "reboot",
    outcome,
    devices: [],
    by: ["alpha: the cluster"],
    startedWallMs: 1,
    endedWallMs: 2,
  };
  expect(fencingHappening(record)).toEqual({
    kind: "fencing",
    node: "bravo",
    action: "reboot",
    rc,
    summary: `Operation reboot of bravo by alpha for alpha: the cluster: ${result} (ref=alpha-4)`,
  });
});

test("attributes: new, changed, gone, transient before permanent; what stays is not told", () => {
  const set = (pairs: Readonly<Record<string, string>>) =>
    Object.entries(pairs)
      .map(([name, value]) => `<nvpair id="${name}" name="${name}" value="${value}"/>`)
      .join("");
  const nodes = (pairs: Readonly<Record<string, string>>) =>
    `<nodes><node id="1" uname="alpha"><instance_attributes id="p">${set(pairs)}</instance_attributes></node></nodes>`;
  const status = (pairs: Readonly<Record<string, string>>) =>
    `<node_state uname="alpha"><transient_attributes><instance_attributes id="t">${set(pairs)}</instance_attributes>` +
    "</transient_attributes></node_state>";
  const before = cib("", nodes({ site: "a", standby: "off" }), status({ pingd: "100", disk: "normal", standby: "on" }));
  const after = cib("", nodes({ site: "b", standby: "on" }), status({ pingd: "0", standby: "on", fresh: "1" }));
  expect(
    attributeHappenings(before, after).map((one) => (one.kind === "attribute" ? [one.name, one.value] : [])),
  ).toEqual([
    ["site", "b"],
    ["pingd", "0"],
    ["disk", ""],
    ["fresh", "1"],
  ]);
  expect(attributeHappenings(after, after)).toEqual([]);
});
