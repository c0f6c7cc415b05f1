/** Which of a node's cores an event is for, and which of them a tick finds due. */
import { earliest } from "../../../base/earliest.ts";
import { wakeCibStoreAtMs } from "../cib-store/store.ts";
import type { CibStoreEvent } from "../cib-store/types.ts";
import { executorWakeAtMs } from "../executor/executor.ts";
import type { ExecutorEvent } from "../executor/types.ts";
import { controllerWakeAtMs } from "./controller.ts";
import type { NodeEvent, NodeState } from "./node-core.ts";
import type { ControllerEvent } from "./types.ts";

export type Inner =
  | { readonly to: "controller"; readonly event: ControllerEvent }
  | { readonly to: "executor"; readonly event: ExecutorEvent }
  | { readonly to: "store"; readonly event: CibStoreEvent };

const TICK = { kind: "tick" } as const;

/** Only the cores whose time has come: most ticks are for an executor that begins its next monitor. */
function innerTicks({ executor, store, controller }: NodeState, nowMs: number): readonly Inner[] {
  const isDue = (wakeMs: number | undefined) => wakeMs !== undefined && wakeMs <= nowMs;
  const inner: Inner[] = [];
  if (isDue(executorWakeAtMs(executor))) inner.push({ to: "executor", event: TICK });
  if (isDue(wakeCibStoreAtMs(store))) inner.push({ to: "store", event: TICK });
  if (isDue(controllerWakeAtMs(controller))) inner.push({ to: "controller", event: TICK });
  return inner;
}

export function innerEvents(state: NodeState, event: NodeEvent, nowMs: number): readonly Inner[] {
  switch (event.kind) {
    case "view":
    case "decision":
    case "fenced":
    case "cleanup":
    case "stop":
      return [{ to: "controller", event }];
    case "finished":
    case "look":
    case "disk":
    case "load":
      return [{ to: "executor", event }];
    case "submit":
    case "persisted":
    case "report":
      return [{ to: "store", event }];
    case "messages-lost":
      return [
        { to: "store", event },
        { to: "controller", event: { kind: "messages-lost" } },
      ];
    case "message": {
      const { from, message } = event;
      if (message.room === "cib")
        return [{ to: "store", event: { kind: "from-peer", from, message: message.message } }];
      return [{ to: "controller", event: { kind: "message", from, message: message.message } }];
    }
    case "tick":
      return innerTicks(state, nowMs);
    default:
      return event satisfies never;
  }
}

/** When the node next wants a `tick`. */
export function nodeWakeAtMs({ controller, executor, store }: NodeState): number | undefined {
  return earliest(earliest(controllerWakeAtMs(controller), executorWakeAtMs(executor)), wakeCibStoreAtMs(store));
}
