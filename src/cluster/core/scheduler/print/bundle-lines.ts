/** A bundle in the report: one line a replica, that says where its container is and how the resource inside fares. */
import { bundleNodeName, bundleSpec } from "../facts/bundle-spec.ts";
import type { Node, Resource } from "../facts/model.ts";

/** A primitive's line under another name and place. */
export interface Shown {
  readonly name: string;
  readonly node: Node | undefined;
}

function headOf(bundle: Resource, indent: string, flags: string): string | undefined {
  const spec = bundleSpec(bundle.element);
  if (spec === undefined) return undefined;
  const kind = spec.replicas > 1 ? "Container bundle set" : "Container bundle";
  const unique = spec.perHostConfigured > 1 ? " (unique)" : "";
  return `${indent}* ${kind}: ${bundle.id} [${spec.image}]${unique}${flags}:`;
}

/** Without a resource inside the container itself is what counts. */
export function bundleLines(
  bundle: Resource,
  indent: string,
  flags: string,
  line: (resource: Resource, indent: string, shown: Shown) => string,
): string[] {
  const [spec, head] = [bundleSpec(bundle.element), headOf(bundle, indent, flags)];
  if (spec === undefined || head === undefined) return [];
  const replicas = bundle.replicas.map(({ index, child, container, ipAddress }) => {
    const name = child === undefined ? container.id : bundleNodeName(spec, index);
    const address = ipAddress === "" ? "" : ` (${ipAddress})`;
    return line(child ?? container, `${indent}  `, { name: `${name}${address}`, node: container.runningOn[0] });
  });
  return [head, ...replicas];
}

/** In detail: each replica with its address, the resource inside, the container, and the connection to it. */
export function replicaLines(
  bundle: Resource,
  indent: string,
  flags: string,
  lines: (part: Resource, indent: string) => readonly string[],
): string[] {
  const head = headOf(bundle, indent, flags);
  if (head === undefined) return [];
  const replicas = bundle.replicas.flatMap(({ index, ip, child, container, remote }) => {
    const parts = [ip, child, container, remote].filter((part) => part !== undefined);
    // The only one needs no name.
    const name = bundle.replicas.length === 1 ? [] : [`${indent}  * Replica[${index}]`];
    return [...name, ...parts.flatMap((part) => lines(part, `${indent}    `))];
  });
  return [head, ...replicas];
}
