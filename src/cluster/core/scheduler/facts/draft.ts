/**
 * What the reading passes write on: nodes and resources, whose states the records of many operations settle together.
 * Known to `facts/` alone; what leaves it (`Facts`, model.ts) is the same as a value that nobody can write on.
 */
import type { Problem } from "../../../../base/problem.ts";
import type { XmlElement } from "../../../../base/xml.ts";
import type {
  AtNode,
  Ban,
  ClearFailures,
  Colocation,
  Constraints,
  FailedEntry,
  History,
  Known,
  Location,
  Node,
  Replica,
  Resource,
  ResourceOrder,
  SetGate,
  Tags,
  TicketConstraint,
} from "./model.ts";
import type { Role } from "./values.ts";

export interface NodeDraft extends Node {
  index: number;
  kind: Node["kind"];
  inBundle: boolean;
  readonly attributes: Record<string, string>;
  readonly permanent: Record<string, string>;
  readonly utilization: Record<string, string>;
  score: number;
  online: boolean;
  unclean: boolean;
  pending: boolean;
  standby: boolean;
  standbyOnFail: boolean;
  maintenance: boolean;
  shutdown: boolean;
  expectedUp: boolean;
  readonly fenceReasons: string[];
  discoverResources: boolean;
  remote: ResourceDraft | undefined;
  remoteRequiresReset: boolean;
  remoteWasFenced: boolean;
  remoteMaintenance: boolean;
}

export interface ReplicaDraft extends Replica {
  readonly ip: ResourceDraft | undefined;
  readonly container: ResourceDraft;
  readonly remote: ResourceDraft | undefined;
  readonly child: ResourceDraft | undefined;
  readonly node: NodeDraft | undefined;
}

export interface ResourceDraft extends Resource {
  readonly parent: ResourceDraft | undefined;
  readonly children: ResourceDraft[];
  requires: Resource["requires"];
  container: ResourceDraft | undefined;
  readonly fillers: ResourceDraft[];
  remoteNodeName: string | undefined;
  managed: boolean;
  heldBack: boolean;
  instanceMax: number;
  instanceNodeMax: number;
  readonly replicas: ReplicaDraft[];
  bundled: ResourceDraft | undefined;
  role: Role;
  nextRole: Role;
  readonly runningOn: NodeDraft[];
  dangling: NodeDraft[];
  readonly knownOn: Set<Node>;
  failed: boolean;
  failureIgnored: boolean;
  failedThere: boolean;
  blocked: boolean;
  restartContainer: boolean;
  demoteWanted: boolean;
  stopWanted: boolean;
  pendingTask: string;
  pendingNode: NodeDraft | undefined;
  migrationSource: NodeDraft | undefined;
  migrationTarget: NodeDraft | undefined;
  lock: { readonly node: NodeDraft; readonly sinceSeconds: number; readonly isExpired: boolean } | undefined;
  readonly history: Map<Node, History>;
  expiredMonitors: { readonly node: Node; readonly key: string }[];
  recordedName: string | undefined;
}

/** What is known so far; each pass adds its part. */
export interface Reading extends Known {
  readonly nodes: NodeDraft[];
  readonly nodeByName: Map<string, NodeDraft>;
  readonly nodeById: Map<string, NodeDraft>;
  readonly resources: ResourceDraft[];
  readonly top: ResourceDraft[];
  readonly byId: Map<string, ResourceDraft>;
  /** The first resource that was made of an element; a clone's instances are made of one and the same. */
  readonly byElement: Map<XmlElement, ResourceDraft>;
  readonly templates: Map<string, ResourceDraft[]>;
  readonly unfencers: ResourceDraft[];
  readonly bans: Ban[];
  readonly clearFailures: ClearFailures[];
  readonly toFence: Node[];
  readonly halfArrived: AtNode[];
  readonly failedEntries: FailedEntry[];
  /** Removed connections by the id of the container that the record has still to tell of. */
  readonly orphanedGuests: Map<string, ResourceDraft[]>;
  haveRemotes: boolean;
  readonly problems: Problem[];
}

/** The constraints as they are taken apart, one after another; nodes and resources are what they are by then. */
export interface ConstraintsDraft extends Known, Constraints {
  readonly tags: Tags;
  readonly locations: Location[];
  readonly colocations: Colocation[];
  readonly orders: ResourceOrder[];
  readonly setGates: SetGate[];
  readonly ticketConstraints: TicketConstraint[];
  readonly problems: Problem[];
}
