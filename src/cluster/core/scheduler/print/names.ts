/** The names under which steps go out: as the executor knows them, and as pictures and reports show them. */
import { entryOf } from "../../../../base/record.ts";
import type { Action } from "../act/actions.ts";
import { DONE } from "../act/collectives.ts";
import type { Resource } from "../facts/model.ts";
import { inAnonymousClone } from "../facts/model.ts";

/** Instances of anonymous clones go by the name that the node recorded. */
export function executorName(resource: Resource): string {
  return inAnonymousClone(resource) ? (resource.recordedName ?? resource.id) : resource.id;
}

/** `RESOURCE_OPERATION_INTERVAL` as the executor gets it. */
export function operationKey(step: Action): string {
  const { resource, key } = step;
  if (resource === undefined || resource.kind !== "primitive") return key;
  const name = executorName(resource);
  return name === resource.id || !key.startsWith(resource.id) ? key : `${name}${key.slice(resource.id.length)}`;
}

/**
 * Whom the executor knows by another name than the cluster is told, afterwards, in the word for what is done: a picture
 * of the reference cases has `redis_post_notify_promoted_0` beside `redis:1_post_notify_promote_0`.
 */
function pictureKey(step: Action): string {
  const key = operationKey(step);
  const { notify_key_type: when, notify_key_operation: task = "" } = step.meta;
  if (when !== "post" || key === step.key) return key;
  return key.replace(`_post_notify_${task}_`, `_post_notify_${entryOf(DONE, task) ?? task}_`);
}

/** The name of a step in a picture. */
export function pictureName(step: Action): string {
  const at = step.node === undefined ? "" : ` ${step.node.name}`;
  if (step.kind === "fence") return `stonith '${step.fenceKind ?? "reboot"}'${at}`;
  if (step.kind === "pseudo" && step.implied) return `${step.key}${at}`;
  if (step.operation === "do_shutdown") return `do_shutdown${at}`;
  const label = step.operation === "cancel" ? `Cancel ${operationKey(step)}` : pictureKey(step);
  return step.kind === "resource" && step.node === undefined ? `${label} <none>` : `${label}${at}`;
}
