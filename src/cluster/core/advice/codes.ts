/**
 * The troubles that have a name, with the row of the how-to table that they come from (docs/operations/what-to-do.md).
 * A code never changes its meaning: traps, reports and people refer to it.
 */
export const ROW_OF = {
  "failed-over": 1,
  "node-without-power": 2,
  "service-not-running": 3,
  "node-silent": 3,
  "network-lost": 4,
  "disk-lost": 5,
  "resource-failed": 6,
  "runs-nowhere": 7,
  "network-lost-everywhere": 8,
  "disk-lost-everywhere": 9,
  "failed-everywhere": 10,
  "left-over-constraint": 11,
  "shutdown-hangs": 12,
  "not-ready": 13,
  "start-refused": 14,
  "mutual-fencing": 15,
  "fencing-fails": 16,
  "active-twice": 17,
  "address-without-interface": 18,
  "address-moved": 19,
  "link-down": 20,
  // Beyond the table.
  "no-dc": 0,
  "node-unclean": 0,
  "node-standby": 0,
  "node-maintenance": 0,
  "fencing-disabled": 0,
  "no-fencing-device": 0,
  "fencing-unproven": 0,
  "node-sick": 0,
  "silence-near-deadtime": 0,
  "promoted-nowhere": 0,
  "drbd-degraded": 0,
  "drbd-diskless": 0,
  "drbd-stale": 0,
  "drbd-frozen": 0,
  "drbd-syncing": 0,
  "drbd-split": 0,
  "drbd-differs": 0,
  "drbd-bitmap-left": 0,
  blocked: 0,
} as const;

export type Code = keyof typeof ROW_OF;
