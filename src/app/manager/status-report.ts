/** The status of the cluster as this node's manager sees it now. */
import { entryOf } from "../../base/record.ts";
import { childOf, type XmlElement } from "../../base/xml.ts";
import { filterCib, type Person, seesEverything } from "../../cluster/core/access/acl.ts";
import { openConflict } from "../../cluster/core/cib-store/merge.ts";
import { configuredNodes, nodeState, transientAttributes } from "../../cluster/core/controller/cib-read.ts";
import { nodeCib } from "../../cluster/core/controller/node-core.ts";
import { leasesOf } from "../../cluster/core/overrides/lease.ts";
import type { StatusReport } from "../control-protocol.ts";
import { alertTroubles } from "./fencing-news.ts";
import type { Manager } from "./manager.ts";
import { buildStatus } from "./status.ts";

/** For a person from whom something of the CIB is kept: without the attributes and overrides that are. */
export function statusFor(report: StatusReport, cib: XmlElement, person: Person): StatusReport {
  if (seesEverything(cib, person)) return report;
  const visible = filterCib(cib, person);
  const configured = configuredNodes(visible);
  const nodes = report.nodes.map((node) => {
    const permanent = configured.find(({ name }) => name === node.name)?.attributes;
    const seen = { ...permanent, ...transientAttributes(nodeState(visible, node.name)) };
    return {
      ...node,
      attributes: Object.fromEntries(
        Object.entries(node.attributes).filter(([name]) => entryOf(seen, name) !== undefined),
      ),
    };
  });
  return { ...report, nodes, leases: leasesOf(childOf(visible, "configuration")) };
}

export async function statusReport(manager: Manager, person?: Person): Promise<StatusReport> {
  const report = await wholeReport(manager);
  return person === undefined ? report : statusFor(report, nodeCib(manager.node), person);
}

async function wholeReport(manager: Manager): Promise<StatusReport> {
  const cib = nodeCib(manager.node);
  const nowWallMs = Date.now();
  const decision = await manager.read(cib, nowWallMs);
  const { operations, configuration } = manager.fencing.state();
  return buildStatus({
    controller: manager.node.controller,
    cib,
    decision,
    fencing: configuration,
    records: manager.records,
    proofs: [[manager.self, manager.fencing.proofs()], ...manager.peerProofs],
    running: operations,
    drbd: manager.drbd.status(),
    cibRefusal: manager.files.refusal(),
    conflict: openConflict(manager.node.store.stored.history),
    clocks: manager.clocks,
    alerts: alertTroubles(manager),
    ...(manager.keeper === undefined ? {} : { keeper: manager.keeper }),
    nowWallMs,
  });
}
