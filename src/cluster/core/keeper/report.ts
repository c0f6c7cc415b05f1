/** What the keeper tells the manager of itself every few seconds, for status and traps; nothing is decided by it. */
import type { LinkState } from "../membership/state.ts";
import type { SpreadReading } from "./spread.ts";

export interface LinkQuality {
  readonly name: string;
  readonly peer: string;
  readonly state: LinkState["state"];
  /** Of the peer's last 32 beats, how many came by this link, in percent; undefined while none has. */
  readonly heardPercent?: number;
  /** The latest changes of its state, newest first. */
  readonly changes: readonly { readonly state: LinkState["state"]; readonly agoMs: number }[];
}

/** How packets are sent. */
export interface Sealing {
  /** Encrypted by this node; else in the clear, with their proof. */
  readonly hides: boolean;
  /** Nodes that are heard and do it the other way. */
  readonly unlike: readonly string[];
}

export interface KeeperReport {
  /** How late our own beats were by our own clock. */
  readonly lateness: SpreadReading;
  /** Silences of members that lived; deadtime less the worst of them is what is left before a false death. */
  readonly silence: SpreadReading;
  readonly keepaliveMs: number;
  readonly deadtimeMs: number;
  readonly takeoverGoalMs?: number;
  readonly links: readonly LinkQuality[];
  /** Serial lines on which a message takes so long that a living node may seem dead over them alone. */
  readonly slowLines?: readonly { readonly name: string; readonly baud: number; readonly apartMs: number }[];
  readonly watchdog?: {
    readonly identity: string;
    /** The kernel module of its driver. */
    readonly module?: string;
    readonly timeoutMs: number;
    readonly pretimeoutMs?: number;
    /** It cannot be disarmed: an orderly stop resets the machine, too. */
    readonly nowayout: boolean;
    readonly causedBoot?: boolean;
  };
  /** Not told by keepers before it was. */
  readonly sealing?: Sealing;
  /** Why the disk that is to break ties could not be had, if the cluster parted now. */
  readonly tieTrouble?: string;
  /** Why the watchdog is not fed; undefined when this node is well. */
  readonly ailment?: string;
}
