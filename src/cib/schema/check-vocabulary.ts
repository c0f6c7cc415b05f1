/**
 * Attributes and elements that no schema knows. They have no effect, and whoever wrote them believes that they have: so
 * each is told, and none refuses the CIB, for a later schema may know them.
 * Facts: the RELAX NG schemas that Pacemaker installs, 1.3 to 3.10 taken together; Pacemaker Explained. What each
 * schema from 3.1 to 3.10 added: docs/scheduler.md, "Schemas".
 */
import { nearestName } from "../../base/nearest.ts";
import { everyElement, type Finding, finding, type Seen } from "./finding.ts";

const SET = "id id-ref score";
const MARK = "id id-ref description";
const AGENT = "id class provider type description";
const CONTAINER = "image replicas replicas-per-host masters promoted-max network options run-command";
const MANGLE = "score-attribute score-attribute-mangle";

/** Attributes by element, as a list of words. */
const KNOWS: Readonly<Record<string, string>> = {
  configuration: "",
  crm_config: "",
  nodes: "",
  resources: "",
  constraints: "",
  op_defaults: "",
  rsc_defaults: "",
  tags: "",
  acls: "",
  alerts: "",
  "fencing-topology": "",
  cluster_property_set: SET,
  meta_attributes: SET,
  instance_attributes: SET,
  utilization: SET,
  nvpair: "id id-ref name value",
  rule: "id id-ref score score-attribute boolean-op role",
  expression: "id attribute operation value value-source type",
  date_expression: "id operation start end",
  date_spec: "id hours monthdays weekdays yeardays months weeks years weekyears moon minutes seconds yearsdays",
  duration: "id hours monthdays weekdays yeardays months weeks years weekyears moon minutes seconds days yearsdays",
  rsc_expression: "id class provider type",
  op_expression: "id name interval",
  node: "id uname type description score",
  primitive: `${AGENT} template`,
  template: AGENT,
  group: "id description restart-type collocated ordered",
  clone: "id description restart-type",
  master: "id description restart-type",
  bundle: "id description",
  docker: CONTAINER,
  podman: CONTAINER,
  rkt: CONTAINER,
  network: "ip-range-start control-port host-interface host-netmask add-host",
  "port-mapping": "id port internal-port range",
  storage: "",
  "storage-mapping": "id source-dir source-dir-root target-dir options",
  operations: MARK,
  op: `${MARK} name interval start-delay interval-origin timeout enabled record-pending role requires on-fail prereq`,
  rsc_location: "id id-ref rsc rsc-pattern role score node resource-discovery description",
  rsc_colocation:
    `id id-ref rsc with-rsc score ${MANGLE} node-attribute rsc-role with-rsc-role rsc-instance with-rsc-instance ` +
    "influence description",
  rsc_order:
    "id id-ref first then first-action then-action first-instance then-instance score kind symmetrical require-all " +
    "description",
  rsc_ticket: "id id-ref rsc rsc-role ticket loss-policy description",
  resource_set: `id id-ref sequential action role score kind ordering require-all ${MANGLE} description`,
  resource_ref: "id description",
  lifetime: "",
  "fencing-level": "id target target-pattern target-attribute target-value index devices description",
  acl_role: "id description",
  acl_target: "id name description",
  acl_group: "id name description",
  acl_user: "id description",
  acl_permission: "id kind xpath reference object-type attribute description",
  role: "id description",
  role_ref: "id",
  read: "id ref tag attribute xpath",
  write: "id ref tag attribute xpath",
  deny: "id ref tag attribute xpath",
  alert: "id description path",
  recipient: "id description value",
  select: "",
  select_attributes: "",
  select_fencing: "",
  select_nodes: "",
  select_resources: "",
  attribute: "id name",
  tag: "id description",
  obj_ref: "id",
};

const KNOWN = new Map(Object.entries(KNOWS).map(([name, words]) => [name, words.split(" ")]));

function checkAttributes(seen: Seen): Finding[] {
  const { name, attributes } = seen.element;
  const known = KNOWN.get(name);
  if (known === undefined)
    return [finding("warning", seen, `<${name}> is no element that is known; it has no effect`, "remove it")];
  return Object.keys(attributes).flatMap((attribute) => {
    if (known.includes(attribute) || attribute.includes(":")) return [];
    const near = nearestName(attribute, known);
    const remedy = near === undefined ? "remove it" : `write ${near}`;
    return [finding("warning", seen, `<${name}> knows no attribute ${attribute}; it has no effect`, remedy)];
  });
}

export function checkVocabulary(configuration: Parameters<typeof everyElement>[0]): Finding[] {
  return everyElement(configuration).flatMap(checkAttributes);
}
