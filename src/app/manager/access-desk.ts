/** The rules of access at the control socket: every request of every person passes here before anything is done. */
import type { Problem } from "../../base/problem.ts";
import { childOf, type XmlElement } from "../../base/xml.ts";
import { hasRules, isUnrestricted, type Person, refuseChange, wholeRight } from "../../cluster/core/access/acl.ts";
import { applyOperations } from "../../cluster/core/cib-store/operations.ts";
import type { ConfigurationOperation } from "../../cluster/core/cib-store/types.ts";
import type { ControlRequest } from "../control-protocol.ts";

/** What answers only to whoever may read all; the rest of what reads is filtered, the rest that changes is compared. */
const READS_ALL: readonly ControlRequest["kind"][] = [
  "status",
  "subscribe",
  "log",
  "fence-history",
  "config-log",
  "config-version",
  "attribute-query",
];
/** What no comparison of two configurations could judge. */
const WRITES_ALL: readonly ControlRequest["kind"][] = [
  "fence",
  "fence-confirm",
  "fence-peer",
  "resource-fail",
  "config-confirm",
];

function refusal(reason: string, remedy: string): readonly Problem[] {
  return [{ severity: "error", place: "acl", reason, remedy }];
}

const ASK = "ask somebody with the right, or have a role extended (crm configure role, acl_target)";

/** Why this person may not even ask; empty when the request goes on. */
export function refuseRequest(cib: XmlElement, person: Person, request: ControlRequest): readonly Problem[] {
  if (isUnrestricted(person) || request.kind === "ping") return [];
  if (!hasRules(cib))
    return refusal(
      `${person.user} may not talk to the cluster: there are no rules of access`,
      "be root; or say who may what (crm configure role, acl_target) and enable-acl=true",
    );
  const right = wholeRight(cib, person);
  if (READS_ALL.includes(request.kind) && right === "none") return refusal(`${person.user} may not see this`, ASK);
  const isTransient = request.kind === "attribute" && request.lifetime === "reboot";
  const isCleanup = request.kind === "resource" && request.action === "cleanup";
  if ((WRITES_ALL.includes(request.kind) || isTransient || isCleanup) && right !== "write")
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
  const applied = applyOperations(configuration, operations);
  // What cannot be carried out at all is refused with its own words.
  if (applied.kind === "invalid") return [];
  const after = { ...cib, children: cib.children.map((each) => (each === configuration ? applied.value : each)) };
  return refuseChange(cib, after, person);
}
