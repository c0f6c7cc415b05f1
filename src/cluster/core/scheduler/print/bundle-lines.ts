/** A bundle in the report: one line a replica, that says where its container is and how the resource inside fares. */
import { bundleNodeName, bundleSpec } from "../facts/bundle-spec.ts";
import type { Node, Resource } from "../facts/model.ts";

/** A primitive's line under another name and place. */
export interface Shown {
  readonly name: string;
  readonly node: Node | undefined;
}

/** Without a resource inside the container itself is what counts. */
export function bundleLines(
  bundle: Resource,
  indent: string,
  flags: string,
  line: (resource: Resource, indent: string, shown: Shown) => string,
): string[] {
  const spec = bundleSpec(bundle.element);
  if (spec === undefined) return [];
  const kind = spec.replicas > 1 ? "Container bundle set" : "Container bundle";
  const unique = spec.perHostConfigured > 1 ? " (unique)" : "";
  const head = `${indent}* ${kind}: ${bundle.id} [${spec.image}]${unique}${flags}:`;
  const replicas = bundle.replicas.map(({ index, child, container, ipAddress }) => {
    const name = child === undefined ? container.id : bundleNodeName(spec, index);
    const address = ipAddress === "" ? "" : ` (${ipAddress})`;
    return line(child ?? container, `${indent}  `, { name: `${name}${address}`, node: container.runningOn[0] });
  });
  return [head, ...replicas];
}
