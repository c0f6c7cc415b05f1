/** An executor with more to do than it may do at once: who goes first, what waits, and what is dropped. */
import { describe, expect, test } from "vitest";
import { createExecutor, stepExecutor } from "../../../../src/cluster/core/executor/executor.ts";
import type { ExecutorEffect } from "../../../../src/cluster/core/executor/types.ts";
import { action, md5, story, words } from "./story.ts";

describe("several resources", () => {
  test("the action limit holds, and hung monitors do not count against it", () => {
    const { perform, finish } = story(1);
    perform(action("monitor", { on: "a", intervalMs: 1_000 }));
    expect(words(perform(action("start", { on: "b" })))).toEqual(["run 2 b start"]);
    expect(words(perform(action("start", { on: "c" })))).toEqual([]);
    expect(words(finish(2, 0))).toContain("run 3 c start");
  });

  test("a flush leaves what nobody has ordered: how would what a dead manager left running be found", () => {
    const begun = ["a", "b"].map((on) => action("start", { on }));
    const asked = stepExecutor(createExecutor("alpha", 1, begun), { kind: "configured", ids: [] }, 0, { md5 });
    expect(words(asked.effects)).toEqual(["run 1 a monitor"]);
    const flushed = stepExecutor(asked.state, { kind: "flush" }, 0, { md5 });
    expect(words(flushed.effects)).toEqual([]);
    const event = { kind: "finished", callId: 1, outcome: { kind: "exit", code: 7 }, exitReason: "" } as const;
    const rest = { output: "", attributes: [], execMs: 1, endedWallMs: 1 };
    expect(words(stepExecutor(flushed.state, { ...event, ...rest }, 0, { md5 }).effects)).toContain("run 2 b monitor");
  });

  test("a flush drops what has not begun, and says so", () => {
    const { perform, step, finish } = story(1);
    perform(action("start", { on: "a" }));
    perform(action("start", { on: "b" }));
    expect(words(step({ kind: "flush" }))).toEqual(["result b start 1:1"]);
    expect(words(finish(1, 0))).toEqual(["history a", "result a start 0:0"]);
  });

  test("a flush tells of what runs on without the monitors that ended when its stop was ordered", () => {
    const { perform, step, finish, state } = story(1);
    perform(action("start", { on: "a" }));
    finish(1, 0);
    perform(action("monitor", { on: "a", intervalMs: 1_000 }));
    finish(2, 0);
    perform(action("start", { on: "b" }));
    perform(action("stop", { on: "a" }));
    expect(words(step({ kind: "flush" }))).toEqual(["result a stop 1:1", "history a"]);
    expect(Object.keys(state().resources["a"]?.history ?? {})).toEqual(["last_0"]);
  });

  test("a flush leaves an operator's cleanup, which no transition orders again", () => {
    const { perform, step, finish } = story(1);
    perform(action("start", { on: "a" }));
    perform(action("start", { on: "b" }));
    perform({ ...action("delete", { on: "b" }), id: 0 });
    expect(words(step({ kind: "flush" }))).toEqual(["result b start 1:1"]);
    expect(words(finish(1, 0))).toEqual(["history a", "result a start 0:0", "history b", "result b delete 0:0"]);
  });

  test("more monitors than a node can do at once: each has its turn, and none is left out for good", () => {
    const { perform, finish, elapse } = story(2);
    const seen: string[] = [];
    const note = (effects: readonly ExecutorEffect[]) => {
      for (const effect of effects) if (effect.kind === "run") seen.push(`${effect.callId} ${effect.resource.id}`);
    };
    for (const on of ["a", "b", "c", "d", "e"]) note(perform(action("monitor", { on, intervalMs: 1_000 })));
    for (let turn = 0; turn < 12; turn += 1) {
      note(elapse(5_000));
      const running = seen.slice(-2).map((run) => Number(run.split(" ")[0]));
      for (const callId of running) note(finish(callId, 0));
    }
    const times = ["a", "b", "c", "d", "e"].map((on) => seen.filter((run) => run.endsWith(on)).length);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(4);
  });
});
