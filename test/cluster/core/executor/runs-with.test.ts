/** What runs is ended as it was begun, whatever the configuration says by now. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openBegunNotes } from "../../../../src/app/manager/begun-notes.ts";
import { createExecutor, stepExecutor } from "../../../../src/cluster/core/executor/executor.ts";
import { lrmResourceXml } from "../../../../src/cluster/core/executor/history.ts";
import type { Begun } from "../../../../src/cluster/core/executor/runs-with.ts";
import type { ExecutorEffect, ExecutorEvent, ExecutorState } from "../../../../src/cluster/core/executor/types.ts";
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

const MINUTE_MS = 60_000;

/** A manager that dies and is started anew: `kept` is all that it leaves. */
function lives() {
  const kept = new Map<string, Begun>();
  let state = createExecutor("alpha", 4);
  const step = (event: ExecutorEvent) => {
    const stepped = stepExecutor(state, event, 0, { md5: (text) => text });
    state = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind !== "keep-begun") continue;
      if (effect.begun === null) kept.delete(effect.resourceId);
      else kept.set(effect.resourceId, effect.begun);
    }
    return stepped.effects;
  };
  let endedWallMs = 0;
  return {
    kept,
    perform: (ordered: ResourceAction) => step({ kind: "perform", action: ordered, transitionKey: "7:1:0:dc" }),
    finish: (effects: readonly ExecutorEffect[], code: number) => {
      const callId = effects.find((effect) => effect.kind === "run")?.callId ?? 0;
      // Each a minute after the last one.
      endedWallMs += MINUTE_MS;
      const end = { exitReason: "", output: "", attributes: [], execMs: 0, endedWallMs };
      return step({ kind: "finished", callId, outcome: { kind: "exit", code }, ...end });
    },
    /** `configured`: what the configuration has by then. */
    dieAndComeBack: (...configured: readonly string[]) => {
      state = createExecutor("alpha", 4, [...kept.values()]);
      return step({ kind: "configured", ids: configured });
    },
    since: () => {
      const found = lrmResourceXml(state, "ip");
      const operation = found?.children.find(({ attributes: { id } }) => id === "ip_last_0");
      return Number(found?.attributes["active-since"] ?? operation?.attributes["last-rc-change"]) / 60;
    },
    history: () => lrmResourceXml(state, "ip")?.children.map(({ attributes }) => attributes),
  };
}

const told = (effects: readonly ExecutorEffect[]) =>
  effects.flatMap((effect) => (effect.kind === "run" ? [`${effect.operation} ${effect.parameters["ip"]}`] : []));

describe("a manager that was killed", () => {
  test("the next one looks where the resource was begun, and ends it there", () => {
    const node = lives();
    node.finish(node.perform(action("start", OLD)), 0);
    const looked = node.dieAndComeBack();
    expect(told(looked)).toEqual(["monitor 198.18.0.9"]);
    const found = node.finish(looked, 0);
    expect(found.some((effect) => effect.kind === "result" && effect.rcCode === 0)).toBe(true);
    // The digest is that of what runs, so that the scheduler sees that the definition is another one now.
    expect(node.history()?.[0]).toMatchObject({
      operation: "monitor",
      "rc-code": "0",
      "op-digest": expect.stringContaining(OLD.ip),
    });
    expect(told(node.perform(action("stop", REMOVED)))).toEqual(["stop 198.18.0.9"]);
  });

  test("what is configured is left to the DC, which hears what the agent tells; it is found as it was begun", () => {
    const node = lives();
    node.finish(node.perform(action("start", OLD)), 0);
    expect(told(node.dieAndComeBack("ip"))).toEqual([]);
    const looked = node.perform(action("monitor", NEW));
    expect(told(looked)).toEqual(["monitor 198.18.0.9"]);
  });

  test("in the middle of a start leaves a note of it, too", () => {
    const node = lives();
    expect(told(node.perform(action("start", OLD)))).toEqual(["start 198.18.0.9"]);
    expect(told(node.dieAndComeBack())).toEqual(["monitor 198.18.0.9"]);
  });

  test("what is no more there leaves no history, so that the DC has it looked for as configured", () => {
    const node = lives();
    node.finish(node.perform(action("start", OLD)), 0);
    node.finish(node.dieAndComeBack(), 7);
    expect(node.history()).toBeUndefined();
    expect(node.kept.size).toBe(0);
  });

  test("what was stopped leaves nothing; a stop that failed leaves the note", () => {
    const node = lives();
    node.finish(node.perform(action("start", OLD)), 0);
    node.finish(node.perform(action("stop", NEW)), 1);
    expect(node.kept.get("ip")?.parameters).toEqual(OLD);
    node.finish(node.perform(action("stop", NEW)), 0);
    expect(node.kept.size).toBe(0);
    expect(told(node.dieAndComeBack())).toEqual([]);
  });

  test("a fencing device leaves nothing to be ended", () => {
    const node = lives();
    const device = { id: "fence", class: "stonith", type: "ipmi-lan" };
    node.finish(node.perform({ ...action("start", OLD), resource: device }), 0);
    expect(node.kept.size).toBe(0);
  });
});

describe("since when it stands in its state", () => {
  test("is not forgotten when the manager is started anew and probes, nor by a cleanup or a reload", () => {
    const node = lives();
    node.finish(node.perform(action("start", OLD)), 0);
    expect(node.since()).toBe(1);
    node.dieAndComeBack("ip");
    node.finish(node.perform(action("monitor", OLD)), 0);
    expect(node.history()?.[0]).toMatchObject({ operation: "monitor", "last-rc-change": "120" });
    expect(node.since()).toBe(1);
    node.perform(action("delete", {}));
    node.finish(node.perform(action("monitor", OLD)), 0);
    expect(node.since()).toBe(1);
    node.finish(node.perform(action("reload-agent", NEW)), 0);
    expect(node.since()).toBe(1);
  });

  test("is that of its last promotion, and begins anew with a new start", () => {
    const node = lives();
    node.finish(node.perform(action("start", OLD)), 0);
    node.finish(node.perform(action("promote", OLD)), 0);
    node.dieAndComeBack("ip");
    node.finish(node.perform(action("monitor", OLD)), 8);
    expect(node.since()).toBe(2);
    node.finish(node.perform(action("stop", OLD)), 0);
    node.finish(node.perform(action("start", OLD)), 0);
    expect(node.since()).toBe(5);
  });

  test("is not known of what the cluster has not begun", () => {
    const node = lives();
    node.finish(node.perform(action("monitor", OLD)), 0);
    expect(node.kept.get("ip")?.sinceWallMs).toBeUndefined();
  });
});

describe("a probe", () => {
  test("looks where the resource was begun, and where it is configured only when it is not there", () => {
    const node = lives();
    node.finish(node.perform(action("start", OLD)), 0);
    node.finish(node.perform(action("delete", {})), 0);
    const first = node.perform({ ...action("monitor", NEW), expectedCode: 7 });
    expect(told(first)).toEqual(["monitor 198.18.0.9"]);
    const second = node.finish(first, 7);
    expect(told(second)).toEqual(["monitor 198.18.0.10"]);
    expect(second.some(({ kind }) => kind === "result")).toBe(false);
    const last = node.finish(second, 7);
    expect(last.filter((effect) => effect.kind === "result")).toMatchObject([{ rcCode: 7, transitionKey: "7:1:0:dc" }]);
    expect(node.history()).toMatchObject([{ "op-digest": expect.stringContaining(NEW.ip) }]);
  });

  test("of a resource with another agent by now asks the agent that it was begun with", () => {
    const node = lives();
    node.finish(node.perform(action("start", OLD)), 0);
    node.perform(action("delete", {}));
    const other = {
      ...action("monitor", NEW),
      resource: { id: "ip", class: "ocf", provider: "acme", type: "Address" },
    };
    expect(node.perform(other).find((effect) => effect.kind === "run")?.resource.type).toBe("IPaddr2");
  });
});

describe("the notes on disk", () => {
  let folder: string;
  let boot: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "gemel-begun-"));
    boot = "first";
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const said: string[] = [];
  const open = () => openBegunNotes(folder, (_level, text) => said.push(text), boot);
  const begun = (id: string): Begun => {
    const { parameters, meta, timeoutMs, resource } = action("start", OLD);
    return { parameters, meta, timeoutMs, resource: { ...resource, id } };
  };

  test("are there for the next manager, are their owner's alone, and are taken back", () => {
    const first = open();
    for (const id of ["a/../b", "c"]) first.keep(id, begun(id));
    const names = readdirSync(path.join(folder, "begun"));
    expect(names.map((name) => statSync(path.join(folder, "begun", name)).mode & 0o777)).toEqual([0o600, 0o600]);
    expect(
      open()
        .begun.map(({ resource }) => resource.id)
        .toSorted(),
    ).toEqual(["a/../b", "c"]);
    first.keep("c", null);
    expect(open().begun.map(({ resource }) => resource.id)).toEqual(["a/../b"]);
  });

  test("of an earlier boot mean nothing, and one that is torn is told", () => {
    open().keep("a", begun("a"));
    boot = "second";
    expect(open().begun).toEqual([]);
    writeFileSync(path.join(folder, "begun", "b.json"), '{"boot":"second","beg');
    expect(open().begun).toEqual([]);
    expect(said).toEqual([expect.stringContaining("b.json cannot be read")]);
  });
});
