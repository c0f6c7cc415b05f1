/**
 * An operator says that a resource has failed (`crm_resource --fail`): recorded as a monitor of its own kind, with the
 * number of the last operation there, so that whatever is done next is younger and answers it.
 * Fact: recorded CIBs of Pacemaker's regression suite (`asyncmon`).
 */
import { entryOf } from "../../../base/record.ts";
import { childOf, childrenOf, type XmlElement, xml } from "../../../base/xml.ts";
import type { StatusChange } from "../cib-store/types.ts";
import { failureName, nodeState, raisedCount, transientAttributes } from "./cib-read.ts";

const TASK = "asyncmon";

/** Undefined when nothing of the resource is recorded on that node. */
export function pretendFailure(
  cib: XmlElement,
  resource: string,
  node: string,
  nowWallMs: number,
): readonly StatusChange[] | undefined {
  const state = nodeState(cib, node);
  const records = childrenOf(childOf(childOf(state, "lrm"), "lrm_resources"), "lrm_resource");
  const record = records.find(({ attributes }) => attributes["id"] === resource);
  const last = childrenOf(record, "lrm_rsc_op").toSorted(
    (left, right) => Number(right.attributes["call-id"] ?? 0) - Number(left.attributes["call-id"] ?? 0),
  )[0];
  if (record === undefined || last === undefined) return undefined;
  const seconds = String(Math.floor(nowWallMs / 1000));
  const { id = "", class: agentClass = "", type = "", provider } = record.attributes;
  const countName = failureName("fail-count", resource, TASK, 0);
  const count = raisedCount(entryOf(transientAttributes(state), countName));
  const operation = xml("lrm_rsc_op", {
    ...last.attributes,
    id: `${resource}_last_failure_0`,
    operation_key: `${resource}_${TASK}_0`,
    operation: TASK,
    interval: "0",
    "rc-code": "1",
    "op-status": "0",
    "exit-reason": "an operator said so",
    "last-rc-change": seconds,
  });
  const described = { id, class: agentClass, type, ...(provider === undefined ? {} : { provider }) };
  return [
    { kind: "set-operation", node, resource: described, operation },
    { kind: "set-attribute", node, name: countName, value: count },
    { kind: "set-attribute", node, name: failureName("last-failure", resource, TASK, 0), value: seconds },
  ];
}
