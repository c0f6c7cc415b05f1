/** Where the parts of a bundle count as being: those of a replica are where its container is. */
import type { Node, Resource } from "../facts/model.ts";
import type { Role } from "../facts/values.ts";
import { assignedNode, assignedOf, type Board, nextRoleOf } from "./board.ts";

/** The cluster or remote node that a node in a container stands on; any other node stands for itself. */
export function hostOf(board: Board, node: Node): Node {
  if (!node.inBundle) return node;
  const container = node.remote?.container;
  return (container === undefined ? undefined : assignedNode(board, container)) ?? node;
}

/** What the node says of the resource; of a resource inside that wants it so, the host of its container. */
export function attributesFor(board: Board, resource: Resource, node: Node): Node["attributes"] {
  return resource.meta["container-attribute-target"] === "host" ? hostOf(board, node).attributes : node.attributes;
}

/** An instance of a clone or replica of a bundle, as others may be colocated with it. */
export interface Place {
  /** What is placed: the instance, or the container. */
  readonly resource: Resource;
  readonly node: Node | undefined;
  readonly role: Role;
}

export function placesOf(board: Board, whole: Resource): readonly Place[] {
  if (whole.kind === "bundle")
    return whole.replicas.map(({ container, child }) => ({
      resource: container,
      node: assignedNode(board, container),
      role: nextRoleOf(board, child ?? container),
    }));
  const instances = whole.promotable ? board.ranks[whole.index] : undefined;
  return (instances ?? whole.children).map((instance) => ({
    resource: instance,
    node: assignedOf(board, instance),
    role: nextRoleOf(board, instance),
  }));
}
