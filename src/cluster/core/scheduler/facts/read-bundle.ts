/**
 * A bundle becomes ordinary resources: a clone of the resource inside, and for each replica an address, a container and
 * a connection to the node that the container is. All rules for primitives and clones then hold for them.
 * Facts: Pacemaker Explained, "Bundles - Containerized Resources"; crm_simulate as a black box (names, monitors).
 */
import { type XmlElement, xml } from "../../../../base/xml.ts";
import { containerParameters } from "./bundle-container.ts";
import {
  addressOf,
  type BundleSpec,
  bundleNodeName,
  bundleSpec,
  CONTROL_PORT_DEFAULT,
  containerName,
} from "./bundle-spec.ts";
import type { Reading, ReplicaDraft, ResourceDraft } from "./draft.ts";
import type { Resource } from "./model.ts";

type Pairs = Readonly<Record<string, string | undefined>>;

function set(name: string, id: string, values: Pairs): XmlElement {
  const pairs = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [xml("nvpair", { id: `${id}-${key}`, name: key, value })],
  );
  return xml(name, { id: `${id}-${name}` }, pairs);
}

function monitor(id: string, interval: string, timeout?: string): XmlElement {
  const attributes = { id: `${id}-monitor-${interval}`, name: "monitor", interval };
  return xml("operations", {}, [xml("op", timeout === undefined ? attributes : { ...attributes, timeout })]);
}

/** What an id may not contain becomes a dot. */
const asId = (text: string) => text.replaceAll(/[^\w.-]/g, ".");

function addressElement(spec: BundleSpec, address: string): XmlElement {
  const id = `${spec.id}-ip-${asId(address)}`;
  const parameters = { ip: address, nic: spec.hostInterface, cidr_netmask: spec.hostNetmask ?? "32" };
  return xml("primitive", { id, class: "ocf", provider: "heartbeat", type: "IPaddr2" }, [
    set("instance_attributes", id, parameters),
    monitor(id, "60s"),
  ]);
}

function containerElement(spec: BundleSpec, index: number): XmlElement {
  const id = containerName(spec, index);
  return xml("primitive", { id, class: "ocf", provider: "heartbeat", type: spec.kind }, [
    set("instance_attributes", id, containerParameters(spec, index)),
    monitor(id, "60s"),
  ]);
}

function connectionElement(spec: BundleSpec, index: number): XmlElement {
  const id = bundleNodeName(spec, index);
  const parameters = {
    // Without an address of its own it is reached at that of whatever host it is on.
    addr: addressOf(spec, index) ?? "#uname",
    port: spec.controlPort ?? CONTROL_PORT_DEFAULT,
  };
  const meta = {
    internal_remote_node: "true",
    container: containerName(spec, index),
    "allow-migrate": "false",
  };
  return xml("primitive", { id, class: "ocf", provider: "pacemaker", type: "remote" }, [
    set("instance_attributes", id, parameters),
    set("meta_attributes", id, meta),
    monitor(id, "30s", "30s"),
  ]);
}

function cloneElement(spec: BundleSpec, child: XmlElement): XmlElement {
  const id = `${spec.id}-${spec.promotedMax > 0 ? "master" : "clone"}`;
  const isUnique = spec.perHost > 1;
  const meta = {
    ordered: "true",
    "clone-max": String(spec.replicas),
    "clone-node-max": isUnique ? String(spec.perHost) : "1",
    "globally-unique": String(isUnique),
    // Unless the container says how many, the bundle's meta-attributes say whether any.
    promotable: spec.promotedMax > 0 ? "true" : undefined,
    "promoted-max": spec.promotedMax > 0 ? String(spec.promotedMax) : undefined,
  };
  return xml("clone", { id }, [set("meta_attributes", id, meta), child]);
}

/** Whether it can be made to work at all; if not, that is said, and it is left out. */
export function isUsableBundle(facts: Reading, bundle: XmlElement): boolean {
  if (bundleSpec(bundle) !== undefined) return true;
  facts.problems.push({
    severity: "error",
    place: `/cib/configuration/resources/bundle[@id="${bundle.attributes["id"] ?? ""}"]`,
    reason: "the bundle has no container, or there is no way to reach the resource in it",
    remedy: "give it docker or podman, and a network with ip-range-start or control-port",
  });
  return false;
}

/** What a resource inside is told of where it is: its own address as seen from outside. */
export function bundledParameters(resource: Resource): Readonly<Record<string, string>> {
  const replica = resource.parent?.parent?.replicas.find(({ child }) => child === resource);
  return replica === undefined || replica.ipAddress === "" ? {} : { pcmk_external_ip: replica.ipAddress };
}

/** Makes the resources that the bundle implies. */
export function readBundle(
  facts: Reading,
  bundle: ResourceDraft,
  read: (element: XmlElement) => ResourceDraft | undefined,
): void {
  const spec = bundleSpec(bundle.element);
  if (spec === undefined) return;
  const add = (element: XmlElement) => {
    const resource = read(element);
    if (resource !== undefined) bundle.children.push(resource);
    return resource;
  };
  if (spec.child !== undefined) bundle.bundled = add(cloneElement(spec, spec.child));
  for (let index = 0; index < spec.replicas; index++) {
    const address = addressOf(spec, index);
    const ip = address === undefined ? undefined : add(addressElement(spec, address));
    const container = add(containerElement(spec, index));
    const remote = spec.child === undefined ? undefined : add(connectionElement(spec, index));
    if (container === undefined) continue;
    const child = bundle.bundled?.children[index];
    const node = facts.nodeByName.get(bundleNodeName(spec, index));
    const replica: ReplicaDraft = { index, ip, container, remote, child, node, ipAddress: address ?? "" };
    bundle.replicas.push(replica);
    if (child === undefined) continue;
    child.container = container;
    container.fillers.push(child);
  }
  bundle.instanceMax = spec.replicas;
  bundle.instanceNodeMax = spec.perHost;
}
