/**
 * The words of the replicated CIB: what may be changed, what a node stores, what comes in and what goes out.
 * Plain data all of it: messages are sent as JSON, the state can be logged and replayed.
 * Configuration: ordered by the DC, on the disk of every member before it is acknowledged. Status: in memory only,
 * coalesced, owned by the DC; each node sends its own part again when a new DC asks.
 * Not to be assumed: that messages arrive, once or in order; that `unconfirmed` means refused.
 */
import type { Problem } from "../../../base/problem.ts";
import type { XmlElement } from "../../../base/xml.ts";

/** One step of a configuration change; several in one request are applied all or none. Ids are ids of the CIB. */
export type ConfigurationOperation =
  /** The whole `<configuration>` element. */
  | { readonly kind: "replace"; readonly configuration: XmlElement }
  /** `crm configure load update`: objects of the same id are replaced, options of a set merged, new ones added. */
  | { readonly kind: "update"; readonly configuration: XmlElement }
  /** Creates the element below `parent`, or replaces its child of the same name and id. */
  | { readonly kind: "set"; readonly parent: string; readonly element: XmlElement }
  /** Creates the element below `parent`; where its name is there with its id, or a node with its uname, nothing. */
  | { readonly kind: "add"; readonly parent: string; readonly element: XmlElement }
  /** Sets attributes of the element at `target`; null removes one. */
  | { readonly kind: "set-attributes"; readonly target: string; readonly attributes: Attributes }
  /** Sets one option (nvpair) in the set `setName` (`meta_attributes`, `cluster_property_set`, ...) of `target`. */
  | {
      readonly kind: "set-option";
      readonly target: string;
      readonly setName: string;
      readonly name: string;
      readonly value: string | null;
    }
  /** Counts the version up though nothing may differ: what was saved before is older from now on. */
  | { readonly kind: "raise"; readonly part: "epoch" | "admin-epoch" }
  /**
   * Refused unless the configuration still is this version (`ADMIN.EPOCH`) where the change is made, at the DC: whoever
   * replaces what he has read must not wipe out what was acknowledged to another meanwhile.
   */
  | { readonly kind: "expect"; readonly version: string }
  /** Removes the element, and empty sections stay. Nothing found: refused. */
  | { readonly kind: "delete"; readonly target: string };

/** `target` and `parent` are an id (`rg_httpd`) or a path (`//primitive[@id="ip"]/operations`, `resources`). */
export type Attributes = Readonly<Record<string, string | null>>;

/** The attributes of an `<lrm_resource>`. */
export type RecordedResource = Readonly<Record<"id" | "class" | "type", string>> & {
  readonly provider?: string;
  /** Since when it waits for its node, in seconds of the wall clock; what the record says stays when this does not. */
  readonly "shutdown-lock"?: string;
};

/** A change of the status section. `node` is the node's name (uname). */
export type StatusChange =
  /** Merges attributes of the node_state: `in_ccm`, `crmd`, `join`, `expected`; null removes one. */
  | { readonly kind: "set-node-state"; readonly node: string; readonly attributes: Attributes }
  /** The node's whole `<lrm>`, as its executor knows it. */
  | { readonly kind: "replace-history"; readonly node: string; readonly lrm: XmlElement }
  /** One `<lrm_rsc_op>`, replacing that of the same id below its `<lrm_resource>`. */
  | {
      readonly kind: "set-operation";
      readonly node: string;
      readonly resource: RecordedResource;
      readonly operation: XmlElement;
    }
  /** Takes the shutdown lock off the record of a resource; with it the record goes that says nothing else. */
  | { readonly kind: "end-lock"; readonly node: string; readonly resource: string }
  /** Forgets one operation (by its id), a resource's history, or (without `resource`) the node's whole history. */
  | {
      readonly kind: "delete-history";
      readonly node: string;
      readonly resource?: string;
      readonly operation?: string;
    }
  /** A transient node attribute (`master-drbd`, `fail-count-ip#monitor_10000`); null removes it. */
  | { readonly kind: "set-attribute"; readonly node: string; readonly name: string; readonly value: string | null }
  /** The node is known to be gone: history and transient attributes are dropped, the node_state stays. */
  | { readonly kind: "clear-node"; readonly node: string }
  /** Drops the node_state wholly: the node is no longer part of the cluster. */
  | { readonly kind: "delete-node"; readonly node: string }
  /** Attributes of a ticket: `granted`, `standby`, `last-granted`; null forgets the ticket. */
  | { readonly kind: "set-ticket"; readonly ticket: string; readonly attributes: Attributes | null }
  /** Attributes of `<cib>` itself: `have-quorum`, `dc-uuid`, `cluster-name`. */
  | { readonly kind: "set-cib"; readonly attributes: Attributes };

/** Who asked, from where, when (wall clock, for display and history only). */
export interface Origin {
  readonly who: string;
  /** `alpha: crm configure load update FILE`: node and door. */
  readonly from: string;
  readonly wallMs: number;
}

/** Ordered: first adminEpoch, then epoch. numUpdates counts status changes since. */
export interface CibVersion {
  readonly adminEpoch: number;
  readonly epoch: number;
}

export interface HistoryEntry {
  readonly requestId: string;
  readonly version: CibVersion;
  readonly origin: Origin;
  /** One line each: `+ primitive ip`, `~ rsc_defaults ... value: 0 -> 100`, `- order o1`. Bounded. */
  readonly diff: readonly string[];
}

/** Both sides had changed since their common ancestor: who won, and what the other had. */
export interface CibConflict {
  readonly winner: CibVersion;
  readonly loser: CibVersion;
  readonly loserNode: string;
  /** From the winner to the loser: what is not in force now. */
  readonly diff: readonly string[];
  /** The losing `<configuration>`; kept beside the CIB on every node that sees the conflict. */
  readonly lost: XmlElement;
}

/** What stands on disk; all of it or nothing. */
export interface StoredCib {
  readonly version: CibVersion;
  /** Names this very content; `blank` for the configuration that nobody has written yet. */
  readonly head: string;
  /** Heads that this content descends from, oldest first, `head` itself last; bounded. */
  readonly lineage: readonly string[];
  /** The last head that stood on the disks of all members; decides conflicts before versions do. */
  readonly confirmedHead: string;
  /**
   * The last head that stood on the disks of all members of a majority, or that half of the nodes acknowledged with
   * quorum; decides conflicts before all else.
   */
  readonly quorateHead: string;
  /**
   * The version that head had. Majorities follow each other, so the higher one is the later word; of two halves that
   * never met while each was quorate in turn it is only the one that changed more.
   */
  readonly quorateVersion: CibVersion;
  readonly configuration: XmlElement;
  /** Newest last; bounded. */
  readonly history: readonly HistoryEntry[];
}

/** What two contents are compared by, beside the lineage. */
export type Standing = Pick<StoredCib, "head" | "quorateVersion">;

/** What a disk says of the content on it. */
export type DiskMark = Pick<StoredCib, "head" | "quorateHead">;

export type CibMessage =
  /** DC to members: which content do you have? Asked anew in each view. */
  | { readonly kind: "cib-ask"; readonly round: string }
  | { readonly kind: "cib-have"; readonly round: string; readonly have: Standing }
  /** DC to a member whose head the DC does not know: send it. */
  | { readonly kind: "cib-fetch"; readonly round: string }
  | { readonly kind: "cib-document"; readonly round: string; readonly stored: StoredCib }
  /** DC to members: store this, then say so with `cib-stored`. */
  | { readonly kind: "cib-install"; readonly round: string; readonly stored: StoredCib }
  | { readonly kind: "cib-stored"; readonly round: string; readonly disk: DiskMark }
  /** Every member has it on disk: to be noted there, and with quorum to be answered by `cib-stored` once it is. */
  | { readonly kind: "cib-confirmed"; readonly head: string; readonly quorate: boolean }
  /**
   * Member to DC: all changes that were asked for here and have no answer yet, oldest first. Always all of them: what
   * was asked later overtakes nothing that was lost before it.
   */
  | { readonly kind: "cib-request"; readonly requests: readonly ConfigurationRequest[] }
  | { readonly kind: "cib-answer"; readonly answer: Answer }
  /** Member to DC: all of its status changes that the DC has not acknowledged, oldest first. */
  | { readonly kind: "cib-report"; readonly generation: number; readonly first: number; readonly changes: StatusList }
  | { readonly kind: "cib-report-taken"; readonly generation: number; readonly last: number }
  /** DC to members: the status changes `sequence - changes.length + 1 .. sequence` of this round. */
  | {
      readonly kind: "cib-status";
      readonly round: string;
      readonly sequence: number;
      readonly numUpdates: number;
      readonly changes: StatusList;
    }
  /** DC to a member that missed something: the whole of it. */
  | {
      readonly kind: "cib-status-whole";
      readonly round: string;
      readonly sequence: number;
      readonly numUpdates: number;
      readonly root: Readonly<Record<string, string>>;
      readonly status: XmlElement;
    }
  | { readonly kind: "cib-status-ask"; readonly round: string };

export type StatusList = readonly StatusChange[];

export interface ConfigurationRequest {
  /** Unique for ever in the cluster: `NODE-GENERATION-NUMBER`. The same id is applied once, whoever is DC. */
  readonly requestId: string;
  readonly operations: readonly ConfigurationOperation[];
  readonly origin: Origin;
}

export type Answer =
  /** On the disks of all members of the DC's view. Warnings may come with it. */
  | {
      readonly kind: "accepted";
      readonly requestId: string;
      readonly version: CibVersion;
      /**
       * Whether that view had quorum, by the DC's own judgement: it says whether the change is marked as such. Nodes
       * that start see their quorum at different moments, so the asker's view tells nothing about it.
       */
      readonly quorate: boolean;
      readonly warnings: readonly Problem[];
    }
  /** Nothing was changed. */
  | { readonly kind: "refused"; readonly requestId: string; readonly problems: readonly Problem[] }
  /** Not known in time whether it will stay: neither done nor refused. It may yet come into force. */
  | { readonly kind: "unconfirmed"; readonly requestId: string; readonly reason: string };

export type CibStoreEvent =
  /** A change asked for on this node; answered by exactly one `answer` effect. */
  | { readonly kind: "submit"; readonly request: ConfigurationRequest }
  /** Status changes of this node or, on the DC, of any. Not answered: they are sent until the DC has them. */
  | { readonly kind: "report"; readonly changes: StatusList }
  | { readonly kind: "from-peer"; readonly from: string; readonly message: CibMessage }
  /** `members` with ourselves; `dc` undefined while there is none. Send it whenever one of them changes. */
  | {
      readonly kind: "view";
      readonly members: readonly string[];
      readonly dc: string | undefined;
      readonly quorate: boolean;
      /** The members are half of all nodes and no more: another half may have been quorate before, unheard. */
      readonly tied: boolean;
    }
  /** The `persist` of that token is on disk. */
  | { readonly kind: "persisted"; readonly token: number }
  /** What was on its way to or from that peer is lost: its manager has started anew, or our queue was dropped. */
  | { readonly kind: "messages-lost"; readonly peer: string }
  /** That peer follows us, the DC, from now on: what we asked it before it may have dropped. */
  | { readonly kind: "follows"; readonly peer: string }
  | { readonly kind: "tick" };

export type CibStoreEffect =
  | { readonly kind: "send"; readonly to: string; readonly message: CibMessage }
  /** Written, fsynced, renamed, directory synced; then the event `persisted`. The newest token covers all older. */
  | { readonly kind: "persist"; readonly token: number; readonly stored: StoredCib }
  /** Stored beside the CIB, before the `persist` that follows. Loud: a trap and a line in status. */
  | { readonly kind: "conflict"; readonly conflict: CibConflict }
  | { readonly kind: "answer"; readonly answer: Answer }
  /** The running CIB has changed; read it with `cibTree`. */
  | { readonly kind: "changed"; readonly what: "configuration" | "status" }
  /** This DC has heard every member of its view and stands on the newest content: it may schedule. */
  | { readonly kind: "synchronised"; readonly head: string };
