/** What the store knows, and the small steps that its two roles (DC and replica) share. */
import { check } from "../../../base/check.ts";
import type { Problem } from "../../../base/problem.ts";
import { type XmlElement, xml } from "../../../base/xml.ts";
import { emptyConfiguration } from "../../../cib/crm-syntax/apply.ts";
import { BLANK } from "./lineage.ts";
import type { Status } from "./status.ts";
import type {
  Answer,
  CibMessage,
  CibStoreEffect,
  CibVersion,
  ConfigurationRequest,
  DiskMark,
  StatusList,
  StoredCib,
} from "./types.ts";

/** A request of this node that has no answer yet. */
export interface OpenRequest {
  readonly request: ConfigurationRequest;
  readonly sinceMs: number;
  readonly sentAtMs: number;
  /** Whether any DC may have got it: then silence is `unconfirmed`, not `refused`. */
  readonly sent: boolean;
}

/** The DC's own: one reign over one view. */
export interface Reign {
  readonly round: string;
  readonly synchronised: boolean;
  /** Members that have said what they have, and have nothing that we lack. */
  readonly heard: readonly string[];
  /** What each other member has on its disk, as far as it said so in this round. */
  readonly onDisk: Readonly<Record<string, DiskMark>>;
  /** Members that have the whole status of this round; the others get it at the next beat. */
  readonly sequence: number;
  readonly pending: StatusList;
  readonly flushAtMs: number;
  readonly resendAtMs: number;
  readonly beatAtMs: number;
  /** Answers given lately, newest last: a late copy of a request gets the same again, and is not carried out again. */
  readonly answered: readonly Answer[];
}

/** A request that waits at the DC, and the member that asked. */
export interface Asked {
  readonly request: ConfigurationRequest;
  readonly from: string;
}

/** Requests that the DC has applied together and that wait for the disks of all members. */
export interface InFlight {
  readonly version: CibVersion;
  readonly requests: readonly (Asked & { readonly warnings: readonly Problem[] })[];
}

export interface CibStore {
  readonly self: string;
  readonly generation: number;
  /** The running configuration. */
  readonly stored: StoredCib;
  /** What is on our disk. */
  readonly disk: DiskMark;
  readonly writing: readonly { readonly token: number; readonly disk: DiskMark }[];
  readonly nextToken: number;
  /** Numbers rounds and heads of this start of ours. */
  readonly counter: number;
  readonly status: Status;
  readonly numUpdates: number;
  readonly members: readonly string[];
  readonly dc: string | undefined;
  /** Whether these members are a part that may decide for the cluster. */
  readonly quorate: boolean;
  /** They are half of all nodes: what they had before they were quorate, no majority has. */
  readonly tied: boolean;
  readonly requests: readonly OpenRequest[];
  /** Status changes of this node that the DC has not acknowledged; the first of them has this number. */
  readonly reports: StatusList;
  readonly firstReport: number;
  readonly reportAtMs: number;
  readonly reign: Reign | undefined;
  readonly queue: readonly Asked[];
  readonly inFlight: InFlight | undefined;
  /** How far each node's reports have come; kept over views, because late copies may still arrive. */
  readonly taken: Readonly<Record<string, { readonly generation: number; readonly last: number }>>;
  /** Replica: the round last asked in, and the last status change of it that we have. */
  readonly round: string;
  readonly statusRound: string;
  readonly sequence: number;
}

export const SCHEMA_VERSION = "pacemaker-3.10";
export const FEATURE_SET = "3.19.7";

export function blankCib(): StoredCib {
  return {
    version: { adminEpoch: 0, epoch: 0 },
    head: BLANK,
    lineage: [BLANK],
    confirmedHead: BLANK,
    quorateHead: BLANK,
    quorateVersion: { adminEpoch: 0, epoch: 0 },
    configuration: emptyConfiguration(),
    history: [],
  };
}

/** A step under way: the state is replaced field by field, effects are gathered in their order. */
export interface Draft {
  state: CibStore;
  readonly effects: CibStoreEffect[];
  readonly nowMs: number;
}

export function change(draft: Draft, fields: Partial<CibStore>): void {
  draft.state = { ...draft.state, ...fields };
}

export function changeReign(draft: Draft, fields: Partial<Reign>): void {
  const { reign } = draft.state;
  check(reign !== undefined, "only the DC has a reign");
  change(draft, { reign: { ...reign, ...fields } });
}

export function send(draft: Draft, to: string, message: CibMessage): void {
  check(to !== draft.state.self, "a message to ourselves");
  draft.effects.push({ kind: "send", to, message });
}

/** Adopts a content and has it written. The running configuration changes at once. */
export function adopt(draft: Draft, stored: StoredCib): void {
  const { state } = draft;
  const token = state.nextToken;
  const changed = stored.head !== state.stored.head;
  change(draft, {
    stored,
    nextToken: token + 1,
    writing: [...state.writing, { token, disk: { head: stored.head, quorateHead: stored.quorateHead } }],
    numUpdates: changed ? 0 : state.numUpdates,
  });
  draft.effects.push({ kind: "persist", token, stored });
  if (changed) draft.effects.push({ kind: "changed", what: "configuration" });
}

/** The same content, which all members are now known to have on disk. */
export function confirmed(stored: StoredCib, quorate: boolean): StoredCib {
  const known = { ...stored, confirmedHead: stored.head };
  return quorate ? { ...known, quorateHead: stored.head, quorateVersion: stored.version } : known;
}

export function others({ members, self }: CibStore): string[] {
  return members.filter((name) => name !== self);
}

/** The running CIB whole, as every reader expects it: version, configuration, status. */
export function cibTree(state: CibStore): XmlElement {
  const { version, configuration } = state.stored;
  const attributes = {
    "validate-with": SCHEMA_VERSION,
    crm_feature_set: FEATURE_SET,
    admin_epoch: String(version.adminEpoch),
    epoch: String(version.epoch),
    num_updates: String(state.numUpdates),
    ...state.status.root,
  };
  return xml("cib", attributes, [configuration, state.status.tree]);
}
