/** The execution of transitions: order, failures, aborts, dead nodes; by table and by random graphs. */
import { expect, test } from "vitest";
import type { ResourceAction, Transition, TransitionAction } from "../../../src/cluster/core/transition/graph.ts";
import {
  awaitsFencingOnly,
  inFlight,
  type RunEvent,
  runWakeAtMs,
  startRun,
  stepRun,
  type TransitionRun,
} from "../../../src/cluster/core/transition/run.ts";
import { fc } from "../../support/repeatable.ts";

function action(id: number, inputs: readonly number[], node = "alpha"): ResourceAction {
  return {
    kind: "resource",
    id,
    key: `r${id}_start_0`,
    priority: 0,
    inputs,
    reason: { code: "test", facts: {} },
    operation: "start",
    node,
    resource: { id: `r${id}`, class: "ocf", provider: "gemel", type: "Dummy" },
    intervalMs: 0,
    timeoutMs: 10_000,
    parameters: {},
    meta: {},
    expectedCode: 0,
  };
}

const pseudo = (id: number, inputs: readonly number[]): TransitionAction => ({
  kind: "pseudo",
  id,
  key: `p${id}`,
  priority: 0,
  inputs,
  reason: { code: "test", facts: {} },
  operation: "start",
});

function transition(actions: readonly TransitionAction[], batchLimit = 0): Transition {
  return { actions, clusterDelayMs: 5_000, fencingTimeoutMs: 60_000, batchLimit, migrationLimit: 0, summary: [] };
}

/** Feeds events; returns the run and everything that was started, in order. */
function play(graph: Transition, events: readonly (RunEvent & { readonly atMs?: number })[]) {
  let { state, effects } = startRun(graph, 1, 0);
  const all = [...effects];
  for (const { atMs = 0, ...event } of events) {
    ({ state, effects } = stepRun(state, event, atMs));
    all.push(...effects);
  }
  const started = all.flatMap((effect) => (effect.kind === "start" ? [effect.action.id] : []));
  const finished = all.find((effect) => effect.kind === "finished");
  return { state, started, finished };
}

const ok = (actionId: number): RunEvent => ({ kind: "ended", actionId, succeeded: true });
const bad = (actionId: number): RunEvent => ({ kind: "ended", actionId, succeeded: false });

test("an action starts as soon as its inputs have succeeded, pseudo actions in between take no time", () => {
  const graph = transition([action(1, []), action(2, []), pseudo(3, [1, 2]), action(4, [3])]);
  expect(play(graph, []).started).toEqual([1, 2]);
  expect(play(graph, [ok(2)]).started).toEqual([1, 2]);
  const done = play(graph, [ok(2), ok(1), ok(4)]);
  expect(done.started).toEqual([1, 2, 4]);
  expect(done.finished).toEqual({ kind: "finished", complete: true });
});

test("after a failure nothing new starts; what runs is awaited", () => {
  const graph = transition([action(1, []), action(2, []), action(3, [2])]);
  const half = play(graph, [bad(1)]);
  expect(half.finished).toBeUndefined();
  expect(inFlight(half.state)).toEqual(["r2_start_0 on alpha"]);
  const whole = play(graph, [bad(1), ok(2)]);
  expect(whole.started).toEqual([1, 2]);
  expect(whole.finished).toEqual({ kind: "finished", complete: false });
  expect(whole.state.aborted).toBe("r1_start_0 failed");
});

test("a dead node is never waited for", () => {
  const graph = transition([action(1, [], "bravo"), action(2, [1])]);
  const { finished, started } = play(graph, [{ kind: "node-gone", node: "bravo" }]);
  expect(started).toEqual([1]);
  expect(finished).toEqual({ kind: "finished", complete: false });
});

const fencing = (operation: "on" | "off"): TransitionAction => {
  const reason = { code: "test", facts: {} };
  return { kind: "fence", id: 1, key: "f", priority: 0, inputs: [], reason, operation, target: "bravo", meta: {} };
};

test("a node that dies while it lets itself in is not waited for", () => {
  const gone = { kind: "node-gone", node: "bravo" } as const;
  expect(play(transition([fencing("on")]), [gone]).finished).toEqual({ kind: "finished", complete: false });
});

test("a fencing is waited for until something new has happened: that must not wait until a person comes", () => {
  const graph = transition([fencing("off"), action(2, []), action(3, [1])]);
  const calm = play(graph, [ok(2)]);
  expect(calm.finished).toBeUndefined();
  expect(inFlight(calm.state)).toEqual(["f"]);
  const news = { kind: "abort", reason: "news" } as const;
  expect(play(graph, [news]).finished).toBeUndefined();
  const after = play(graph, [news, ok(2)]);
  expect(after.finished).toEqual({ kind: "finished", complete: false });
  expect(awaitsFencingOnly(after.state)).toBe(true);
  // Its answer belongs to a later run: nothing that waited for it starts in this one.
  expect(play(graph, [news, ok(2), ok(1)]).started).toEqual([1, 2]);
  expect(awaitsFencingOnly(play(graph, [bad(2)]).state)).toBe(false);
});

test("what begins again where it ran does not wait for a fencing; what moves, or runs there as well, does", () => {
  const stop = (id: number, node: string): ResourceAction => ({ ...action(id, [], node), operation: "stop" });
  const start = (id: number, inputs: readonly number[]) => ({
    ...action(id, inputs),
    resource: action(2, []).resource,
  });
  // Restarted on alpha.
  const restart = transition([fencing("off"), stop(2, "alpha"), start(3, [1, 2])]);
  expect(play(restart, [ok(2)]).started).toEqual([1, 2, 3]);
  const moved = transition([fencing("off"), stop(2, "charlie"), start(3, [1, 2])]);
  expect(play(moved, [ok(2)]).started).toEqual([1, 2]);
  // Its stop on bravo is true only by the fencing.
  const twice = transition([fencing("off"), stop(2, "alpha"), pseudo(4, [1]), start(3, [1, 2, 4])]);
  expect(play(twice, [ok(2)]).started).toEqual([1, 2]);
  expect(play(twice, [ok(2), ok(1)]).started).toEqual([1, 2, 3]);
  const fresh = transition([fencing("off"), start(3, [1])]);
  expect(play(fresh, []).started).toEqual([1]);
});

test("an answer that never comes ends the action after its timeout and the cluster delay", () => {
  const graph = transition([action(1, [])]);
  expect(runWakeAtMs(startRun(graph, 1, 0).state)).toBe(15_000);
  expect(play(graph, [{ kind: "tick", atMs: 14_999 }]).finished).toBeUndefined();
  expect(play(graph, [{ kind: "tick", atMs: 15_000 }]).finished).toEqual({ kind: "finished", complete: false });
});

test("a node takes part in so many live migrations at once as migration-limit says; the rest starts at once", () => {
  const moving = (id: number, operation: string, node: string): ResourceAction => ({
    ...action(id, [], node),
    operation,
  });
  const out = [1, 2, 3].map((id) => moving(id, "migrate_to", "alpha"));
  const graph = { ...transition([...out, moving(4, "migrate_from", "bravo"), action(5, [])]), migrationLimit: 2 };
  expect(play(graph, []).started).toEqual([1, 2, 4, 5]);
  expect(play(graph, [ok(4), ok(5)]).started).toEqual([1, 2, 4, 5]);
  expect(play(graph, [ok(2)]).started).toEqual([1, 2, 4, 5, 3]);
  expect(play({ ...graph, migrationLimit: 0 }, []).started).toEqual([1, 2, 3, 4, 5]);
});

test("the batch limit holds", () => {
  const graph = transition([action(1, []), action(2, []), action(3, [])], 2);
  expect(play(graph, []).started).toEqual([1, 2]);
  expect(play(graph, [ok(1)]).started).toEqual([1, 2, 3]);
});

test("an aborted or empty transition is finished at once", () => {
  expect(play(transition([]), []).finished).toEqual({ kind: "finished", complete: true });
  const graph = transition([action(1, []), action(2, [1])]);
  expect(play(graph, [{ kind: "abort", reason: "news" }, ok(1)]).started).toEqual([1]);
});

test("random graphs: nothing starts before its inputs have succeeded, or twice, or after a failure", () => {
  const node = fc.record({ inputs: fc.array(fc.nat(11), { maxLength: 3 }), isPseudo: fc.boolean() });
  fc.assert(
    fc.property(fc.array(node, { maxLength: 12 }), fc.array(fc.boolean(), { maxLength: 40 }), (nodes, outcomes) => {
      const actions = nodes.map(({ inputs, isPseudo }, index) => {
        const earlier = [...new Set(inputs.filter((input) => input < index).map((input) => input + 1))];
        return isPseudo ? pseudo(index + 1, earlier) : action(index + 1, earlier);
      });
      let { state, effects } = startRun(transition(actions), 1, 0);
      const succeeded = new Set<number>();
      const begun: number[] = [];
      let failed = false;
      const note = (now: TransitionRun) => {
        now.phases.forEach((phase, at) => {
          if (phase === "succeeded") succeeded.add(actions[at]?.id ?? 0);
        });
        for (const effect of effects) {
          if (effect.kind !== "start") continue;
          expect(failed).toBe(false);
          expect(effect.action.inputs.every((input) => succeeded.has(input))).toBe(true);
          expect(begun).not.toContain(effect.action.id);
          begun.push(effect.action.id);
        }
      };
      note(state);
      for (const outcome of outcomes) {
        const running = state.transition.actions.filter((_one, at) => state.phases[at] === "running");
        const [next] = running;
        if (next === undefined) break;
        if (!outcome) failed = true;
        ({ state, effects } = stepRun(state, { kind: "ended", actionId: next.id, succeeded: outcome }, 0));
        note(state);
      }
      if (!failed && state.finished) expect(succeeded.size).toBe(actions.length);
    }),
  );
});
