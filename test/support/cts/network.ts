/**
 * The wires of the rounds: a namespace for each node and one for the world outside. Two switches join them: `heart`
 * carries the heartbeats and can be cut into parts; `service` carries clients and the nodes' boards.
 */
import { spawnSync } from "node:child_process";

export interface Network {
  /** The namespace of a node, or of the world (`world`). */
  readonly space: (name: string) => string;
  readonly heartAddress: (node: string) => string;
  /** Where the boards listen: in the world outside, on the service network. */
  readonly boardAddress: string;
  readonly hasAddress: (node: string, address: string) => boolean;
  /** Only nodes of one part hear each other; without parts all do. */
  readonly divide: (parts: readonly (readonly string[])[]) => void;
  readonly close: () => void;
}

export const WORLD = "world";

/** A board that cuts a node's power ends everything in its namespace, and a tool of ours that looks into it as well. */
const TRIES = 5;

export function ip(...argv: string[]): string {
  for (let left = TRIES - 1; ; left -= 1) {
    const { status, signal, stdout, stderr } = spawnSync("ip", argv, { encoding: "utf8" });
    if (status === 0) return stdout;
    if (signal !== "SIGKILL" || left === 0) throw new Error(`ip ${argv.join(" ")}: ${stderr || signal}`);
  }
}

function addBridge(space: string, name: string): void {
  ip("-n", space, "link", "add", name, "type", "bridge");
  // A switch that listens for multicast members would hold heartbeats back until it has learnt them.
  ip("-n", space, "link", "set", name, "type", "bridge", "mcast_snooping", "0");
  ip("-n", space, "link", "set", name, "up");
}

export function layNetwork(nodes: readonly string[], tag: string): Network {
  const space = (name: string) => `ct${name.slice(0, 3)}${tag}`;
  const world = space(WORLD);
  for (const name of [...nodes, WORLD]) {
    ip("netns", "add", space(name));
    ip("-n", space(name), "link", "set", "lo", "up");
  }
  for (const bridge of ["service", ...nodes.map((_, index) => `heart${index}`)]) addBridge(world, bridge);
  ip("-n", world, "addr", "add", "198.18.5.200/24", "dev", "service");
  for (const [index, node] of nodes.entries()) {
    for (const [cable, net, bridge] of [
      ["heart", 4, "heart0"],
      ["service", 5, "service"],
    ] as const) {
      const port = `${cable[0]}-${node}`;
      ip("-n", world, "link", "add", port, "type", "veth", "peer", "name", cable, "netns", space(node));
      ip("-n", world, "link", "set", port, "master", bridge, "up");
      ip("-n", space(node), "addr", "add", `198.18.${net}.${index + 1}/24`, "dev", cable);
      ip("-n", space(node), "link", "set", cable, "up");
    }
  }
  return {
    space,
    heartAddress: (node) => `198.18.4.${nodes.indexOf(node) + 1}`,
    boardAddress: "198.18.5.200",
    hasAddress: (node, address) => ip("-n", space(node), "-4", "addr", "show").includes(`${address}/`),
    divide(parts) {
      for (const node of nodes) {
        const part = Math.max(
          0,
          parts.findIndex((one) => one.includes(node)),
        );
        ip("-n", world, "link", "set", `h-${node}`, "master", `heart${part}`);
      }
    },
    close() {
      for (const name of [...nodes, WORLD]) ip("netns", "del", space(name));
    },
  };
}
