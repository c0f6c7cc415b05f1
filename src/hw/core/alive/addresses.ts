/** The addresses of a node, asked whether anybody is there. An answer proves life; silence proves nothing. */
import { type NetworkAddress, parseAddress } from "../rtnetlink.ts";

export interface NodeAddresses {
  /** Those that have answered, as they were written; or why nobody could be asked. */
  answering(): Promise<readonly string[] | { readonly reason: string }>;
}

export type NodeAddress =
  /** `zone`: the interface behind which a link-local address is meant. */
  | { readonly kind: "address"; readonly address: NetworkAddress; readonly zone?: string }
  /** Resolved anew with each question. */
  | { readonly kind: "name"; readonly name: string };

const NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
/** IFNAMSIZ without its end; linux/if.h. */
const ZONE = /^[^\s/%]{1,15}$/;

/** An address, an IPv6 address with `%INTERFACE`, or a name; undefined: none of them. */
export function parseNodeAddress(written: string): NodeAddress | undefined {
  const [literal = "", zone, ...more] = written.split("%");
  const address = parseAddress(literal);
  if (zone !== undefined) {
    const isZone = more.length === 0 && ZONE.test(zone) && literal.includes(":");
    return address !== undefined && isZone ? { kind: "address", address, zone } : undefined;
  }
  if (address !== undefined) return { kind: "address", address };
  // What has digits and dots only was meant as an address.
  return NAME.test(written) && !/^[\d.]+$/.test(written) ? { kind: "name", name: written } : undefined;
}
