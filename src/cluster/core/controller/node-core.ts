/**
 * The manager of one node as one core: controller, executor and CIB store joined. What one of them tells another is
 * passed on within the same step and in order; only what concerns the world comes out. Pure: the loop of the manager
 * and the test harness (and the simulator) run this very code.
 */
import { check } from "../../../base/check.ts";
import { entryOf, withEntry, without } from "../../../base/record.ts";
import type { Stepped } from "../../../base/step.ts";
import { childrenOf, type XmlElement, xml } from "../../../base/xml.ts";
import { keptStatus } from "../cib-store/kept-status.ts";
import type { CibStore } from "../cib-store/state.ts";
import { cibTree, createCibStore, stepCibStore } from "../cib-store/store.ts";
import type {
  CibMessage,
  CibStoreEffect,
  CibStoreEvent,
  ConfigurationRequest,
  StatusChange,
  StoredCib,
} from "../cib-store/types.ts";
import { createExecutor, limited, lookAtForgotten, stepExecutor } from "../executor/executor.ts";
import { lrmResourcesXml, lrmResourceXml } from "../executor/history.ts";
import { limitOptionsOf } from "../executor/limits.ts";
import type { Begun } from "../executor/runs-with.ts";
import type { ExecutorEffect, ExecutorEvent, ExecutorState, ExecutorTools } from "../executor/types.ts";
import type { ResourceAction } from "../transition/graph.ts";
import { configuredNodes, configuredResources } from "./cib-read.ts";
import { createController, stepController } from "./controller.ts";
import { type Inner, innerEvents } from "./node-inputs.ts";
import { recordChanges } from "./record-changes.ts";
import { noteStrange } from "./strange-words.ts";
import type {
  ClearScope,
  ControllerEffect,
  ControllerEvent,
  ControllerMessage,
  ControllerState,
  Instant,
  OperationFailure,
} from "./types.ts";

/** What managers send each other; the loop carries it through the channel. */
export type NodeMessage =
  | { readonly room: "controller"; readonly message: ControllerMessage }
  | { readonly room: "cib"; readonly message: CibMessage };

export interface NodeState {
  readonly self: string;
  readonly controller: ControllerState;
  readonly executor: ExecutorState;
  readonly store: CibStore;
  /** The history of each resource as last reported, so that only what is new is sent. */
  readonly reported: Readonly<Record<string, XmlElement>>;
  readonly requestPrefix: string;
  readonly nextRequest: number;
  /** What managers of a later version said that this one does not know, as `FROM WORD`: told once. */
  readonly strange: readonly string[];
}

export type NodeEvent =
  | Extract<ControllerEvent, { kind: "view" | "decision" | "fenced" | "cleanup" | "stop" }>
  | { readonly kind: "message"; readonly from: string; readonly message: NodeMessage }
  | Extract<ExecutorEvent, { kind: "finished" | "look" | "disk" | "load" }>
  | Extract<CibStoreEvent, { kind: "submit" | "persisted" | "report" | "messages-lost" }>
  | { readonly kind: "tick" };

export type NodeEffect =
  | { readonly kind: "send"; readonly to: string; readonly message: NodeMessage }
  | Extract<ExecutorEffect, { kind: "run" | "kill" | "keep-begun" }>
  | Extract<CibStoreEffect, { kind: "persist" | "conflict" | "answer" }>
  | Extract<
      ControllerEffect,
      { kind: "schedule" | "fence" | "withdraw-fence" | "peer-fenced" | "peer-accepted" | "leave" | "log" }
    >
  /** The CIB in force has changed; read it with `nodeCib`. */
  | { readonly kind: "cib-changed"; readonly what: "configuration" | "status" };

/** No step leads to so many further ones but by a loop of our own making. */
const INNER_STEPS_MAX = 10_000;

export interface NodeStart {
  readonly self: string;
  /** Unique to this start of the manager. */
  readonly incarnation: string;
  /** Grows with each start of the manager on this node. */
  readonly session: number;
  readonly actionLimit: number;
  /** From the disk; undefined where nobody has written one. */
  readonly stored: StoredCib | undefined;
  /** The nodes of the node configuration, with their ids. */
  readonly nodes: ControllerState["nodes"];
  /** As `nodeFenced` of an earlier manager of the same keeper said; empty after the keeper's start. */
  readonly fenced: ControllerState["fenced"];
  /** What `keep-begun` of earlier managers said since the machine has booted. */
  readonly begun: readonly Begun[];
  /** As `nodeKeptStatus` of an earlier manager of the same keeper said; undefined after the keeper's start. */
  readonly kept: XmlElement | undefined;
}

export function createNode(start: NodeStart, nowMs: number): NodeState {
  const { self, incarnation, session, actionLimit, stored, nodes, fenced, begun, kept } = start;
  const store = createCibStore(self, session, stored, kept);
  const executor = limited(createExecutor(self, actionLimit, begun), limitOptionsOf(cibTree(store)));
  return {
    self,
    controller: createController(self, incarnation, nodes, fenced, cibTree(store), nowMs, begun.length > 0),
    executor: lookAtForgotten(executor, configuredResources(cibTree(store)), nowMs),
    store,
    reported: {},
    requestPrefix: `${self}-${session}`,
    nextRequest: 1,
    strange: [],
  };
}

/** What the next manager of this keeper is to begin with; see cib-store/kept-status.ts. */
export function nodeKeptStatus({ store }: NodeState): XmlElement {
  return keptStatus(store);
}

/** The CIB in force on this node, configuration and status. */
export function nodeCib({ store }: NodeState): XmlElement {
  return cibTree(store);
}

interface Work {
  state: NodeState;
  readonly queue: Inner[];
  readonly effects: NodeEffect[];
  readonly now: Instant;
}

/** What the executor has to know of the configuration. */
function tellExecutor({ queue, state }: Work): void {
  const cib = cibTree(state.store);
  queue.push(
    { to: "executor", event: { kind: "limits", options: limitOptionsOf(cib) } },
    { to: "executor", event: { kind: "configured", ids: configuredResources(cib) } },
  );
}

function historyChanges(work: Work, resourceId: string): readonly StatusChange[] {
  const { self, executor, reported } = work.state;
  const after = lrmResourceXml(executor, resourceId);
  const before = entryOf(reported, resourceId);
  work.state = {
    ...work.state,
    reported: after === undefined ? without(reported, resourceId) : withEntry(reported, resourceId, after),
  };
  if (after === undefined) return [{ kind: "delete-history", node: self, resource: resourceId }];
  return recordChanges(self, before, after);
}

function failureOf({ executor }: NodeState, resource: string, wallMs: number): OperationFailure {
  const record = entryOf(executor.resources, resource)?.history["last_failure_0"];
  const { operation = "monitor", intervalMs = 0, rcCode = 1, opStatus = 0, exitReason = "" } = record ?? {};
  return { resource, operation, intervalMs, rcCode, opStatus, exitReason, wallMs };
}

function fromExecutor(work: Work, effect: ExecutorEffect): void {
  const { queue, state, now } = work;
  switch (effect.kind) {
    case "run":
    case "kill":
    case "keep-begun":
    case "log":
      work.effects.push(effect);
      break;
    case "result": {
      const { kind: _kind, ...result } = effect;
      queue.push({ to: "controller", event: { kind: "result", result } });
      break;
    }
    case "history-changed": {
      const changes = historyChanges(work, effect.resourceId);
      if (changes.length > 0) queue.push({ to: "store", event: { kind: "report", changes } });
      if (!effect.unexpected) break;
      const failure = failureOf(state, effect.resourceId, now.nowWallMs);
      queue.push({ to: "controller", event: { kind: "unexpected", failure } });
      break;
    }
    case "attribute": {
      const { name, value } = effect;
      const change: StatusChange = { kind: "set-attribute", node: state.self, name, value: value ?? null };
      queue.push({ to: "store", event: { kind: "report", changes: [change] } });
      break;
    }
    default:
      effect satisfies never;
  }
}

function fromStore(work: Work, effect: CibStoreEffect): void {
  switch (effect.kind) {
    case "send":
      work.effects.push({ kind: "send", to: effect.to, message: { room: "cib", message: effect.message } });
      break;
    case "persist":
    case "conflict":
    case "answer":
      work.effects.push(effect);
      break;
    case "changed":
      work.effects.push({ kind: "cib-changed", what: effect.what });
      work.queue.push({ to: "controller", event: { kind: "cib", cib: nodeCib(work.state), what: effect.what } });
      if (effect.what === "configuration") tellExecutor(work);
      break;
    case "synchronised":
      work.queue.push({ to: "controller", event: { kind: "synchronised" } });
      break;
    default:
      effect satisfies never;
  }
}

/** A resource that this executor knows is forgotten in it, and with it in the CIB; probes will find what is there. */
function clear(work: Work, resource: string, scope: ClearScope): void {
  const identity = entryOf(work.state.executor.resources, resource)?.identity;
  if (identity === undefined) return;
  if (scope === "failures") {
    work.queue.push({ to: "executor", event: { kind: "clear-failures", resourceId: resource } });
    return;
  }
  const action: ResourceAction = {
    kind: "resource",
    id: 0,
    key: `${resource}_delete_0`,
    priority: 0,
    inputs: [],
    reason: { code: "cleanup", facts: { resource } },
    operation: "delete",
    node: work.state.self,
    resource: identity,
    intervalMs: 0,
    timeoutMs: 0,
    parameters: {},
    meta: {},
    expectedCode: 0,
  };
  work.queue.push({ to: "executor", event: { kind: "perform", action, transitionKey: "0:0:0:cleanup" } });
}

function answerJoin(work: Work, to: string, round: string): void {
  const { executor, controller, self } = work.state;
  const resources = lrmResourcesXml(executor);
  const id = configuredNodes(controller.cib).find(({ name }) => name === self)?.id ?? self;
  const { incarnation, view } = controller;
  const reported = childrenOf(resources, "lrm_resource").map((one) => [one.attributes.id ?? "", one] as const);
  work.state = { ...work.state, reported: Object.fromEntries(reported) };
  sendController(work, to, {
    kind: "joined",
    round,
    generation: view?.generation ?? 0,
    incarnation,
    lrm: xml("lrm", { id }, [resources]),
  });
}

function sendController(work: Work, to: string, message: ControllerMessage): void {
  if (to === work.state.self) work.queue.push({ to: "controller", event: { kind: "message", from: to, message } });
  else work.effects.push({ kind: "send", to, message: { room: "controller", message } });
}

function fromController(work: Work, effect: ControllerEffect): void {
  const { queue, state, now } = work;
  switch (effect.kind) {
    case "send":
      sendController(work, effect.to, effect.message);
      break;
    case "report":
      queue.push({ to: "store", event: { kind: "report", changes: effect.changes } });
      break;
    case "submit": {
      const request: ConfigurationRequest = {
        requestId: `${state.requestPrefix}-c${state.nextRequest}`,
        operations: effect.operations,
        origin: { who: "gemel", from: `${state.self}: ${effect.why}`, wallMs: now.nowWallMs },
      };
      work.state = { ...state, nextRequest: state.nextRequest + 1 };
      queue.push({ to: "store", event: { kind: "submit", request } });
      break;
    }
    case "tell-store":
      queue.push({ to: "store", event: effect.event });
      break;
    case "perform":
      queue.push({
        to: "executor",
        event: { kind: "perform", action: effect.action, transitionKey: effect.transitionKey },
      });
      break;
    case "flush":
      queue.push({ to: "executor", event: { kind: "flush" } });
      break;
    case "clear":
      clear(work, effect.resource, effect.scope);
      break;
    case "answer-join":
      answerJoin(work, effect.to, effect.round);
      break;
    case "schedule":
    case "fence":
    case "withdraw-fence":
    case "peer-fenced":
    case "peer-accepted":
    case "leave":
    case "log":
      work.effects.push(effect);
      break;
    default:
      effect satisfies never;
  }
}

function stepInner(work: Work, inner: Inner, tools: ExecutorTools): void {
  const { state, now } = work;
  switch (inner.to) {
    case "controller": {
      const stepped = stepController(state.controller, inner.event, now);
      work.state = { ...state, controller: stepped.state };
      for (const effect of stepped.effects) fromController(work, effect);
      break;
    }
    case "executor": {
      const stepped = stepExecutor(state.executor, inner.event, now.nowMs, tools);
      work.state = { ...state, executor: stepped.state };
      for (const effect of stepped.effects) fromExecutor(work, effect);
      break;
    }
    case "store": {
      const stepped = stepCibStore(state.store, inner.event, now.nowMs);
      work.state = { ...state, store: stepped.state };
      for (const effect of stepped.effects) fromStore(work, effect);
      break;
    }
    default:
      inner satisfies never;
  }
}

export function stepNode(
  state: NodeState,
  event: NodeEvent,
  now: Instant,
  tools: ExecutorTools,
): Stepped<NodeState, NodeEffect> {
  const work: Work = { state, queue: [...innerEvents(state, event, now.nowMs)], effects: [], now };
  if (event.kind === "message") {
    const heard = noteStrange(state.strange, event.from, event.message.message);
    if (heard !== undefined) {
      if (heard.strange !== state.strange) work.state = { ...state, strange: heard.strange };
      work.effects.push(...heard.effects);
      if (!heard.isFollowed) return { state: work.state, effects: work.effects };
    }
  }
  for (let steps = 0; ; steps += 1) {
    const inner = work.queue.shift();
    if (inner === undefined) return { state: work.state, effects: work.effects };
    check(steps < INNER_STEPS_MAX, "the cores of one node never come to rest");
    stepInner(work, inner, tools);
  }
}
