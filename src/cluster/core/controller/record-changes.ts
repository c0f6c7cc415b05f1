/** What a node tells of one resource: the operations that its `lrm_resource` has now and had not, or has no more. */
import { childrenOf, printXml, type XmlElement } from "../../../base/xml.ts";
import type { RecordedResource, StatusChange } from "../cib-store/types.ts";

function identityOf({ id = "", class: agentClass = "", provider, type = "", ...others }: XmlElement["attributes"]) {
  const { "shutdown-lock": lock } = others;
  const identity: RecordedResource = {
    id,
    class: agentClass,
    type,
    ...(provider === undefined ? {} : { provider }),
    ...(lock === undefined ? {} : { "shutdown-lock": lock }),
  };
  return identity;
}

export function recordChanges(node: string, before: XmlElement | undefined, after: XmlElement): StatusChange[] {
  const resource = identityOf(after.attributes);
  const olds = new Map(childrenOf(before, "lrm_rsc_op").map((one) => [one.attributes.id ?? "", printXml(one)]));
  const changes: StatusChange[] = [];
  for (const operation of childrenOf(after, "lrm_rsc_op")) {
    const old = olds.get(operation.attributes.id ?? "");
    olds.delete(operation.attributes.id ?? "");
    if (old !== printXml(operation)) changes.push({ kind: "set-operation", node, resource, operation });
  }
  for (const operation of olds.keys()) changes.push({ kind: "delete-history", node, resource: resource.id, operation });
  return changes;
}
