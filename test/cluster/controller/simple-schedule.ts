/**
 * A scheduler as small as can be, for the tests of the controller: each primitive once, on the first node that may;
 * probes, fencing before starts, stops and goodbyes. It knows no constraints.
 */
import { childOf, childrenOf, type XmlElement } from "../../../src/base/xml.ts";
import { isFencingEnabled, nodeState, transientAttributes } from "../../../src/cluster/core/controller/cib-read.ts";
import type { Decision } from "../../../src/cluster/core/scheduler/decision.ts";
import type { TransitionAction } from "../../../src/cluster/core/transition/graph.ts";

type Draft = TransitionAction extends infer One
  ? One extends unknown
    ? Omit<One, "id" | "priority" | "reason">
    : never
  : never;

function operations(state: XmlElement | undefined, resource: string): readonly XmlElement[] {
  const resources = childrenOf(childOf(childOf(state, "lrm"), "lrm_resources"), "lrm_resource");
  return childrenOf(
    resources.find(({ attributes }) => attributes.id === resource),
    "lrm_rsc_op",
  );
}

function isActive(state: XmlElement | undefined, resource: string): boolean {
  const ops = operations(state, resource);
  const last = ops.find(({ attributes }) => attributes.id === `${resource}_last_0`)?.attributes;
  const failed = ops.find(({ attributes }) => attributes.id === `${resource}_last_failure_0`)?.attributes;
  if (failed !== undefined && Number(failed["call-id"]) > Number(last?.["call-id"])) return true;
  return last !== undefined && last.operation !== "stop" && last["rc-code"] !== "7";
}

const LIMITS = { clusterDelayMs: 60_000, fencingTimeoutMs: 60_000, batchLimit: 0, migrationLimit: 0 };

export function simpleSchedule(cib: XmlElement): Decision {
  const configuration = childOf(cib, "configuration");
  const names = childrenOf(childOf(configuration, "nodes"), "node").map(({ attributes }) => attributes.uname ?? "");
  const online = names.filter((name) => {
    const { in_ccm, crmd, join } = nodeState(cib, name)?.attributes ?? {};
    return in_ccm === "true" && crmd === "online" && join === "member";
  });
  const unclean = names.filter((name) => {
    const attributes = nodeState(cib, name)?.attributes;
    return !online.includes(name) && attributes?.expected === "member" && isFencingEnabled(cib);
  });
  const actions: TransitionAction[] = [];
  const add = (draft: Draft): number => {
    const id = actions.length + 1;
    actions.push({ ...draft, id, priority: 0, reason: { code: "test", facts: {} } } as TransitionAction);
    return id;
  };
  const fences = unclean.map((target) =>
    add({ kind: "fence", key: `stonith-${target}-reboot`, inputs: [], operation: "reboot", target, meta: {} }),
  );
  const leaving = online.filter((name) => transientAttributes(nodeState(cib, name))["shutdown"] !== undefined);
  const summary = unclean.map((name) => `fence ${name}`);
  const lastStops: Record<string, number[]> = {};
  for (const primitive of childrenOf(childOf(configuration, "resources"), "primitive")) {
    const { id = "", class: agentClass = "", provider = "", type = "" } = primitive.attributes;
    const resource = { id, class: agentClass, provider, type };
    const act = (operation: string, node: string, inputs: readonly number[], intervalMs = 0, expectedCode = 0) =>
      add({
        kind: "resource",
        key: `${id}_${operation}_${intervalMs}`,
        operation,
        node,
        resource,
        inputs,
        intervalMs,
        timeoutMs: 20_000,
        parameters: {},
        meta: {},
        expectedCode,
      });
    const unprobed = online.filter((name) => operations(nodeState(cib, name), id).length === 0);
    const probes = unprobed.map((node) => act("monitor", node, [], 0, 7));
    const active = online.filter((name) => isActive(nodeState(cib, name), id));
    const failCount = (name: string) => transientAttributes(nodeState(cib, name))[`fail-count-${id}#start_0`];
    const may = online.filter((name) => !leaving.includes(name) && failCount(name) === undefined);
    const wanted = active.find((name) => may.includes(name)) ?? may[0];
    const stops = active
      .filter((name) => name !== wanted)
      .map((node) => {
        const stop = act("stop", node, []);
        lastStops[node] = [...(lastStops[node] ?? []), stop];
        summary.push(`stop ${id} on ${node}`);
        return stop;
      });
    if (wanted === undefined || active.includes(wanted)) continue;
    summary.push(`start ${id} on ${wanted}`);
    const start = act("start", wanted, [...probes, ...stops, ...fences]);
    act("monitor", wanted, [start], 10_000);
  }
  for (const node of leaving)
    add({
      kind: "cluster",
      key: `do_shutdown-${node}`,
      operation: "do_shutdown",
      node,
      inputs: lastStops[node] ?? [],
      meta: {},
    });
  return {
    transition: { actions, ...LIMITS, summary },
    blocked: [],
    nodes: [],
    resources: [],
    problems: [],
  };
}
