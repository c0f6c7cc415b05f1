/** One lock on a shared disk, as a value for whoever judges by it whether its holder lives. */
import type { SfexLock, SfexRead } from "./record.ts";

export interface SharedLock {
  /** Monotonic: the proof is a time that has passed. */
  nowMs(): number;
  /** The name under which we write. */
  readonly self: string;
  /** Where the cluster has recorded that the resource runs which holds the lock; undefined: no cluster was asked. */
  holders(): readonly string[] | undefined;
  /** The number of the node's present start, as the cluster knows it; undefined: it was never heard. */
  startOf(node: string): number | undefined;
  read(): Promise<SfexRead<SfexLock> | { readonly kind: "failed"; readonly reason: string }>;
  /** Why it may not stand on the disk; undefined: it does. */
  write(lock: SfexLock): Promise<string | undefined>;
}
