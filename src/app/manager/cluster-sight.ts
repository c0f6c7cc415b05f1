/**
 * What the fencing devices that are none may know of the cluster: which resource is recorded where, in which start a
 * node is, and what the membership has proven of a node that promised to end itself.
 */
import { nodesWithActive } from "../../cluster/core/controller/cib-read.ts";
import { nodeCib } from "../../cluster/core/controller/node-core.ts";
import type { PeerView } from "../../cluster/core/membership/view.ts";
import type { ClusterSight } from "../../fencing/edge/open-device.ts";
import type { PromiseReading } from "../../hw/core/watchdog/promise.ts";
import type { Manager } from "./manager.ts";

function readingOf(node: string, self: string, peer: PeerView | undefined): PromiseReading {
  if (node === self) return { kind: "none", reason: `${node} is this node` };
  const promise = peer?.promise;
  if (promise === undefined) {
    const remedy = "write quorum-lease in its node configuration, or use another device";
    return {
      kind: "none",
      reason: `${node} has not promised to end without quorum since this node hears it; ${remedy}`,
    };
  }
  const { endsWithinMs, waitMs, endedAfterMs } = promise;
  if (endedAfterMs !== undefined) return { kind: "ended", endsWithinMs, quietMs: endedAfterMs };
  return { kind: promise.isQuiet ? "waiting" : "heard", endsWithinMs, waitMs };
}

/** `manager`: it is made with its fencing, so it is asked for late. */
export function clusterSight(self: string, manager: () => Manager): ClusterSight {
  const peerOf = (node: string) => manager().view?.peers.find(({ name }) => name === node);
  return {
    holdersOf: (resource) => nodesWithActive(nodeCib(manager().node), resource),
    startOf: (node) => peerOf(node)?.generation,
    read: (node) => readingOf(node, self, peerOf(node)),
    withoutPromise: () => {
      const peers = manager().view?.peers ?? [];
      return peers.filter(({ phase, promise }) => phase === "member" && promise === undefined).map(({ name }) => name);
    },
    declareLost: (node) => manager().toKeeper({ kind: "peer-declared-lost", name: node }),
  };
}
