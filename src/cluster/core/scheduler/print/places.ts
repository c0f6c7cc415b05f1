/** Where resources are told to be, which is not wherever the scheduler has to count with them. */
import type { Node, Resource } from "../facts/model.ts";

/** Of a node that is down, and known to be, nothing is shown, nor of what was on it. */
export function isDown({ kind, online, unclean }: Node): boolean {
  return !online && (kind === "guest" || !unclean);
}

/** Whether anything of it is up, or may be; all of it when `all`. What went down with its node is not. */
export function isUp(resource: Resource, all = false): boolean {
  if (resource.kind === "primitive") return resource.runningOn.some((node) => !isDown(node));
  const { children } = resource;
  return all ? children.every((child) => isUp(child, true)) : children.some((child) => isUp(child));
}

/**
 * Where it is told to be. Where only the remains of what was handed over are, it does not run; what is being handed
 * over is told at its source, though it may have arrived already.
 */
export function placesOf({ runningOn, dangling, pendingTask, pendingNode }: Resource): readonly Node[] {
  const isUnderWay = pendingTask === "migrate_to" && pendingNode !== undefined && runningOn.includes(pendingNode);
  return runningOn.filter((node) => !dangling.includes(node) && (!isUnderWay || node === pendingNode));
}
