/**
 * Why a resource cannot even be looked for on a node: what its probe answered there, in the words of crm_mon.
 * Fact: OCF return codes (Pacemaker Administration).
 */
import { entryOf } from "../../../../base/record.ts";
import { isProbe } from "../facts/history-outcome.ts";
import type { Node, Resource } from "../facts/model.ts";
import { primitivesOf } from "../facts/model.ts";

const WORDS: Readonly<Record<string, string>> = {
  2: "Invalid parameter",
  5: "Not installed",
};

function answerOn(resource: Resource, node: Node): string | undefined {
  for (const entry of resource.history.get(node)?.entries ?? []) {
    const word = isProbe(entry) ? entryOf(WORDS, entry.element.attributes["rc-code"] ?? "") : undefined;
    if (word !== undefined) return word;
  }
  return undefined;
}

/** The answer of any node, or of the one that is named; of a whole the first one of its members. */
export function probeFailure(resource: Resource, node?: Node): string | undefined {
  for (const member of primitivesOf(resource))
    for (const each of node === undefined ? member.history.keys() : [node]) {
      const word = answerOn(member, each);
      if (word !== undefined) return word;
    }
  return undefined;
}
