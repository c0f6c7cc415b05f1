/** One executor, stepped by hand: orders go in, and what it said comes out as words. */
import { createHash } from "node:crypto";
import { unreachable } from "../../../../src/base/check.ts";
import { createExecutor, stepExecutor } from "../../../../src/cluster/core/executor/executor.ts";
import type {
  ExecutorEffect,
  ExecutorEvent,
  ExecutorState,
  Outcome,
} from "../../../../src/cluster/core/executor/types.ts";
import type { ResourceAction } from "../../../../src/cluster/core/transition/graph.ts";

export const md5 = (text: string) => createHash("md5").update(text).digest("hex");
export const UUID = "b9a727e7-174d-4152-a531-985ecf300aba";

export function action(
  operation: string,
  given: Partial<ResourceAction> & { readonly on?: string } = {},
): ResourceAction {
  const { on = "ip", ...rest } = given;
  const resource = { id: on, class: "ocf", provider: "gemel", type: "IPaddr2" };
  const fixed = {
    kind: "resource",
    id: 7,
    key: `${on}_${operation}_0`,
    priority: 0,
    inputs: [],
    node: "alpha",
  } as const;
  const timing = { intervalMs: 0, timeoutMs: 20_000, parameters: { ip: "198.18.0.9" }, meta: {}, expectedCode: 0 };
  return { ...fixed, ...timing, reason: { code: "start", facts: {} }, operation, resource, ...rest };
}

/** Steps one executor and keeps what it said. */
export function story(actionLimit = 4) {
  let state: ExecutorState = createExecutor("alpha", actionLimit);
  let nowMs = 0;
  const step = (event: ExecutorEvent): readonly ExecutorEffect[] => {
    const stepped = stepExecutor(state, event, nowMs, { md5 });
    state = stepped.state;
    return stepped.effects;
  };
  const perform = (ordered: ResourceAction) =>
    step({ kind: "perform", action: ordered, transitionKey: `${ordered.id}:1:${ordered.expectedCode}:${UUID}` });
  const finish = (callId: number, outcome: Outcome | number, exitReason = "") =>
    step({
      kind: "finished",
      callId,
      outcome: typeof outcome === "number" ? { kind: "exit", code: outcome } : outcome,
      exitReason,
      output: "",
      attributes: [],
      execMs: 12,
      endedWallMs: 1_700_000_000_012 + nowMs,
    });
  const elapse = (ms: number) => {
    nowMs += ms;
    return step({ kind: "tick" });
  };
  return { step, perform, finish, elapse, state: () => state };
}

export const words = (effects: readonly ExecutorEffect[]) =>
  effects.flatMap((effect) => {
    switch (effect.kind) {
      case "run":
        return `run ${effect.callId} ${effect.resource.id} ${effect.operation}`;
      case "kill":
        return `kill ${effect.callId}`;
      case "result":
        return `result ${effect.resourceId} ${effect.operation} ${effect.opStatus}:${effect.rcCode}`;
      case "history-changed":
        return effect.unexpected ? `unexpected ${effect.resourceId}` : `history ${effect.resourceId}`;
      case "keep-begun":
        // Told by runs-with.test.ts.
        return [];
      case "log":
        return `log ${effect.text}`;
      case "attribute":
        return `attribute ${effect.name}=${effect.value ?? ""}`;
      default:
        return unreachable(effect);
    }
  });
