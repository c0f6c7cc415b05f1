/** Bundles: a container a replica, with an address, a connection and the resource inside. */
import type { Facts, Resource } from "./model.ts";

/** Reads the replicas of a bundle. */
export function readBundle(_facts: Facts, _bundle: Resource): void {
  // Filled with tier 6.
}
