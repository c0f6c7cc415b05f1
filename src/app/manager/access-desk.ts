/** The rules of access at the control socket: every request of every person passes here before anything is done. */
import type { Problem } from "../../base/problem.ts";
import { childOf, type XmlElement } from "../../base/xml.ts";
import { hasRules, isUnrestricted, type Person, seesEverything, wholeRight } from "../../cluster/core/access/acl.ts";
import { refuseChange } from "../../cluster/core/access/change.ts";
import { applyOperations } from "../../cluster/core/cib-store/operations.ts";
import type { ConfigurationOperation } from "../../cluster/core/cib-store/types.ts";
import { leasesOf, undoLease } from "../../cluster/core/overrides/lease.ts";
import type { ControlRequest, RequestKind } from "../control-protocol.ts";

/**
 * What each request wants. `reads` answers only to whoever may read all, `writes` only to whoever may write all, since
 * no comparison of two configurations could judge it; `history` only to whom nothing is denied: it tells the values of
 * parameters; `judged` is filtered, or compared element by element, further on.
 */
const WANTS: Readonly<Record<RequestKind, "nothing" | "judged" | "reads" | "history" | "writes">> = {
  ping: "nothing",
  "cib-query": "judged",
  "cib-apply": "judged",
  attribute: "judged",
  node: "judged",
  resource: "judged",
  "config-confirm": "judged",
  status: "reads",
  subscribe: "reads",
  log: "reads",
  clocks: "reads",
  "fence-history": "reads",
  "config-log": "history",
  "config-version": "history",
  "attribute-query": "reads",
  fence: "writes",
  "fence-confirm": "writes",
  "fence-drill": "writes",
  "fence-prove": "writes",
  "fence-peer": "writes",
  ticket: "writes",
  "resource-fail": "writes",
};

function refusal(reason: string, remedy: string): readonly Problem[] {
  return [{ severity: "error", place: "acl", reason, remedy }];
}

const ASK = "ask somebody with the right, or have a role extended (crm configure role, acl_target)";

/** Why this person may not even ask; empty when the request goes on. */
export function refuseRequest(cib: XmlElement, person: Person, request: ControlRequest): readonly Problem[] {
  const wants = WANTS[request.kind];
  if (isUnrestricted(person) || wants === "nothing") return [];
  if (!hasRules(cib))
    return refusal(
      `${person.user} may not talk to the cluster: there are no rules of access`,
      "be root; or say who may what (crm configure role, acl_target) and enable-acl=true",
    );
  const right = wholeRight(cib, person);
  if (wants === "history" && !seesEverything(cib, person))
    return refusal(`${person.user} may not see all of the configuration, and so not its history`, ASK);
  if (wants === "reads" && right === "none") return refusal(`${person.user} may not see this`, ASK);
  const isTransient = request.kind === "attribute" && request.lifetime === "reboot";
  const isCleanup = request.kind === "resource" && request.action === "cleanup";
  if ((wants === "writes" || isTransient || isCleanup) && right !== "write")
    return refusal(`${person.user} may not do this`, ASK);
  return [];
}

/** Why the operations may not be carried out for this person. */
export function refuseOperations(
  cib: XmlElement,
  person: Person,
  operations: readonly ConfigurationOperation[],
): readonly Problem[] {
  const configuration = childOf(cib, "configuration");
  if (isUnrestricted(person) || configuration === undefined) return [];
  // No comparison shows it, and it makes this copy of the configuration win over others.
  if (operations.some(({ kind }) => kind === "raise") && wholeRight(cib, person) !== "write")
    return refusal(`${person.user} may not raise the version`, ASK);
  const applied = applyOperations(configuration, operations);
  // What cannot be carried out at all is refused with its own words.
  if (applied.kind === "invalid") return [];
  const withConfiguration = (value: XmlElement): XmlElement => ({
    ...cib,
    children: cib.children.map((each) => (each === configuration ? value : each)),
  });
  const refusals = refuseChange(cib, withConfiguration(applied.value), person);
  if (refusals.length > 0) return refusals;
  // What a lease undoes at its end the cluster does, which may do all: who writes one must have the right to do it.
  const before = new Set(leasesOf(configuration).map((lease) => JSON.stringify(lease)));
  return leasesOf(applied.value)
    .filter((lease) => !before.has(JSON.stringify(lease)))
    .flatMap((lease) => {
      const undone = applyOperations(applied.value, undoLease(applied.value, lease));
      return undone.kind === "invalid" ? [] : refuseChange(cib, withConfiguration(undone.value), person);
    });
}
