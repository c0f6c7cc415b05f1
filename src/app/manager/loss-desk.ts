/**
 * The warning that comes with an order by which something that runs will run nowhere: the scheduler is asked twice,
 * about the cluster as it is and as the order will make it. It never holds an order up: an operator may want just that.
 */
import type { Problem } from "../../base/problem.ts";
import type { XmlElement } from "../../base/xml.ts";
import { childOf } from "../../base/xml.ts";
import { applyOperations } from "../../cluster/core/cib-store/operations.ts";
import { applyStatus, nodeIdFrom } from "../../cluster/core/cib-store/status.ts";
import type { ConfigurationOperation, StatusChange } from "../../cluster/core/cib-store/types.ts";
import { nodeCib } from "../../cluster/core/controller/node-core.ts";
import { lossWarning, lostBy } from "../../cluster/core/overrides/losses.ts";
import type { ControlRequest } from "../control-protocol.ts";
import { zoneAt } from "../zone.ts";
import type { Manager } from "./manager.ts";

/** What is ordered, in words; undefined for requests that are no orders, or whose very sense is a stop. */
function orderOf(request: ControlRequest): string | undefined {
  if (request.kind === "node" && request.action === "standby") return `standby of ${request.node}`;
  if (request.kind === "attribute" && request.name === "standby") return `standby of ${request.node ?? "this node"}`;
  if (request.kind === "resource" && (request.action === "move" || request.action === "ban"))
    return `${request.action} of ${request.resource}`;
  return undefined;
}

const withChild = (cib: XmlElement, child: XmlElement): XmlElement => ({
  ...cib,
  children: cib.children.map((one) => (one.name === child.name ? child : one)),
});

async function losses(manager: Manager, order: string, then: XmlElement): Promise<readonly Problem[]> {
  const nowWallMs = Date.now();
  const { decide } = manager.decider;
  const options = zoneAt(nowWallMs);
  try {
    const before = await decide(nodeCib(manager.node), nowWallMs, options);
    const warning = lossWarning(lostBy(before, await decide(then, nowWallMs, options)), order);
    return warning === undefined ? [] : [warning];
  } catch (error) {
    manager.log("error", `what ${order} stops cannot be said: ${String(error)}`);
    return [];
  }
}

/** What the request, should it be carried out so, takes down. */
export async function lossesOf(
  manager: Manager,
  request: ControlRequest,
  operations: readonly ConfigurationOperation[],
): Promise<readonly Problem[]> {
  const order = orderOf(request);
  const cib = nodeCib(manager.node);
  const configuration = childOf(cib, "configuration");
  if (order === undefined || configuration === undefined) return [];
  const applied = applyOperations(configuration, operations);
  return applied.kind === "valid" ? await losses(manager, order, withChild(cib, applied.value)) : [];
}

/** The same of an attribute that lasts until the node leaves. */
async function lossesOfTransient(manager: Manager, order: string, change: StatusChange): Promise<readonly Problem[]> {
  const cib = nodeCib(manager.node);
  const [configuration, tree] = [childOf(cib, "configuration"), childOf(cib, "status")];
  if (configuration === undefined || tree === undefined) return [];
  const status = applyStatus({ tree, root: {} }, change, nodeIdFrom(configuration));
  return await losses(manager, order, withChild(cib, status.tree));
}

export async function lossesUntilBoot(
  manager: Manager,
  request: ControlRequest & { readonly kind: "attribute" },
): Promise<readonly Problem[]> {
  const order = orderOf(request);
  const { node = manager.self, name, value = null } = request;
  return order === undefined
    ? []
    : await lossesOfTransient(manager, order, { kind: "set-attribute", node, name, value });
}

/** Nobody waits for the answer to a shutdown: the log has to say it. */
export async function tellLossesOfLeaving(manager: Manager): Promise<void> {
  const { self, log } = manager;
  // As the DC notes it.
  const value = String(Math.floor(Date.now() / 1000));
  const change = { kind: "set-attribute", node: self, name: "shutdown", value } as const;
  for (const { reason } of await lossesOfTransient(manager, `the shutdown of ${self}`, change)) log("warning", reason);
}
