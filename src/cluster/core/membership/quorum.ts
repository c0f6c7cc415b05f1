/**
 * Whether the members of a view may decide for the cluster.
 * A pair has no majority when one is gone: there the fencing decides who goes on, because whoever takes over has first
 * read the other's power as off. More than two nodes need more than half of all configured ones.
 * Before `settled` nobody decides: a node that starts alone first waits initdead for its peers.
 * Fact: corosync votequorum(5), two_node and wait_for_all; here the wait ends with initdead, since fencing follows it.
 */
export function isQuorate(configuredNodes: number, members: number, settled: boolean): boolean {
  if (!settled) return false;
  return configuredNodes <= 2 || 2 * members > configuredNodes;
}
