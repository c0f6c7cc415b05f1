/** What a picture of the cluster is made from, and which parts of it are wanted: the words of crm_mon(8). */
import type { Facts, Resource } from "../scheduler/facts/model.ts";

/** One fencing, as the fencer recorded it. */
export interface FencingNote {
  readonly target: string;
  readonly action: string;
  readonly outcome: "confirmed" | "not-done" | "unknown" | "running";
  readonly by: string;
  readonly atWallMs: number;
}

/** A fencing device by which a node could not fence now, or is not known to. */
export interface UnprovenDevice {
  readonly node: string;
  readonly device: string;
  /** When it was last seen to work. */
  readonly provenWallMs?: number;
  readonly reason?: string;
}

export interface MonitorSource {
  readonly facts: Facts;
  readonly nowWallMs: number;
  /** What the CIB does not tell of a running cluster: `cluster-infrastructure` and `dc-version` come before these. */
  readonly stack: string;
  readonly version: string | undefined;
  /** Newest first. */
  readonly fencing: readonly FencingNote[];
  readonly unproven: readonly UnprovenDevice[];
  /** `Thu Dec  1 16:55:21 2011`, in the zone of whoever looks. */
  readonly ctime: (wallMs: number) => string;
}

/** The sections by the names of --include and --exclude. */
export const SECTION_NAMES = [
  ...(["stack", "dc", "times", "counts", "maint-mode", "options"] as const),
  ...(["nodes", "resources", "attributes", "failcounts", "operations", "failures"] as const),
  ...(["fencing-failed", "fencing-pending", "fencing-succeeded", "tickets", "bans"] as const),
] as const;
export type SectionName = (typeof SECTION_NAMES)[number];

export interface MonitorWishes {
  readonly sections: ReadonlySet<SectionName>;
  readonly inactive: boolean;
  readonly byNode: boolean;
  readonly timing: boolean;
  readonly detail: boolean;
  /** Primitives are counted by their agents. */
  readonly brief: boolean;
  /** Bans whose id begins so. */
  readonly bans: string;
  /** Of fencing, everything, not only the latest of each kind. */
  readonly wholeFencingHistory: boolean;
  /** Only what concerns this node, or those with this tag. */
  readonly node: string | undefined;
  /** Only what concerns this resource, or those with this tag. */
  readonly resource: string | undefined;
}

/** The source without what is not wanted; `whole` is for counts and for what nodes are said to do. */
export interface NarrowedSource extends MonitorSource {
  readonly whole: Facts;
  /** Whether the history, a failure or a ban of it is wanted. */
  readonly shows: (resource: Resource) => boolean;
}

/** One block of a picture; each line is indented by two blanks for every level below its title. */
export interface Section {
  /** Of those that a page tells trait by trait. */
  readonly kind?: "summary" | "nodes" | "attributes" | "tickets";
  readonly title: string;
  readonly lines: readonly string[];
}
