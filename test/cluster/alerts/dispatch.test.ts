/** Runs, their environment, and what a storm, a hung agent and a failing one come to. */
import { expect, test } from "vitest";
import {
  type AlertRun,
  type AlertsEvent,
  createAlerts,
  stepAlerts,
} from "../../../src/cluster/core/alerts/dispatch.ts";
import type { Happening } from "../../../src/cluster/core/alerts/happenings.ts";
import { NOON, targetsOf } from "./scene.ts";

const lost: Happening = { kind: "node", node: "bravo", word: "lost", nodeId: "2" };

function open(alerts: string) {
  let state = createAlerts(100);
  const runs: AlertRun[] = [];
  const logs: string[] = [];
  const step = (event: AlertsEvent) => {
    const stepped = stepAlerts(state, event);
    state = stepped.state;
    for (const effect of stepped.effects)
      if (effect.kind === "run") runs.push(effect.run);
      else logs.push(effect.text);
  };
  const targets = targetsOf(alerts);
  return {
    runs,
    logs,
    step,
    tell: (...happenings: Happening[]) => step({ kind: "happened", happenings, targets, instant: NOON }),
    troubles: () => Object.values(state.troubles),
    waiting: () => state.waiting.length,
  };
}

const both = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => [
      [`CRM_alert_${name}`, value],
      [`CRM_notify_${name}`, value],
    ]),
  );

const COMMON = {
  recipient: "me",
  timestamp: "12:00:00.250000",
  timestamp_epoch: "1795262400",
  timestamp_usec: "250000",
  version: "2.1.5",
};

test.each([
  ["node", lost, { node: "bravo", desc: "lost", nodeid: "2" }],
  [
    "fencing",
    { kind: "fencing", node: "bravo", action: "off", rc: 0, summary: "all of it" },
    { node: "bravo", task: "off", rc: "0", desc: "all of it" },
  ],
  [
    "resource",
    {
      kind: "resource",
      node: "a",
      resource: "ip",
      operation: "monitor",
      intervalMs: 10_000,
      rc: 7,
      expectedRc: 0,
      opStatus: 0,
      execMs: 3,
    },
    {
      node: "a",
      rsc: "ip",
      task: "monitor",
      interval: "10000",
      rc: "7",
      target_rc: "0",
      status: "0",
      desc: "not running",
      exec_time: "3",
    },
  ],
  [
    "resource",
    {
      kind: "resource",
      node: "a",
      resource: "ip",
      operation: "stop",
      intervalMs: 0,
      rc: 1,
      expectedRc: 0,
      opStatus: 2,
      execMs: 9,
    },
    {
      node: "a",
      rsc: "ip",
      task: "stop",
      interval: "0",
      rc: "1",
      target_rc: "0",
      status: "2",
      desc: "Timed Out",
      exec_time: "9",
    },
  ],
  [
    "attribute",
    { kind: "attribute", node: "a", name: "pingd", value: "0" },
    { node: "a", attribute_name: "pingd", attribute_value: "0" },
  ],
] as const)("the whole environment of a %s alert", (kind, happening, own) => {
  const { runs, tell } = open(
    `<alert id="a" path="/x"><select><select_nodes/><select_fencing/><select_resources/><select_attributes/></select>
    <instance_attributes id="i"><nvpair id="n" name="from" value="you"/></instance_attributes>
    <recipient id="r" value="me"/></alert>`,
  );
  tell(happening);
  expect(runs.map(({ environment }) => environment)).toEqual([
    { from: "you", ...both({ kind, node_sequence: "101", ...COMMON, ...own }) },
  ]);
});

test("each recipient that wants it has a run of its own, with a number of its own", () => {
  const { runs, tell } =
    open(`<alert id="a" path="/x"><recipient id="r1" value="1"/><recipient id="r2" value="2"/></alert>
    <alert id="b" path="/y"><select><select_fencing/></select></alert><alert id="c" path="/z"/>`);
  tell(lost);
  expect(runs.map(({ target, path, environment }) => [target, path, environment["CRM_alert_node_sequence"]])).toEqual([
    ["a (1)", "/x", "101"],
    ["a (2)", "/x", "102"],
    ["c", "/z", "103"],
  ]);
});

test("an agent that hangs leaves the others their turn, and a storm costs alerts, told once and counted", () => {
  const { runs, logs, step, tell, troubles, waiting } = open('<alert id="a" path="/x"/><alert id="b" path="/y"/>');
  for (let each = 0; each < 300; each += 1) tell(lost);
  const running = () => runs.map(({ target }) => target);
  expect(running()).toEqual(["a", "b", "a", "b"]);
  expect(waiting()).toBe(2 * 256);
  expect(troubles()).toEqual([
    { target: "a", reason: expect.stringContaining("256 alerts wait"), lost: 42 },
    { target: "b", reason: expect.stringContaining("256 alerts wait"), lost: 42 },
  ]);
  expect(logs).toHaveLength(2);
  // Only b's agent ends: it alone goes on, and is well again when nothing is left of it.
  for (let at = 0; at < runs.length; at += 1) {
    const run = runs[at];
    if (run?.target === "b") step({ kind: "ended", id: run.id });
  }
  expect(running().filter((target) => target === "b")).toHaveLength(258);
  expect(running().filter((target) => target === "a")).toHaveLength(2);
  expect(troubles().map(({ target }) => target)).toEqual(["a"]);
  expect(logs.at(-1)).toBe("alert b can be told; 42 alerts before were lost");
});

test("a failing agent is one line and a trouble, until it has told of something again", () => {
  const { runs, logs, step, tell, troubles } = open('<alert id="a" path="/x"/>');
  for (let each = 0; each < 3; each += 1) {
    tell(lost);
    step({ kind: "ended", id: runs.at(-1)?.id ?? 0, failure: "/x ended with exit code 3" });
  }
  expect(logs).toEqual(["alert a is not told: /x ended with exit code 3"]);
  expect(troubles()).toEqual([{ target: "a", reason: "/x ended with exit code 3", lost: 3 }]);
  // That the file is there proves nothing here.
  step({ kind: "looked", target: "a" });
  expect(troubles()).toHaveLength(1);
  tell(lost);
  step({ kind: "ended", id: runs.at(-1)?.id ?? 0 });
  expect(troubles()).toEqual([]);
  expect(logs.at(-1)).toBe("alert a can be told; 3 alerts before were lost");
  // Nobody knows this run.
  step({ kind: "ended", id: 999, failure: "?" });
  expect(troubles()).toEqual([]);
});

test("a missing agent is told before it is needed; taken out of the configuration it is no trouble any more", () => {
  const { runs, step, tell, troubles, waiting } = open('<alert id="a" path="/x"/>');
  step({ kind: "looked", target: "a", objection: "/x: there is no such file" });
  expect(troubles()).toEqual([{ target: "a", reason: "/x: there is no such file", lost: 0 }]);
  step({ kind: "looked", target: "a" });
  expect(troubles()).toEqual([]);
  step({ kind: "looked", target: "a", objection: "/x: it is not executable" });
  tell(lost, lost, lost);
  expect([runs.length, waiting()]).toEqual([2, 1]);
  step({ kind: "configured", targets: [] });
  expect([troubles(), waiting()]).toEqual([[], 0]);
  step({ kind: "ended", id: runs[0]?.id ?? 0 });
  expect(runs).toHaveLength(2);
});
