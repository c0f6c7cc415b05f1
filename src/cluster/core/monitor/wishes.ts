/** What a picture of the cluster is made from, and which parts of it are wanted: the words of crm_mon(8). */
import type { Facts } from "../scheduler/facts/model.ts";

/** One fencing, as the fencer recorded it. */
export interface FencingNote {
  readonly target: string;
  readonly action: string;
  readonly outcome: "confirmed" | "not-done" | "unknown" | "running";
  readonly by: string;
  readonly atWallMs: number;
}

export interface MonitorSource {
  readonly facts: Facts;
  readonly nowWallMs: number;
  /** What the CIB does not tell of a running cluster: `cluster-infrastructure` and `dc-version` come before these. */
  readonly stack: string;
  readonly version: string | undefined;
  /** Newest first. */
  readonly fencing: readonly FencingNote[];
  /** `Thu Dec  1 16:55:21 2011`, in the zone of whoever looks. */
  readonly ctime: (wallMs: number) => string;
}

export interface MonitorWishes {
  readonly inactive: boolean;
  readonly byNode: boolean;
  readonly failCounts: boolean;
  readonly attributes: boolean;
  readonly operations: boolean;
  readonly timing: boolean;
  readonly tickets: boolean;
  readonly detail: boolean;
  readonly hideHeaders: boolean;
  /** Bans whose id begins so; undefined shows none. */
  readonly bans: string | undefined;
  /** 0 none, 1 failures and what runs, 2 all. */
  readonly fencing: 0 | 1 | 2;
}

/** One block of a picture; each line is indented by two blanks for every level below its title. */
export interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}
