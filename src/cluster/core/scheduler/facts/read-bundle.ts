/** Bundles: containers with an address, a connection and a resource inside. Fact: Pacemaker Explained, "Bundles". */
import type { Facts, Resource } from "./model.ts";

/** Not placed yet: what is recorded of a bundle is left running and untouched, and that is said. */
export function readBundle(facts: Facts, bundle: Resource): void {
  facts.problems.push({
    severity: "error",
    place: `/cib/configuration/resources/bundle[@id="${bundle.id}"]`,
    reason: "bundles are not scheduled by this version",
    remedy: "use clones; what runs of the bundle is left alone",
  });
}
