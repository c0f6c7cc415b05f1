/**
 * What must be told of each trouble of docs/operations/what-to-do.md, wherever it is provoked: the name of its row in
 * the status, and the command that an operator would type.
 */
export interface Told {
  readonly row: number;
  readonly code: string;
  readonly command: RegExp;
}

/** Row 14 is not here: a node that was restored from a backup comes in by itself, and there is nothing to tell. */
export const TOLD = {
  failedOver: { row: 1, code: "failed-over", command: /gemel report/ },
  withoutPower: { row: 2, code: "node-without-power", command: /gemel fence on / },
  serviceNotRunning: { row: 3, code: "service-not-running", command: /systemctl start gemel/ },
  networkLost: { row: 4, code: "network-lost", command: /check cable, card, ip link/ },
  diskLost: { row: 5, code: "disk-lost", command: /multipathd, iSCSI/ },
  failed: { row: 6, code: "resource-failed", command: /crm resource cleanup \S+ (?:alpha|bravo)/ },
  runsNowhere: { row: 7, code: "runs-nowhere", command: /crm node online (?:alpha|bravo)/ },
  networkLostEverywhere: { row: 8, code: "network-lost-everywhere", command: /return by themselves/ },
  diskLostEverywhere: { row: 9, code: "disk-lost-everywhere", command: /systemctl stop gemel; start nothing/ },
  failedEverywhere: {
    row: 10,
    code: "failed-everywhere",
    command: /crm resource cleanup (\S+) (?:alpha|bravo); look that it runs; crm resource cleanup \1/,
  },
  leftOver: { row: 11, code: "left-over-constraint", command: /crm resource unmove service/ },
  shutdownHangs: { row: 12, code: "shutdown-hangs", command: /crm resource cleanup \S+/ },
  notReady: { row: 13, code: "not-ready", command: /crm resource cleanup \S+/ },
  mutualFencing: { row: 15, code: "mutual-fencing", command: /priority-fencing-delay/ },
  fencingFails: { row: 16, code: "fencing-fails", command: /gemel fence confirm / },
  activeTwice: { row: 17, code: "active-twice", command: /crm node standby/ },
  withoutInterface: { row: 18, code: "address-without-interface", command: /nic/ },
  addressMoved: { row: 19, code: "address-moved", command: /arp|neigh/i },
  linkDown: { row: 20, code: "link-down", command: /by itself/ },
} as const satisfies Readonly<Record<string, Told>>;
