/** The disks that carry poison pills, as values: one look at all of them, one message to all of them. */
import type { Mailbox, PoisonCommand, PoisonHeader } from "./format.ts";

/** What one disk shows of one node. */
export type DiskLook =
  | { readonly kind: "slot"; readonly disk: string; readonly header: PoisonHeader; readonly mailbox: Mailbox }
  /** The node has never been started with this disk. */
  | { readonly kind: "no-slot"; readonly disk: string; readonly header: PoisonHeader }
  | { readonly kind: "failed"; readonly disk: string; readonly reason: string };

export interface PoisonDisks {
  /** Monotonic: the proof is a time that has passed. */
  nowMs(): number;
  /** One entry a disk, however the disk behaves; a disk that hangs fails within its time. */
  look(node: string): Promise<readonly DiskLook[]>;
  /** Writes into the node's mailbox on every disk that has one. */
  write(node: string, command: PoisonCommand): Promise<void>;
}

/** Of one, two or three disks so many must agree. */
export function majorityOf(disks: number): number {
  return Math.floor(disks / 2) + 1;
}
