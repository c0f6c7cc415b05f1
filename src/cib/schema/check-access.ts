/**
 * Rules of access that do not say what their author meant: a permission whose path is not understood allows nothing,
 * and as a denial it denies everything (cluster/core/access fails closed); one that names nothing has no effect.
 */
import { childOf, childrenOf, type XmlElement } from "../../base/xml.ts";
import { pathFault } from "../../base/xml-path.ts";
import { type Finding, finding, type Seen } from "./finding.ts";

function checkPermission(seen: Seen): Finding[] {
  const { xpath, reference, "object-type": type, kind } = seen.element.attributes;
  if (xpath === undefined && reference === undefined && type === undefined) {
    const remedy = "add xpath=, reference= or object-type= (crm: xpath:, ref:, type:)";
    return [finding("warning", seen, "the permission names nothing, and has no effect", remedy)];
  }
  const fault = xpath === undefined ? undefined : pathFault(xpath);
  if (fault === undefined) return [];
  const effect = kind === "deny" ? "it denies everything" : "it allows nothing";
  const remedy = "write it as XPath 1.0, or use reference= with an id";
  return [finding("warning", seen, `the path ${xpath ?? ""} is not understood (${fault}): ${effect}`, remedy)];
}

export function checkAccess(configuration: XmlElement): Finding[] {
  const acls = childOf(configuration, "acls");
  return childrenOf(acls, "acl_role").flatMap((role) =>
    childrenOf(role, "acl_permission").flatMap((element) => checkPermission({ element, above: [role] })),
  );
}
