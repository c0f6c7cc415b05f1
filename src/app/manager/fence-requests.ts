/**
 * What operators ask of fencing: switch, drill, prove, and a person's word that a node has no power. The fencer
 * decides; here stands who may be meant, and what is seen of the target.
 */
import { knownNodes } from "../../cluster/core/controller/cib-read.ts";
import { nodeCib } from "../../cluster/core/controller/node-core.ts";
import { levelsFor } from "../../fencing/core/configuration.ts";
import type { ControlRequest } from "../control-protocol.ts";
import type { Reply } from "./control-server.ts";
import type { Manager } from "./manager.ts";
import { answer, refuse } from "./reply.ts";
import { fencingRecord } from "./status.ts";
import { statusReport } from "./status-report.ts";

/** Every node that the configuration, the status or the membership knows; names are compared to the letter. */
function refuseUnknown(manager: Manager, target: string): Reply | undefined {
  const peers = manager.view?.peers.map(({ name }) => name) ?? [];
  const known = [...new Set([manager.self, ...knownNodes(nodeCib(manager.node)), ...peers])].filter(
    (name) => name !== "",
  );
  if (known.includes(target)) return undefined;
  return refuse("target", `there is no node ${target}`, `write the exact name: ${known.toSorted().join(", ")}`);
}

export async function fence(manager: Manager, request: Extract<ControlRequest, { kind: "fence" }>): Promise<Reply> {
  const { target, action, by = "root", withoutDelay } = request;
  const unknown = refuseUnknown(manager, target);
  if (unknown !== undefined) return unknown;
  if (target === manager.self)
    return refuse("target", "a node does not fence itself", "ask on another node, or stop this one");
  const how = withoutDelay === true ? { isUndelayed: true as const } : {};
  const record = await manager.fencing.request(target, action, { kind: "operator", by }, how);
  return answer<"fence">(fencingRecord(record));
}

/** What runs on a node; fencing devices may run anywhere. */
async function runningOn(manager: Manager, node: string): Promise<readonly string[]> {
  const { resources } = await statusReport(manager);
  return resources
    .filter(({ agent, active }) => !/^(stonith|fencing):/.test(agent) && active.some((on) => on.node === node))
    .map(({ id }) => id);
}

/** A drill is the one time that a fencing device is used on a living node: it must have nothing to lose. */
export async function drill(
  manager: Manager,
  request: Extract<ControlRequest, { kind: "fence-drill" }>,
): Promise<Reply> {
  const { target, level, by = "root" } = request;
  const unknown = refuseUnknown(manager, target);
  if (unknown !== undefined) return unknown;
  const configuration = manager.fencing.configuration();
  const levels = levelsFor(configuration, target, manager.self);
  if (target === manager.self)
    return refuse(
      "target",
      `${target} is the DC and would do it to itself`,
      "make another node the DC: standby this one",
    );
  const running = await runningOn(manager, target);
  if (running.length > 0)
    return refuse("target", `${running.join(", ")} would be cut off on ${target}`, `first: crm node standby ${target}`);
  const devices = levels[level - 1];
  if (devices === undefined)
    return refuse("level", `${target} has ${levels.length} levels, not ${level}`, "see `gemel fence plan`");
  if (devices.some(({ isManual }) => isManual))
    return refuse("level", `level ${level} is a person`, "drill another level; people are drilled by people");
  const origin = { kind: "operator", by: `${by}: drill of level ${level}` } as const;
  return answer<"fence-drill">(
    fencingRecord(await manager.fencing.request(target, "reboot", origin, { onlyLevel: level })),
  );
}

export async function prove(manager: Manager, device: string | undefined): Promise<Reply> {
  const known = manager.fencing.proofs().proofs.map((proof) => proof.device);
  if (device !== undefined && !known.includes(device))
    return refuse("device", `this node never uses ${device}`, `it uses ${known.join(", ") || "none"}`);
  await manager.fencing.prove(device);
  const { fencing } = await statusReport(manager);
  const own = fencing.proofs.filter(({ node }) => node === manager.self);
  return answer<"fence-prove">({ proofs: own.filter((proof) => device === undefined || proof.device === device) });
}

/** Every path on which the target still answers: then whoever confirms errs. */
function pathsAlive(manager: Manager, target: string): readonly string[] {
  const links = manager.view?.links.filter(({ peer, state }) => peer === target && state === "up") ?? [];
  const isMember = manager.view?.members.includes(target) === true ? ["it is a member of the cluster"] : [];
  return [...isMember, ...links.map(({ name }) => `it is heard on link ${name}`)];
}

/** A word about a node that there is not would help nobody, and whoever mistyped it would wait for a takeover. */
export async function confirmFence(
  manager: Manager,
  request: Extract<ControlRequest, { kind: "fence-confirm" }>,
): Promise<Reply> {
  const { target, terminal } = request;
  const by = `${request.by ?? "root"}${terminal === undefined ? "" : ` at ${terminal}`}`;
  const unknown = refuseUnknown(manager, target);
  if (unknown !== undefined) return unknown;
  const seen = await manager.fencing.seenAlive(target);
  const refusal = manager.fencing.confirm(target, by, [...pathsAlive(manager, target), ...seen]);
  if (refusal !== undefined) return refuse("target", refusal, "switch it off first; then confirm again");
  return answer<"fence-confirm">({ text: `it is on record that ${by} has seen ${target} without power` });
}
