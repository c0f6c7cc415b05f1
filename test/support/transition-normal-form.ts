/**
 * A transition graph without its numbering: what is done, and who precedes whom, directly or not. What the judge of the
 * reference cases calls `order`; redundant edges and the order in the file do not count.
 */
import { childOf, childrenOf, type XmlElement } from "../../src/base/xml.ts";

const keyOf = ({ name, attributes }: XmlElement) =>
  [name, attributes["operation"], attributes["operation_key"], attributes["on_node"] ?? ""].join("|");

export interface NormalForm {
  readonly actions: readonly string[];
  readonly pairs: readonly string[];
}

/** `rename` may take from a key what is of no account, such as the number of an anonymous instance. */
export function normalForm(graph: XmlElement, rename: (key: string) => string = (key) => key): NormalForm {
  const names = new Map<string, string>();
  const later = new Map<string, string[]>();
  const synapses = childrenOf(graph, "synapse").flatMap((synapse) => {
    const action = childOf(synapse, "action_set")?.children[0];
    return action === undefined ? [] : [{ action, inputs: childOf(synapse, "inputs")?.children ?? [] }];
  });
  for (const { action } of synapses) names.set(action.attributes["id"] ?? "", rename(keyOf(action)));
  for (const { action, inputs } of synapses)
    for (const trigger of inputs) {
      const first = trigger.children[0]?.attributes["id"] ?? "";
      if (names.has(first)) later.set(first, [...(later.get(first) ?? []), action.attributes["id"] ?? ""]);
    }
  const pairs: string[] = [];
  for (const [id, name] of names) {
    const seen = new Set<string>();
    const queue = [id];
    for (let at = queue.pop(); at !== undefined; at = queue.pop())
      for (const next of later.get(at) ?? [])
        if (!seen.has(next)) {
          seen.add(next);
          queue.push(next);
        }
    for (const each of seen) pairs.push(`${name} -> ${names.get(each)}`);
  }
  return { actions: [...names.values()].sort(), pairs: pairs.sort() };
}
