/**
 * Why an action is there, as a sentence for logs and status. The scheduler's own words are those of Pacemaker's
 * summary, which its comparison with crm_simulate needs; what they leave unsaid is said here. Words that are not in the
 * table are a sentence already: `peer is no longer part of the cluster`, `required disk promote`.
 */
import type { Reason } from "../transition/graph.ts";

const SENTENCES: Readonly<Record<string, string>> = {
  cancel: "it is not to be monitored like this any more",
  "definition change": "its definition has changed",
  migration: "it moves without a stop",
  "no quorum": "this side has no quorum",
  "node maintenance": "its node goes into maintenance",
  "node shutdown": "its node leaves the cluster",
  notify: "its siblings are told",
  ordering: "another action needs it first",
  probe: "nobody has looked yet whether it runs there",
  "quorum freeze": "without quorum nothing new is started",
  recurring: "it is to be monitored",
  role: "its role is to change",
};

const DOWN = ["stop", "demote"];

/** `operation`: of the action, where the same words mean coming and going. */
export function reasonText({ code, facts }: Reason, operation = ""): string {
  const words = Object.entries(facts).map(([name, value]) => (name === "of" ? value : `${name}=${value}`));
  const said = [code, ...words].join(" ");
  if (said === "node availability")
    return DOWN.includes(operation) ? "it may not run there any more" : "it may run there";
  return Object.hasOwn(SENTENCES, said) ? (SENTENCES[said] ?? said) : said;
}
