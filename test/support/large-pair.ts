/** A pair with as many resources as asked for, for measuring: groups behind a promotable clone, all in one order. */
import { parseXml, type XmlElement } from "../../src/base/xml.ts";
import { parametersDigest } from "../../src/cluster/core/scheduler/facts/digests.ts";

const GROUP_SIZE = 10;
const DIGEST = parametersDigest({});
const UUID = "00000000-0000-0000-0000-000000000000";

function entry(resource: string, task: string, code: number, target: number, call: number): string {
  return (
    `<lrm_rsc_op id="${resource}_${task}_0_${call}" operation_key="${resource}_${task}_0" operation="${task}"` +
    ` interval="0" call-id="${call}" rc-code="${code}" op-status="0" transition-key="1:1:${target}:${UUID}"` +
    ` op-digest="${DIGEST}"/>`
  );
}

function record(resource: string, type: string, isActive: boolean, call: number): string {
  const ops = isActive ? entry(resource, "start", 0, 0, call) : entry(resource, "monitor", 7, 7, call);
  return `<lrm_resource id="${resource}" class="ocf" provider="heartbeat" type="${type}">${ops}</lrm_resource>`;
}

/** Everything runs on the first node, which is lost: the gravest decision of all. */
export function largePair(resources: number): XmlElement {
  const names = Array.from({ length: resources }, (_, index) => `service-${index + 1}`);
  const groups = Array.from({ length: Math.ceil(resources / GROUP_SIZE) }, (_, index) => ({
    id: `group-${index + 1}`,
    members: names.slice(index * GROUP_SIZE, (index + 1) * GROUP_SIZE),
  }));
  const primitive = (id: string) =>
    `<primitive id="${id}" class="ocf" provider="heartbeat" type="Dummy"><operations>` +
    `<op id="${id}-monitor" name="monitor" interval="10s"/></operations></primitive>`;
  const group = ({ id, members }: { id: string; members: readonly string[] }) =>
    `<group id="${id}">${members.map(primitive).join("")}</group>`;
  const constraints = groups.map(
    ({ id }) =>
      `<rsc_colocation id="with-${id}" rsc="${id}" with-rsc="drbd" with-rsc-role="Promoted" score="INFINITY"/>` +
      `<rsc_order id="before-${id}" first="drbd" first-action="promote" then="${id}" then-action="start"/>`,
  );
  const state = (name: string, id: number, isHere: boolean) =>
    `<node_state id="${id}" uname="${name}" in_ccm="${!isHere}" crmd="${isHere ? "offline" : "online"}"` +
    ` join="${isHere ? "down" : "member"}" expected="member"><transient_attributes id="${id}">` +
    `<instance_attributes id="status-${id}"><nvpair id="m-${id}" name="master-drbd0" value="100"/>` +
    `</instance_attributes></transient_attributes><lrm id="${id}"><lrm_resources>` +
    record("fencing", "Dummy", !isHere, 1).replace('class="ocf" provider="heartbeat" type="Dummy"', FENCING) +
    record("drbd0", "Stateful", true, 2) +
    names.map((service, index) => record(service, "Dummy", isHere, index + 3)).join("") +
    `</lrm_resources></lrm></node_state>`;
  const read = parseXml(
    `<cib have-quorum="1" dc-uuid="2" validate-with="pacemaker-3.9" execution-date="1700000000"><configuration>` +
      `<crm_config><cluster_property_set id="cib-bootstrap-options">` +
      `<nvpair id="q" name="no-quorum-policy" value="ignore"/></cluster_property_set></crm_config>` +
      `<nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes><resources>` +
      `<primitive id="fencing" ${FENCING}/><clone id="drbd"><meta_attributes id="drbd-meta">` +
      `<nvpair id="drbd-promotable" name="promotable" value="true"/>` +
      `<nvpair id="drbd-notify" name="notify" value="true"/></meta_attributes>` +
      `<primitive id="drbd0" class="ocf" provider="heartbeat" type="Stateful"/></clone>${groups.map(group).join("")}` +
      `</resources><constraints>${constraints.join("")}</constraints></configuration>` +
      `<status>${state("alpha", 1, true)}${state("bravo", 2, false)}</status></cib>`,
  );
  if (read.kind === "not-xml") throw new Error(`line ${read.line}: ${read.reason}`);
  return read.root;
}

const FENCING = 'class="stonith" type="fence_ipmilan"';
