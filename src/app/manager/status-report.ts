/** The status of the cluster as this node's manager sees it now. */
import { nodeCib } from "../../cluster/core/controller/node-core.ts";
import type { StatusReport } from "../control-protocol.ts";
import type { Manager } from "./manager.ts";
import { buildStatus } from "./status.ts";

export async function statusReport(manager: Manager): Promise<StatusReport> {
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
    alerts: manager.alerts.troubles(),
    ...(manager.keeper === undefined ? {} : { keeper: manager.keeper }),
    nowWallMs,
  });
}
