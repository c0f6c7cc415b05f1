/**
 * Every address of the emulated pair. They exist only inside the lab's own wires and its client's network namespace,
 * so that labs side by side may all use the same ones. The configuration of the pair names them too.
 */
import { type NetworkName, type NodeName, numberOf } from "./names.ts";

const SUBNETS: Readonly<Record<NetworkName, string>> = { service: "10.11.0", private: "10.12.0" };

/** The virtual address of the service group, as configuration/pair.crm gives it. */
export const VIRTUAL_ADDRESS = "10.11.0.100";
export const SERVICE_PORT = 8080;
export const CLIENT_ADDRESS = "10.11.0.200";
/** Where a guest sees the loopback of the machine that runs the lab (QEMU's user network). */
export const HOST_SEEN_BY_GUEST = "10.0.2.2";
export const MANAGEMENT_ADDRESS = "10.0.2.15";

export function addressOf(node: NodeName, network: NetworkName): string {
  return `${SUBNETS[network]}.${numberOf(node)}`;
}

/** Locally administered, told apart by network and node. */
export function macOf(node: NodeName, network: NetworkName | "management"): string {
  const code = { service: "11", private: "12", management: "13" }[network];
  return `52:54:00:00:${code}:0${numberOf(node)}`;
}
