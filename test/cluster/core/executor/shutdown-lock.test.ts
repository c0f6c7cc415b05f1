/** Which stop locks a resource to its node, and what ends that in the node's own account. */
import { expect, test } from "vitest";
import { createExecutor, stepExecutor } from "../../../../src/cluster/core/executor/executor.ts";
import { lrmResourceXml } from "../../../../src/cluster/core/executor/history.ts";
import type { ExecutorState } from "../../../../src/cluster/core/executor/types.ts";
import type { ResourceAction } from "../../../../src/cluster/core/transition/graph.ts";

const SINCE = 1_700_000_000;

function after(state: ExecutorState, operation: string, code: number, lockedSinceSeconds?: number): ExecutorState {
  const tools = { md5: () => "0" };
  const action: ResourceAction = {
    kind: "resource",
    id: 1,
    key: `ip_${operation}_0`,
    priority: 0,
    inputs: [],
    reason: { code: "test", facts: {} },
    operation,
    node: "alpha",
    resource: { id: "ip", class: "ocf", provider: "gemel", type: "Dummy" },
    intervalMs: 0,
    timeoutMs: 20_000,
    ...(lockedSinceSeconds === undefined ? {} : { lockedSinceSeconds }),
    parameters: {},
    meta: {},
    expectedCode: operation === "monitor" ? 7 : 0,
  };
  const begun = stepExecutor(state, { kind: "perform", action, transitionKey: "1:1:0:dc" }, 0, tools);
  const callId = begun.effects.find((effect) => effect.kind === "run")?.callId ?? 0;
  const told = { exitReason: "", output: "", attributes: [], execMs: 1, endedWallMs: 0 };
  return stepExecutor(begun.state, { kind: "finished", callId, outcome: { kind: "exit", code }, ...told }, 1, tools)
    .state;
}

const lockOf = (state: ExecutorState) => lrmResourceXml(state, "ip")?.attributes["shutdown-lock"];

test("only a stop that succeeds locks, for as long as the resource is not started again", () => {
  const started = after(createExecutor("alpha", 4), "start", 0, SINCE);
  expect(lockOf(started)).toBeUndefined();
  expect(lockOf(after(started, "stop", 1, SINCE))).toBeUndefined();
  expect(lockOf(after(started, "stop", 0))).toBeUndefined();
  const locked = after(started, "stop", 0, SINCE);
  expect(lockOf(locked)).toBe(String(SINCE));
  // Looking for it ends nothing.
  expect(lockOf(after(locked, "monitor", 7, SINCE))).toBe(String(SINCE));
  expect(lockOf(after(locked, "start", 0, SINCE))).toBeUndefined();
});
