/** The executor of one node, told as stories: orders go in, runs, answers and history come out. */
import { describe, expect, test } from "vitest";
import { childrenOf } from "../../../../src/base/xml.ts";
import { digestText } from "../../../../src/cluster/core/executor/digest.ts";
import { executorWakeAtMs } from "../../../../src/cluster/core/executor/executor.ts";
import { lrmResourcesXml, lrmResourceXml } from "../../../../src/cluster/core/executor/history.ts";
import type { ExecutorEffect, ExecutorState, Outcome } from "../../../../src/cluster/core/executor/types.ts";
import { fc } from "../../../support/repeatable.ts";
import { action, md5, story, UUID, words } from "./story.ts";

describe("digest", () => {
  test.each([
    [{}, 0, 0, "f2317cad3d54cec5d7d7aa7d0bf35cf8"],
    [{}, 15_000, 15_000, "3ef575c5f050ae086f0f31bc8f085fdc"],
    [{ CRM_meta_on_node: "x", crm_feature_set: "3.0" }, 0, 20_000, "f2317cad3d54cec5d7d7aa7d0bf35cf8"],
  ])("of %j every %i ms is what Pacemaker recorded", (parameters, intervalMs, timeoutMs, expected) => {
    expect(md5(digestText(parameters, intervalMs, timeoutMs))).toBe(expected);
  });

  test("does not depend on the order of the parameters", () => {
    expect(digestText({ b: "2", a: "1" }, 0, 0)).toBe(digestText({ a: "1", b: "2" }, 0, 0));
  });
});

describe("a stop knows whether what it ends has failed", () => {
  const stopOf = (effects: readonly ExecutorEffect[]) =>
    effects.flatMap((effect) => (effect.kind === "run" ? [effect.afterFailure === true] : []));
  const started = () => {
    const told = story();
    told.perform(action("start"));
    told.finish(1, 0);
    told.perform(action("monitor", { intervalMs: 1_000 }));
    told.finish(2, 0);
    return told;
  };

  test("one that was sound to the end, or was found running, has not", () => {
    const { perform, finish } = started();
    expect(stopOf(perform(action("stop")))).toEqual([false]);
    finish(3, 0);
    perform(action("monitor", { expectedCode: 7 }));
    finish(4, 0);
    expect(stopOf(perform(action("stop")))).toEqual([false]);
  });

  test("one whose monitor has failed has, until it is started again or the failure forgotten", () => {
    const { perform, finish, elapse, step } = started();
    elapse(1_000);
    finish(2, 7);
    expect(stopOf(perform(action("stop")))).toEqual([true]);
    finish(3, 0);
    perform(action("start"));
    finish(4, 0);
    expect(stopOf(perform(action("stop")))).toEqual([false]);
    finish(5, 1);
    expect(stopOf(perform(action("stop")))).toEqual([true]);
    finish(6, 1);
    step({ kind: "clear-failures", resourceId: "ip" });
    expect(stopOf(perform(action("stop")))).toEqual([false]);
  });
});

describe("one resource", () => {
  test("runs one operation at a time, in the order given", () => {
    const { perform, finish } = story();
    expect(words(perform(action("start")))).toEqual(["run 1 ip start"]);
    expect(words(perform(action("stop")))).toEqual([]);
    expect(words(finish(1, 0))).toEqual(["history ip", "result ip start 0:0", "run 2 ip stop"]);
    expect(words(finish(2, 0))).toEqual(["history ip", "result ip stop 0:0"]);
  });

  test("a monitor is told once, repeats in silence, and speaks up when its answer changes", () => {
    const { perform, finish, elapse, state } = story();
    expect(words(perform(action("monitor", { intervalMs: 10_000 })))).toEqual(["run 1 ip monitor"]);
    expect(words(finish(1, 0))).toEqual(["history ip", "result ip monitor 0:0"]);
    expect(executorWakeAtMs(state())).toBe(10_000);
    expect(words(elapse(9_999))).toEqual([]);
    expect(words(elapse(1))).toEqual(["run 1 ip monitor"]);
    expect(executorWakeAtMs(state())).toBeUndefined();
    expect(words(finish(1, 0))).toEqual([]);
    elapse(10_000);
    expect(words(finish(1, 7, "address is gone"))).toEqual(["unexpected ip"]);
    elapse(10_000);
    expect(words(finish(1, 7, "address is gone"))).toEqual([]);
    elapse(10_000);
    // That it is well again is news and no further failure.
    expect(words(finish(1, 0))).toEqual(["history ip"]);
    const suffixes = lrmResourceXml(state(), "ip")?.children.map(({ attributes }) => attributes["id"]);
    expect(suffixes).toEqual(["ip_monitor_10000", "ip_last_failure_0"]);
  });

  test("a look makes the monitor due at once, and once more when it came during a run", () => {
    const { perform, finish, elapse, step } = story();
    perform(action("monitor", { intervalMs: 10_000 }));
    finish(1, 0);
    expect(words(step({ kind: "look", agentType: "other" }))).toEqual([]);
    expect(words(step({ kind: "look", agentType: "IPaddr2" }))).toEqual(["run 1 ip monitor"]);
    elapse(5);
    expect(words(step({ kind: "look", agentType: "IPaddr2" }))).toEqual([]);
    expect(words(finish(1, 0))).toEqual(["run 1 ip monitor"]);
    expect(words(finish(1, 0))).toEqual([]);
    expect(words(elapse(9_999))).toEqual([]);
    expect(words(elapse(1))).toEqual(["run 1 ip monitor"]);
  });

  test("a stop cancels the monitor and ends the one that hangs", () => {
    const { perform, finish, elapse, state } = story();
    perform(action("monitor", { intervalMs: 1_000 }));
    finish(1, 0);
    elapse(1_000);
    expect(words(perform(action("stop")))).toEqual(["kill 1"]);
    expect(words(finish(1, { kind: "killed" }))).toEqual(["run 2 ip stop"]);
    finish(2, 0);
    expect(executorWakeAtMs(state())).toBeUndefined();
    expect(Object.keys(state().resources["ip"]?.history ?? {})).toEqual(["last_0"]);
  });

  test("a monitor cancelled before its first answer is answered as cancelled", () => {
    const { perform } = story();
    perform(action("monitor", { intervalMs: 1_000 }));
    const cancel = action("cancel", { intervalMs: 1_000, meta: { operation: "monitor", interval: "1000" } });
    expect(words(perform(cancel))).toEqual(["result ip monitor 1:1", "kill 1", "result ip cancel 0:0", "history ip"]);
  });

  test.each<[string, Outcome, string, string]>([
    ["an exit code", { kind: "exit", code: 5 }, "0:5", ""],
    ["a timeout", { kind: "timeout" }, "2:1", "did not end within 20000 ms"],
    ["no such agent", { kind: "not-installed", reason: "no agent ocf:x:y" }, "7:5", "no agent ocf:x:y"],
    ["a foreign signal", { kind: "error", reason: "ended by SIGSEGV" }, "4:1", "ended by SIGSEGV"],
  ])("%s is recorded as its code, and as a failure", (_name, outcome, codes, reason) => {
    const { perform, finish, state } = story();
    perform(action("start"));
    finish(1, outcome);
    const [last, failure] = lrmResourceXml(state(), "ip")?.children ?? [];
    expect(last?.attributes["transition-magic"]).toBe(`${codes};7:1:0:${UUID}`);
    expect(last?.attributes["exit-reason"]).toBe(reason);
    expect(failure?.attributes["id"]).toBe("ip_last_failure_0");
  });

  test("the history has Pacemaker's form", () => {
    const { perform, finish, state } = story();
    perform(action("monitor", { expectedCode: 7 }));
    finish(1, 7);
    const [operation] = childrenOf(lrmResourceXml(state(), "ip"), "lrm_rsc_op");
    expect(operation?.attributes).toEqual({
      id: "ip_last_0",
      operation_key: "ip_monitor_0",
      operation: "monitor",
      crm_feature_set: "3.16.2",
      "transition-key": `7:1:7:${UUID}`,
      "transition-magic": `0:7;7:1:7:${UUID}`,
      "exit-reason": "",
      on_node: "alpha",
      "call-id": "1",
      "rc-code": "7",
      "op-status": "0",
      interval: "0",
      "last-rc-change": "1700000000",
      "exec-time": "12",
      "queue-time": "0",
      "op-digest": md5(' <parameters ip="198.18.0.9"/>\n'),
    });
  });

  test("what runs or waits stands in the history as pending", () => {
    const { perform, state } = story();
    perform(action("start"));
    const [operation] = lrmResourceXml(state(), "ip")?.children ?? [];
    expect(operation?.attributes).toMatchObject({ id: "ip_last_0", operation: "start", "op-status": "-1" });
  });

  test("a notification leaves no history", () => {
    const { perform, finish, state } = story();
    perform(action("notify"));
    expect(words(finish(1, 0))).toEqual(["result ip notify 0:0"]);
    expect(lrmResourcesXml(state()).children).toEqual([]);
  });

  test("a monitor that was ordered while a delete waited is answered", () => {
    const { perform, finish } = story();
    perform(action("start"));
    perform(action("delete"));
    expect(words(perform(action("monitor", { intervalMs: 10_000 })))).toEqual([]);
    const said = words(finish(1, 0));
    expect(said.slice(-3)).toEqual(["result ip monitor 1:1", "history ip", "result ip delete 0:0"]);
  });

  test("delete forgets it, after what runs", () => {
    const { perform, finish, state } = story();
    perform(action("monitor"));
    expect(words(perform(action("delete")))).toEqual([]);
    expect(words(finish(1, 0)).slice(-2)).toEqual(["history ip", "result ip delete 0:0"]);
    expect(lrmResourcesXml(state()).children).toEqual([]);
  });

  test("a cleared failure leaves the rest of the history alone", () => {
    const { perform, finish, step, state } = story();
    perform(action("start"));
    finish(1, 1);
    expect(words(step({ kind: "clear-failures", resourceId: "ip", operation: "stop" }))).toEqual([]);
    expect(words(step({ kind: "clear-failures", resourceId: "ip", operation: "start" }))).toEqual(["history ip"]);
    expect(Object.keys(state().resources["ip"]?.history ?? {})).toEqual(["last_0"]);
  });
});

describe("what a new DC is told of a stop that is under way", () => {
  const told = (state: ExecutorState) =>
    childrenOf(lrmResourceXml(state, "ip"), "lrm_rsc_op").map(
      ({ attributes }) => `${attributes["operation"]} ${attributes["op-status"]}`,
    );

  test("it stands beside the start, not in its place: what is stopping still runs", () => {
    const { perform, finish, state } = story();
    perform(action("start"));
    finish(1, 0);
    perform(action("stop"));
    expect(told(state())).toEqual(["start 0", "stop -1"]);
    finish(2, 0);
    expect(told(state())).toEqual(["stop 0"]);
  });

  test("of a resource of which nothing is known it says nothing", () => {
    const { perform, state } = story();
    perform(action("stop"));
    expect(told(state())).toEqual([]);
  });
});

describe("a delay", () => {
  test("of a monitor counts from its order, and then no more", () => {
    const { perform, elapse, finish, state } = story();
    expect(words(perform(action("monitor", { intervalMs: 10_000, startDelayMs: 60_000 })))).toEqual([]);
    expect(executorWakeAtMs(state())).toBe(60_000);
    expect(words(elapse(59_999))).toEqual([]);
    expect(words(elapse(1))).toEqual(["run 1 ip monitor"]);
    finish(1, 0);
    expect(executorWakeAtMs(state())).toBe(70_000);
  });

  test("of a start holds what follows it, and wakes nobody while there is no slot", () => {
    const { perform, elapse, finish, state } = story(1);
    perform(action("start", { on: "a" }));
    perform(action("start", { startDelayMs: 5_000 }));
    expect(words(perform(action("stop")))).toEqual([]);
    expect(executorWakeAtMs(state())).toBeUndefined();
    elapse(2_000);
    finish(1, 0);
    expect(executorWakeAtMs(state())).toBe(5_000);
    expect(words(elapse(3_000))).toEqual(["run 2 ip start"]);
    expect(words(finish(2, 0))).toContain("run 3 ip stop");
  });
});

test("an operation that is given no time at all has the default, and its digest stays the configured one", () => {
  const { perform, finish, state } = story();
  const [run] = perform(action("stop", { timeoutMs: 0, meta: { timeout: "0" } })).filter(({ kind }) => kind === "run");
  expect(run).toMatchObject({ timeoutMs: 20_000, environment: { OCF_RESKEY_CRM_meta_timeout: "20000" } });
  finish(1, { kind: "timeout" });
  expect(state().resources["ip"]?.history["last_0"]?.exitReason).toBe("did not end within 20000 ms");
  perform(action("monitor", { timeoutMs: 0, intervalMs: 10_000 }));
  finish(2, 0);
  const { digest } = state().resources["ip"]?.history["monitor_10000"] ?? {};
  expect(digest).toBe(md5(digestText({ ip: "198.18.0.9" }, 10_000, 0)));
});

test("the agent is told the contract's environment", () => {
  const { perform } = story();
  const meta = { clone_max: "2", "notify-type": "pre", OCF_CHECK_LEVEL: "10" };
  const [run] = perform(action("monitor", { intervalMs: 10_000, meta }));
  expect(run?.kind === "run" ? run.environment : {}).toMatchObject({
    OCF_RESOURCE_INSTANCE: "ip",
    OCF_RESOURCE_TYPE: "IPaddr2",
    OCF_RESOURCE_PROVIDER: "gemel",
    OCF_RESKEY_ip: "198.18.0.9",
    OCF_RESKEY_CRM_meta_interval: "10000",
    OCF_RESKEY_CRM_meta_timeout: "20000",
    OCF_RESKEY_CRM_meta_name: "monitor",
    OCF_RESKEY_CRM_meta_on_node: "alpha",
    OCF_RESKEY_CRM_meta_clone_max: "2",
    OCF_RESKEY_CRM_meta_notify_type: "pre",
    OCF_CHECK_LEVEL: "10",
  });
});

test("whatever comes: one run at a time for each resource, one answer for each order", () => {
  const command = fc.oneof(
    fc.record({
      kind: fc.constant("perform" as const),
      on: fc.constantFrom("a", "b", "c"),
      operation: fc.constantFrom("start", "stop", "monitor", "promote", "delete", "cancel", "notify"),
      intervalMs: fc.constantFrom(0, 0, 1_000),
    }),
    fc.record({ kind: fc.constant("finish" as const), nth: fc.nat(3), code: fc.constantFrom(0, 0, 1, 7) }),
    fc.record({ kind: fc.constant("after" as const), ms: fc.nat(2_000) }),
    fc.constant({ kind: "flush" as const }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const { perform, finish, elapse, step } = story(2);
      const running = new Map<number, string>();
      let orders = 0;
      let answers = 0;
      const see = (effects: readonly ExecutorEffect[]) => {
        for (const effect of effects) {
          if (effect.kind === "result") answers += 1;
          if (effect.kind !== "run") continue;
          expect([...running.values()]).not.toContain(effect.resource.id);
          running.set(effect.callId, effect.resource.id);
        }
      };
      const finishOne = (callId: number, code: number) => {
        running.delete(callId);
        see(finish(callId, code));
      };
      for (const given of commands) {
        if (given.kind === "after") see(elapse(given.ms));
        else if (given.kind === "flush") see(step({ kind: "flush" }));
        else if (given.kind === "finish") {
          const callId = [...running.keys()][given.nth];
          if (callId !== undefined) finishOne(callId, given.code);
        } else {
          const recurs = given.operation === "monitor" || given.operation === "cancel";
          orders += 1;
          see(perform(action(given.operation, { on: given.on, intervalMs: recurs ? given.intervalMs : 0 })));
        }
      }
      for (let [callId] = running.keys(); callId !== undefined; [callId] = running.keys()) finishOne(callId, 0);
      expect(answers).toBe(orders);
    }),
  );
});
