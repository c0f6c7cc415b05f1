/** What runs is ended as it was begun, whatever the configuration says by now. */
import { expect, test } from "vitest";
import { createExecutor, stepExecutor } from "../../../../src/cluster/core/executor/executor.ts";
import type { ExecutorState } from "../../../../src/cluster/core/executor/types.ts";
import type { ResourceAction } from "../../../../src/cluster/core/transition/graph.ts";

type Parameters = ResourceAction["parameters"];
const OLD = { ip: "198.18.0.9" };
const NEW = { ip: "198.18.0.10" };
const REMOVED = {};

function action(operation: string, parameters: Parameters): ResourceAction {
  const resource = { id: "ip", class: "ocf", provider: "gemel", type: "IPaddr2" };
  const fixed = { kind: "resource", id: 7, key: `ip_${operation}_0`, priority: 0, inputs: [], node: "alpha" } as const;
  const reason = { code: "start", facts: {} } as const;
  return { ...fixed, operation, resource, parameters, reason, intervalMs: 0, timeoutMs: 9, meta: {}, expectedCode: 0 };
}

/** Performs one after another, each with the exit code it ends with; answers with what the agents were given. */
function given(...steps: readonly (readonly [operation: string, configured: Parameters, rcCode: number])[]): unknown[] {
  let state: ExecutorState = createExecutor("alpha", 4);
  return steps.map(([operation, configured, code], index) => {
    const tools = { md5: () => "" };
    const ordered = action(operation, configured);
    const asked = stepExecutor(state, { kind: "perform", action: ordered, transitionKey: `7:1:0:${index}` }, 0, tools);
    const run = asked.effects.find((effect) => effect.kind === "run");
    const callId = run?.callId ?? 0;
    const outcome = { kind: "exit", code } as const;
    const end = { exitReason: "", output: "", attributes: [], execMs: 1, endedWallMs: 1 };
    state = stepExecutor(asked.state, { kind: "finished", callId, outcome, ...end }, 0, tools).state;
    return {
      ...run?.parameters,
      ...(run?.environment["OCF_RESKEY_ip"] === run?.parameters["ip"] ? {} : { wrong: true }),
    };
  });
}

test("a definition that has changed: the old one is stopped, the new one started", () => {
  expect(given(["start", OLD, 0], ["stop", NEW, 0], ["start", NEW, 0], ["stop", NEW, 0])).toEqual([OLD, OLD, NEW, NEW]);
});

test("a resource that was removed is stopped with what it was started with; demoted, too", () => {
  expect(given(["start", OLD, 0], ["demote", REMOVED, 0], ["stop", REMOVED, 0])).toEqual([OLD, OLD, OLD]);
});

test("a stop that failed is repeated as it was; after one that succeeded nothing is remembered", () => {
  expect(given(["start", OLD, 0], ["stop", NEW, 1], ["stop", NEW, 0], ["stop", NEW, 0])).toEqual([OLD, OLD, OLD, NEW]);
});

test("what a probe finds running is stopped as it was found; what it does not find is not", () => {
  expect(given(["monitor", OLD, 0], ["stop", REMOVED, 0])).toEqual([OLD, OLD]);
  expect(given(["monitor", OLD, 7], ["stop", NEW, 0])).toEqual([OLD, NEW]);
});

test("a start that failed half way is ended as it was begun; a reload has told the new parameters", () => {
  expect(given(["start", OLD, 1], ["stop", NEW, 0])).toEqual([OLD, OLD]);
  expect(given(["start", OLD, 0], ["reload-agent", NEW, 0], ["stop", REMOVED, 0])).toEqual([OLD, NEW, NEW]);
});
