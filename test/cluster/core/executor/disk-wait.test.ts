/** A monitor that fails while the disk waits for a silent peer is no failure of its resource; after that it is. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createExecutor, executorWakeAtMs, stepExecutor } from "../../../../src/cluster/core/executor/executor.ts";
import type { ExecutorEvent, ExecutorState, Outcome } from "../../../../src/cluster/core/executor/types.ts";
import type { ResourceAction } from "../../../../src/cluster/core/transition/graph.ts";

const md5 = (text: string) => createHash("md5").update(text).digest("hex");
const GENERIC = 1;
const NOT_RUNNING = 7;
const TIMEOUT: Outcome = { kind: "timeout" };

/** One service whose monitor has answered well once; each call steps the executor and keeps what it said. */
function service(type = "records") {
  let state: ExecutorState = createExecutor("alpha", 4);
  let nowMs = 0;
  let said: string[] = [];
  const step = (event: ExecutorEvent) => {
    const stepped = stepExecutor(state, event, nowMs, { md5 });
    state = stepped.state;
    for (const effect of stepped.effects)
      if (effect.kind === "run" || effect.kind === "log") said.push(effect.kind);
      else if (effect.kind === "history-changed" && effect.unexpected) said.push("failed");
  };
  const running = () => Object.values(state.resources)[0]?.running?.callId ?? 0;
  const end = (outcome: Outcome | number) =>
    step({
      kind: "finished",
      callId: running(),
      outcome: typeof outcome === "number" ? { kind: "exit", code: outcome } : outcome,
      exitReason: "it does not answer",
      output: "",
      attributes: [],
      execMs: 0,
      endedWallMs: nowMs,
    });
  const resource = { id: "service", class: "ocf", provider: "lab", type };
  const action: ResourceAction = {
    kind: "resource",
    id: 1,
    key: "service_monitor_10000",
    priority: 0,
    inputs: [],
    node: "alpha",
    intervalMs: 10_000,
    timeoutMs: 20_000,
    parameters: {},
    meta: {},
    expectedCode: 0,
    reason: { code: "monitor", facts: {} },
    operation: "monitor",
    resource,
  };
  const elapse = (ms: number) => {
    nowMs += ms;
    step({ kind: "tick" });
  };
  step({ kind: "perform", action, transitionKey: "1:1:0:dc" });
  end(0);
  elapse(10_000);
  said = [];
  return { step, end, elapse, said: () => said.splice(0), wakeAtMs: () => executorWakeAtMs(state), now: () => nowMs };
}

test("an answer that was bad while writes stood still is asked again when they go on, and was no failure", () => {
  const { step, end, said } = service();
  step({ kind: "disk", wait: "silent" });
  end(GENERIC);
  expect(said()).toEqual(["log"]);
  step({ kind: "disk", wait: "frozen" });
  step({ kind: "disk", wait: "none" });
  expect(said()).toEqual(["run"]);
  end(0);
  expect(said()).toEqual([]);
});

test("what still fails when the disk has gone on is told, though the look began before", () => {
  const { step, end, elapse, said } = service();
  step({ kind: "disk", wait: "frozen" });
  elapse(1_000);
  step({ kind: "disk", wait: "none" });
  elapse(1_000);
  end(TIMEOUT);
  expect(said()).toEqual(["log", "run"]);
  end(TIMEOUT);
  expect(said()).toEqual(["failed"]);
});

test("while the disk is frozen it is looked at again and again, and said once", () => {
  const { step, end, elapse, said } = service();
  step({ kind: "disk", wait: "frozen" });
  for (let look = 0; look < 100; look++) {
    end(TIMEOUT);
    elapse(5_000);
  }
  expect(said().filter((word) => word !== "run")).toEqual(["log"]);
});

test("a peer that is silent for long is not what a connected disk waits for", () => {
  const { step, end, elapse, said } = service();
  step({ kind: "disk", wait: "silent" });
  elapse(31_000);
  end(GENERIC);
  expect(said()).toEqual(["failed"]);
});

test.each([
  ["a service whose process is gone", "records", NOT_RUNNING],
  ["DRBD itself", "drbd", GENERIC],
])("%s has failed, whatever the disk does", (_, type, code) => {
  const { step, end, said } = service(type);
  step({ kind: "disk", wait: "frozen" });
  end(code);
  expect(said()).toEqual(["failed"]);
});

test("without a waiting disk every failure is told", () => {
  const { end, said } = service();
  end(GENERIC);
  expect(said()).toEqual(["failed"]);
});
