/** Promotions and the probes of other instances of the same clone. */
import { expect, test } from "vitest";
import { promoteAfterProbes } from "../../../src/cluster/core/transition/after-probes.ts";
import type { ResourceAction } from "../../../src/cluster/core/transition/graph.ts";

function action(id: number, operation: string, longId: string, inputs: readonly number[] = []): ResourceAction {
  return {
    kind: "resource",
    id,
    key: `${longId}_${operation}_0`,
    priority: 0,
    inputs,
    reason: { code: "test", facts: {} },
    operation,
    node: "alpha",
    resource: { id: "db", longId, class: "ocf", provider: "gemel", type: "Stateful" },
    intervalMs: 0,
    timeoutMs: 10_000,
    parameters: {},
    meta: {},
    expectedCode: 0,
  };
}

const inputsOf = (actions: readonly ResourceAction[]) => promoteAfterProbes(actions).map(({ inputs }) => inputs);

test("a promotion waits for every probe of its clone, and for no other one", () => {
  expect(
    inputsOf([
      action(1, "monitor", "db:1"),
      action(2, "monitor", "web:1"),
      action(3, "promote", "db:0", [9]),
      action(4, "start", "db:2"),
    ]),
  ).toEqual([[], [], [9, 1], []]);
});

test("a probe that waits for the promotion is not waited for, and two promotions never wait for each other", () => {
  expect(
    inputsOf([action(1, "promote", "db:0"), action(2, "start", "vm", [1]), action(3, "monitor", "db:1", [2])]),
  ).toEqual([[], [1], [2]]);
  expect(
    inputsOf([
      action(1, "promote", "db:0"),
      action(2, "promote", "db:1"),
      action(3, "monitor", "db:2", [2]),
      action(4, "monitor", "db:3", [1]),
    ]),
  ).toEqual([[3], [], [2], [1]]);
});
