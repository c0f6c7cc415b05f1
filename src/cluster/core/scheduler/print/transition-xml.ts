/** A transition as Pacemaker's transition_graph. Source: the graphs that crm_simulate writes. */
import { entryOf, setEntry } from "../../../../base/record.ts";
import { type XmlElement, xml } from "../../../../base/xml.ts";
import type { Action } from "../act/actions.ts";
import type { Graph } from "../act/included.ts";
import type { Facts } from "../facts/model.ts";
import { inAnonymousClone } from "../facts/model.ts";
import { lockOn } from "../facts/shutdown-locks.ts";
import { operationKey } from "./names.ts";

const TAG = { resource: "rsc_op", pseudo: "pseudo_event", cluster: "crm_event", fence: "crm_event" } as const;

function headOf(step: Action, id: number): Record<string, string> {
  const key = operationKey(step);
  const head: Record<string, string> = { id: String(id), operation: step.operation, operation_key: key };
  if (key !== step.key) head["internal_operation_key"] = step.key;
  if (step.node !== undefined && !step.implied) {
    head["on_node"] = step.node.name;
    head["on_node_uuid"] = step.node.id;
  }
  return head;
}

function identity(step: Action): XmlElement[] {
  const { resource } = step;
  if (resource?.kind !== "primitive" || (step.kind !== "resource" && step.operation !== "lrm_delete")) return [];
  const anonymous = inAnonymousClone(resource);
  return [
    xml("primitive", {
      id: anonymous ? resource.baseId : resource.id,
      ...(anonymous ? { "long-id": resource.id } : {}),
      class: resource.class,
      ...(resource.provider === "" ? {} : { provider: resource.provider }),
      type: resource.type,
    }),
  ];
}

function attributesOf(step: Action): XmlElement {
  const meta: Record<string, string> = {};
  for (const name of Object.keys(step.meta).sort()) setEntry(meta, `CRM_meta_${name}`, entryOf(step.meta, name) ?? "");
  if (step.node !== undefined && step.kind !== "pseudo") {
    meta["CRM_meta_on_node"] = step.node.name;
    meta["CRM_meta_on_node_uuid"] = step.node.id;
  }
  return xml("attributes", meta);
}

/** The lock that the node shall keep with its record goes with the order alone. */
function lockOf(facts: Facts, { kind, resource, node }: Action): Record<string, string> {
  const lock = kind === "resource" && resource !== undefined ? lockOn(facts, resource, node) : undefined;
  return lock === undefined ? {} : { "shutdown-lock": String(lock.sinceSeconds) };
}

function actionOf(facts: Facts, step: Action, id: number): XmlElement {
  const downed =
    step.kind === "fence" && step.fenceKind !== "on" && step.node !== undefined
      ? [xml("downed", {}, [xml("node", { id: step.node.id })])]
      : [];
  // A record is deleted in the CIB: its node may be away.
  const mode = step.operation === "lrm_delete" ? { mode: "cib" } : {};
  const head = { ...mode, ...headOf(step, id), ...lockOf(facts, step) };
  return xml(TAG[step.kind], head, [...identity(step), attributesOf(step), ...downed]);
}

/** The graph of everything that will be done. */
export function transitionXml(facts: Facts, graph: Graph): XmlElement {
  const ids = new Map(graph.steps.map((step, index) => [step, index + 1]));
  const synapses = graph.steps.map((step, index) => {
    const inputs = (graph.inputs.get(step) ?? []).map((input) =>
      xml("trigger", {}, [xml(TAG[input.kind], headOf(input, ids.get(input) ?? 0))]),
    );
    const priority: Record<string, string> = step.priority > 0 ? { priority: String(step.priority) } : {};
    return xml("synapse", { id: String(index), ...priority }, [
      xml("action_set", {}, [actionOf(facts, step, index + 1)]),
      xml("inputs", {}, inputs),
    ]);
  });
  return xml(
    "transition_graph",
    {
      "cluster-delay": `${Math.floor(facts.options.clusterDelayMs / 1000)}s`,
      "fencing-timeout": `${Math.floor(facts.options.fencingTimeoutMs / 1000)}s`,
      "failed-stop-offset": "INFINITY",
      "failed-start-offset": facts.options.startFailureIsFatal ? "INFINITY" : "1",
      transition_id: "1",
    },
    synapses,
  );
}
