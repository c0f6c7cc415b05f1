/**
 * What a bundle's element says, defaults filled in: how many containers, with which image, addresses, ports, mounts.
 * Facts: Pacemaker Explained, "Bundles - Containerized Resources"; crm_simulate as a black box (what is left out counts
 * as what).
 */
import { childOf, childrenOf, type XmlElement } from "../../../../base/xml.ts";
import { isFalse } from "./values.ts";

export const CONTAINER_KINDS = ["docker", "podman", "rkt"] as const;
export type ContainerKind = (typeof CONTAINER_KINDS)[number];

/** Far above what one host can serve; a larger number in a CIB is a slip of the pen. */
const REPLICAS_MAX = 200;
export const CONTROL_PORT_DEFAULT = "3121";

export interface BundleSpec {
  readonly id: string;
  readonly kind: ContainerKind;
  readonly image: string;
  readonly replicas: number;
  /** As configured: from two on the replicas are told apart. */
  readonly perHostConfigured: number;
  /** Without addresses of their own two replicas on one host would clash. */
  readonly perHost: number;
  /** 0: the resource inside has no promoted role. */
  readonly promotedMax: number;
  readonly network: string | undefined;
  readonly options: string | undefined;
  readonly runCommand: string | undefined;
  /** One address a replica, counted from this one; undefined without addresses. */
  readonly firstAddress: string | undefined;
  readonly hostInterface: string | undefined;
  readonly hostNetmask: string | undefined;
  readonly controlPort: string | undefined;
  readonly addHosts: boolean;
  readonly ports: readonly PortMapping[];
  readonly mounts: readonly StorageMapping[];
  /** The resource that runs inside; without one the containers themselves are the service. */
  readonly child: XmlElement | undefined;
}

export interface PortMapping {
  readonly host: string;
  readonly inside: string;
}

export interface StorageMapping {
  /** Below `sourceRoot` each replica has a directory of its own. */
  readonly source: string | undefined;
  readonly sourceRoot: string | undefined;
  readonly target: string;
  readonly options: string | undefined;
}

function readPorts(network: XmlElement | undefined): PortMapping[] {
  return childrenOf(network, "port-mapping").flatMap(({ attributes }) => {
    const { port, range, "internal-port": inside } = attributes;
    const host = port ?? range;
    return host === undefined ? [] : [{ host, inside: port === undefined ? host : (inside ?? host) }];
  });
}

function readMounts(storage: XmlElement | undefined): StorageMapping[] {
  return childrenOf(storage, "storage-mapping").flatMap(({ attributes }) => {
    const { "source-dir": source, "source-dir-root": sourceRoot, "target-dir": target, options } = attributes;
    if (target === undefined || (source === undefined && sourceRoot === undefined)) return [];
    return [{ source, sourceRoot: source === undefined ? sourceRoot : undefined, target, options }];
  });
}

function count(value: string | undefined, fallback: number): number {
  const number = Number.parseInt(value ?? "", 10);
  return Number.isNaN(number) || number < 0 ? fallback : Math.min(number, REPLICAS_MAX);
}

/** `undefined` when it cannot be made to work: no container, or no way to reach the resource inside. */
export function bundleSpec(bundle: XmlElement): BundleSpec | undefined {
  const kind = CONTAINER_KINDS.find((name) => childOf(bundle, name) !== undefined);
  const container = kind === undefined ? undefined : childOf(bundle, kind);
  if (kind === undefined || container === undefined) return undefined;
  const network = childOf(bundle, "network");
  const {
    "ip-range-start": firstAddress,
    "control-port": controlPort,
    "add-host": addHost,
    "host-interface": hostInterface,
    "host-netmask": hostNetmask,
  } = network?.attributes ?? {};
  const child = childOf(bundle, "primitive");
  if (child !== undefined && firstAddress === undefined && controlPort === undefined) return undefined;
  const { attributes } = container;
  const promotedMax = child === undefined ? 0 : count(attributes["promoted-max"] ?? attributes["masters"], 0);
  const perHostConfigured = Math.max(1, count(attributes["replicas-per-host"], 1));
  return {
    id: bundle.attributes["id"] ?? "",
    kind,
    image: attributes["image"] ?? "",
    replicas: Math.max(1, count(attributes["replicas"], Math.max(1, promotedMax))),
    perHostConfigured,
    perHost: firstAddress === undefined ? 1 : perHostConfigured,
    promotedMax,
    network: attributes["network"],
    options: attributes["options"],
    runCommand: attributes["run-command"] ?? (child === undefined ? undefined : "/usr/sbin/pacemaker-remoted"),
    firstAddress,
    hostInterface,
    hostNetmask,
    controlPort,
    addHosts: !isFalse(addHost),
    ports: readPorts(network),
    mounts: readMounts(childOf(bundle, "storage")),
    child,
  };
}

/** The node that lives in replica `index`, when a resource runs inside. */
export function bundleNodeName({ id }: BundleSpec, index: number): string {
  return `${id}-${index}`;
}

export function containerName({ id, kind }: BundleSpec, index: number): string {
  return `${id}-${kind}-${index}`;
}

/** The address `index` places behind the first one; network and broadcast addresses of a /24 are left out. */
export function addressOf({ firstAddress }: BundleSpec, index: number): string | undefined {
  const parts = (firstAddress ?? "").split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part))) return firstAddress;
  let [a = 0, b = 0, c = 0, d = 0] = parts;
  for (let step = 0; step < index; step++) {
    d += 1;
    if (d > 254) [c, d] = [c + 1, 1];
    if (c > 254) [b, c] = [b + 1, 1];
    if (b > 254) [a, b] = [a + 1, 1];
  }
  return [a, b, c, d].join(".");
}
