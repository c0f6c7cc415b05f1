/**
 * Rules of safety, each broken on purpose by a wrapper around one of the product's cores. The simulator must find
 * every one of them; if it did not, its silence about the real cores would prove nothing.
 */
import type { Transition, TransitionAction } from "../../src/cluster/core/transition/graph.ts";
import { type Cores, REAL_CORES } from "../../src/sim/cores.ts";

type StepNode = Cores["stepNode"];
type NodeEvent = Parameters<StepNode>[1];

/** An operation of that kind that has failed is told as a success. */
function hidingFailures(operation: string): Cores {
  return {
    ...REAL_CORES,
    stepNode(state, event, now, tools) {
      if (event.kind !== "finished") return REAL_CORES.stepNode(state, event, now, tools);
      const runs = Object.values(state.executor.resources).map(({ running }) => running);
      const run = runs.find((one) => one?.callId === event.callId);
      const isHidden = run?.action.operation === operation;
      const told = isHidden ? { ...event, outcome: { kind: "exit" as const, code: 0 } } : event;
      return REAL_CORES.stepNode(state, told, now, tools);
    },
  };
}

/** The node core is told something else than what happened. */
function mishearing(change: (event: NodeEvent) => NodeEvent): Cores {
  return {
    ...REAL_CORES,
    stepNode: (state, event, now, tools) => REAL_CORES.stepNode(state, change(event), now, tools),
  };
}

/** The scheduler's transition is changed before it is carried out. */
function misplanned(change: (transition: Transition) => Transition): Cores {
  return {
    ...REAL_CORES,
    schedule(cib, nowWallMs, options) {
      const decision = REAL_CORES.schedule(cib, nowWallMs, options);
      return { ...decision, transition: change(decision.transition) };
    },
  };
}

/** Without the inputs that are such actions. */
function unordered(transition: Transition, isDropped: (input: TransitionAction, of: TransitionAction) => boolean) {
  const byId = new Map(transition.actions.map((action) => [action.id, action]));
  const actions = transition.actions.map((action) => {
    const inputs = action.inputs.filter((id) => {
      const input = byId.get(id);
      return input === undefined || !isDropped(input, action);
    });
    return { ...action, inputs };
  });
  return { ...transition, actions };
}

const isProbe = (action: TransitionAction) =>
  action.kind === "resource" && action.operation === "monitor" && action.intervalMs === 0;
const isStop = (action: TransitionAction) => action.kind === "resource" && action.operation === "stop";

export const BROKEN_RULES: Readonly<Record<string, Cores>> = {
  "an outcome that is not known does not count as off": mishearing((event) =>
    event.kind === "fenced" && event.result.outcome === "unknown"
      ? { ...event, result: { ...event.result, outcome: "confirmed" } }
      : event,
  ),
  "a fencing that was refused does not count as done": mishearing((event) =>
    event.kind === "fenced" && event.result.outcome === "not-done"
      ? { ...event, result: { ...event.result, outcome: "confirmed" } }
      : event,
  ),
  "an accepted command is no proof of off": {
    ...REAL_CORES,
    stepFencer(state, event, nowMs) {
      const isUnproven = event.kind === "attempt-result" && event.report.outcome.kind === "unknown";
      const proof = { outcome: { kind: "confirmed", power: "off" }, evidence: [] } as const;
      return REAL_CORES.stepFencer(state, isUnproven ? { ...event, report: proof } : event, nowMs);
    },
  },
  "starts wait for the fencing": misplanned((transition) => {
    const rest = unordered(transition, (input) => input.kind === "fence");
    return unordered(rest, (input) => input.kind === "pseudo" && input.key.includes("stonith"));
  }),
  "a start waits for the stop elsewhere": misplanned((transition) => unordered(transition, isStop)),
  "what is not known is looked for before it is started": misplanned((transition) => ({
    ...unordered(transition, isProbe),
    actions: unordered(transition, isProbe).actions.filter((action) => !isProbe(action)),
  })),
  "a silent node has not left": mishearing((event) => {
    if (event.kind !== "view") return event;
    const peers = event.view.peers.map((peer) => (peer.phase === "lost" ? { ...peer, phase: "left" as const } : peer));
    return { ...event, view: { ...event.view, peers } };
  }),
  "a node that was never heard may be running": misplanned((transition) => {
    const rest = unordered(transition, (input) => input.kind === "fence" || input.kind === "pseudo");
    return { ...rest, actions: rest.actions.filter(({ kind }) => kind !== "fence") };
  }),
  "acknowledged is what stands on the disks": {
    ...REAL_CORES,
    stepNode(state, event, now, tools) {
      const { state: after, effects } = REAL_CORES.stepNode(state, event, now, tools);
      const persist = effects.find(({ kind }) => kind === "persist");
      if (persist?.kind !== "persist") return { state: after, effects };
      const next = REAL_CORES.stepNode(after, { kind: "persisted", token: persist.token }, now, tools);
      return { state: next.state, effects: [...effects, ...next.effects] };
    },
  },
  "a newer configuration is not overwritten by an older one": {
    ...REAL_CORES,
    stepNode(state, event, now, tools) {
      if (event.kind !== "message" || event.message.room !== "cib")
        return REAL_CORES.stepNode(state, event, now, tools);
      const { message } = event.message;
      if (message.kind !== "cib-have" && message.kind !== "cib-install")
        return REAL_CORES.stepNode(state, event, now, tools);
      // The DC takes whatever a member has for older, and the member whatever the DC sends for newer.
      const { stored } = state.store;
      const { quorateVersion } = stored;
      const changed =
        message.kind === "cib-have"
          ? { ...message, have: { head: stored.head === message.have.head ? stored.head : "blank", quorateVersion } }
          : {
              ...message,
              stored: { ...message.stored, quorateVersion, lineage: [stored.head, ...message.stored.lineage] },
            };
      return REAL_CORES.stepNode(state, { ...event, message: { room: "cib", message: changed } }, now, tools);
    },
  },
  "a stop that failed is no stop": hidingFailures("stop"),
  "DRBD is told only what is proven": {
    ...REAL_CORES,
    stepFenceDesk(desk, event, nowMs) {
      if (event.kind !== "fence-peer") return REAL_CORES.stepFenceDesk(desk, event, nowMs);
      const { id, resource } = event;
      return { state: desk, effects: [{ kind: "answer", id, resource, code: 7, reason: "it will be off" }] };
    },
  },
  "a node is a member only by the word of all": {
    ...REAL_CORES,
    stepMembership(state, event, nowMs) {
      if (event.kind !== "heartbeat") return REAL_CORES.stepMembership(state, event, nowMs);
      // Whatever the sender says of the others, it is taken to hear them.
      const { self, nodes } = state.config;
      const ownId = nodes.find(({ name }) => name === self)?.id;
      const peers = event.heartbeat.peers.map((peer) => {
        const generation = state.peers.find(({ id }) => id === peer.id)?.generation;
        return peer.id === ownId || generation === undefined ? peer : { ...peer, generation, heard: true };
      });
      return REAL_CORES.stepMembership(state, { ...event, heartbeat: { ...event.heartbeat, peers } }, nowMs);
    },
  },
  "nobody says goodbye while something runs": {
    ...REAL_CORES,
    stepNode(state, event, now, tools) {
      const stepped = REAL_CORES.stepNode(state, event, now, tools);
      if (event.kind !== "stop") return stepped;
      return { ...stepped, effects: [...stepped.effects, { kind: "leave", clean: true }] };
    },
  },
};
