/** The names of the lab's things: the two nodes, and the links between them that can be cut. */

export const NODES = ["alpha", "bravo"] as const;
export type NodeName = (typeof NODES)[number];

/** The two networks that both nodes have; the client of the service hangs on `service`. */
export const NETWORKS = ["service", "private"] as const;
export type NetworkName = (typeof NETWORKS)[number];

/** All that `cut` and `join` take: the networks, the null-modem line, and the wire of each BMC. */
export const LINKS = [...NETWORKS, "serial", "bmc-alpha", "bmc-bravo"] as const;
export type LinkName = (typeof LINKS)[number];

/** What a round of `soak` may do to the pair. `split` cuts every link between the nodes, the boards left out. */
export const STRIKES = ["power-cut", "freeze", "panic", "split"] as const;
export type StrikeName = (typeof STRIKES)[number];

/**
 * What is wrong with a board. slow: off is accepted, and the power goes 8 s later. stuck: accepted, nothing happens.
 * refusing: an error is answered. dull: each answer takes 2 s. lying: accepted and read back as off; the machine runs.
 */
export const VICES = ["none", "slow", "stuck", "refusing", "dull", "lying"] as const;
export type Vice = (typeof VICES)[number];

export function isVice(word: string): word is Vice {
  return VICES.some((name) => name === word);
}

export function isStrikeName(word: string): word is StrikeName {
  return STRIKES.some((name) => name === word);
}

export function isNodeName(word: string): word is NodeName {
  return NODES.some((name) => name === word);
}

export function isLinkName(word: string): word is LinkName {
  return LINKS.some((name) => name === word);
}

export function isNetworkName(word: string): word is NetworkName {
  return NETWORKS.some((name) => name === word);
}

export function peerOf(node: NodeName): NodeName {
  return node === "alpha" ? "bravo" : "alpha";
}

/** 1 or 2: the last number of all addresses of the node. */
export function numberOf(node: NodeName): number {
  return NODES.indexOf(node) + 1;
}
