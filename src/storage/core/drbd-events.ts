/**
 * What DRBD tells with `drbdsetup events2 [--timestamps] [--statistics]`, for 8.4 and 9 alike: one line, one value; and
 * the state that follows from all lines. Unknown objects and fields are ignored: newer versions have more of them.
 * Change lines carry only what has changed (or nothing); whoever has missed a line starts anew with a fresh stream.
 * Facts: reference/storage.md, section 2; recorded streams in test/storage/transcripts.
 */
import { entryOf, setEntry, without } from "../../base/record.ts";

export type DrbdFields = Readonly<Record<string, string>>;

export type DrbdEvent =
  | {
      readonly kind: "exists" | "create" | "change" | "destroy";
      /** resource, connection, device, peer-device, path */
      readonly object: string;
      readonly fields: DrbdFields;
    }
  /** The whole state has been told; from now on only what changes. */
  | { readonly kind: "settled" }
  /** The kernel has called a handler, or has its answer: an exit code, or the signal that ended it (as 128 + n). */
  | { readonly kind: "helper-called"; readonly resource: string; readonly helper: string }
  | { readonly kind: "helper-answered"; readonly resource: string; readonly helper: string; readonly code: number }
  /** A resource has another name now: the reader starts anew. */
  | { readonly kind: "renamed" };

const TIMESTAMP = /^\d{4}-\d\d-\d\dT[\d:.]+(?:[+-][\d:]+|Z)\s+/;
const SIGNAL_CODE_BASE = 128;

function readFields(words: readonly string[]): DrbdFields {
  const fields: Record<string, string> = {};
  for (const word of words) {
    const colon = word.indexOf(":");
    if (colon > 0) setEntry(fields, word.slice(0, colon), word.slice(colon + 1));
  }
  return fields;
}

/** A raw wait status as the exit code it stands for. */
function exitCodeOf(status: string | undefined): number {
  const raw = Number(status);
  if (!Number.isSafeInteger(raw) || raw < 0) return 1;
  return (raw & 0x7f) === 0 ? (raw >> 8) & 0xff : SIGNAL_CODE_BASE + (raw & 0x7f);
}

/** One line without its line feed; undefined when it is none of these. */
export function parseDrbdEvent(line: string): DrbdEvent | undefined {
  const [verb = "", object = "", ...words] = line.replace(TIMESTAMP, "").trim().split(/\s+/);
  if (verb === "exists" && object === "-") return { kind: "settled" };
  if (verb === "rename") return { kind: "renamed" };
  const fields = readFields(words);
  const { name, helper } = fields;
  if (object === "helper" && name !== undefined && helper !== undefined) {
    if (verb === "call") return { kind: "helper-called", resource: name, helper };
    if (verb !== "response") return undefined;
    return { kind: "helper-answered", resource: name, helper, code: exitCodeOf(fields["status"]) };
  }
  if (verb !== "exists" && verb !== "create" && verb !== "change" && verb !== "destroy") return undefined;
  return name === undefined ? undefined : { kind: verb, object, fields };
}

export interface DrbdVolume {
  readonly number: number;
  readonly minor: number;
  /** `UpToDate`, `Consistent`, `Inconsistent`, `Outdated`, `Diskless`, `Failed`, ... */
  readonly disk: string;
  readonly sizeKib: number;
}

export interface DrbdPeerVolume {
  readonly number: number;
  /** `Established`, `SyncSource`, `SyncTarget`, `Off`, ... */
  readonly replication: string;
  readonly disk: string;
  readonly outOfSyncKib: number;
}

export interface DrbdConnection {
  readonly peerNodeId: number;
  /** The peer's name on DRBD 9; always `peer` on 8.4, empty before the first connect. */
  readonly peer: string;
  /** `Connected`, `Connecting`, `StandAlone`, `NetworkFailure`, ... */
  readonly connection: string;
  readonly peerRole: string;
  readonly volumes: Readonly<Record<string, DrbdPeerVolume>>;
}

export interface DrbdResource {
  readonly name: string;
  readonly role: string;
  /** `no`, or why I/O is frozen: `fencing`, `quorum`, `user`, `no-data`. */
  readonly suspended: string;
  readonly volumes: Readonly<Record<string, DrbdVolume>>;
  readonly connections: Readonly<Record<string, DrbdConnection>>;
}

/** By name. */
export type DrbdState = Readonly<Record<string, DrbdResource>>;

const numberOf = (text: string | undefined, before = 0) => (text === undefined ? before : Number(text));

function changeConnection(before: DrbdConnection | undefined, fields: DrbdFields): DrbdConnection {
  return {
    peerNodeId: numberOf(fields["peer-node-id"]),
    peer: fields["conn-name"] ?? before?.peer ?? "",
    connection: fields["connection"] ?? before?.connection ?? "Unknown",
    peerRole: fields["role"] ?? before?.peerRole ?? "Unknown",
    volumes: before?.volumes ?? {},
  };
}

function changePeerVolume(before: DrbdPeerVolume | undefined, fields: DrbdFields): DrbdPeerVolume {
  return {
    number: numberOf(fields["volume"]),
    replication: fields["replication"] ?? before?.replication ?? "Off",
    disk: fields["peer-disk"] ?? before?.disk ?? "DUnknown",
    outOfSyncKib: numberOf(fields["out-of-sync"], before?.outOfSyncKib),
  };
}

function changeVolume(before: DrbdVolume | undefined, fields: DrbdFields): DrbdVolume {
  return {
    number: numberOf(fields["volume"]),
    minor: numberOf(fields["minor"], before?.minor),
    disk: fields["disk"] ?? before?.disk ?? "Diskless",
    sizeKib: numberOf(fields["size"], before?.sizeKib),
  };
}

/** What one object's line makes of its resource; the resource's own line is its parent's affair. */
function changeResource(resource: DrbdResource, object: string, fields: DrbdFields, gone: boolean): DrbdResource {
  const volume = fields["volume"] ?? "0";
  const peer = fields["peer-node-id"] ?? "0";
  const connection = entryOf(resource.connections, peer);
  switch (object) {
    case "resource": {
      const { role = resource.role, suspended = resource.suspended } = fields;
      return { ...resource, role, suspended };
    }
    case "device": {
      if (gone) return { ...resource, volumes: without(resource.volumes, volume) };
      const changed = changeVolume(entryOf(resource.volumes, volume), fields);
      return { ...resource, volumes: { ...resource.volumes, [volume]: changed } };
    }
    case "connection": {
      if (gone) return { ...resource, connections: without(resource.connections, peer) };
      const changed = changeConnection(connection, fields);
      return { ...resource, connections: { ...resource.connections, [peer]: changed } };
    }
    case "peer-device": {
      const { volumes, ...rest } = connection ?? changeConnection(undefined, { "peer-node-id": peer });
      const next = gone
        ? without(volumes, volume)
        : { ...volumes, [volume]: changePeerVolume(entryOf(volumes, volume), fields) };
      if (gone && connection === undefined) return resource;
      return { ...resource, connections: { ...resource.connections, [peer]: { ...rest, volumes: next } } };
    }
    default:
      return resource;
  }
}

export function stepDrbdState(state: DrbdState, event: DrbdEvent): DrbdState {
  if (event.kind === "renamed") return {};
  if (!("object" in event)) return state;
  const { object, fields } = event;
  const name = fields["name"] ?? "";
  const gone = event.kind === "destroy";
  if (gone && object === "resource") return without(state, name);
  const before = entryOf(state, name);
  if (gone && before === undefined) return state;
  const resource = before ?? { name, role: "Unknown", suspended: "no", volumes: {}, connections: {} };
  return { ...state, [name]: changeResource(resource, object, fields, gone) };
}

/** The state that a whole answer of `events2 --now` tells. */
export function readDrbdState(text: string): DrbdState {
  let state: DrbdState = {};
  for (const line of text.split("\n")) {
    const event = parseDrbdEvent(line);
    if (event !== undefined) state = stepDrbdState(state, event);
  }
  return state;
}

export type DrbdLook =
  | { readonly kind: "there"; readonly resource: DrbdResource }
  | { readonly kind: "absent" }
  | { readonly kind: "unknown"; readonly reason: string };

const SETTLED = /^(?:\S+ )?exists -$/m;
/** drbdsetup ends with 10 for whatever the kernel has refused, 158 is its number for an unknown resource. */
const NO_RESOURCE_CODE = 10;
const NO_RESOURCE = /no such resource|unknown resource|\(158\)/i;

/**
 * What an answer of `events2 --now NAME` says of that resource. Only an answer that came to its end does: a lost or cut
 * one would make a running Primary a stopped one.
 */
export function readDrbdLook(
  name: string,
  { code, output, reason }: { readonly code: number | undefined; readonly output: string; readonly reason: string },
): DrbdLook {
  if (code === NO_RESOURCE_CODE && NO_RESOURCE.test(reason)) return { kind: "absent" };
  if (code !== 0 || !SETTLED.test(output))
    return { kind: "unknown", reason: code === 0 ? "drbdsetup has told no whole state" : reason };
  const resource = entryOf(readDrbdState(output), name);
  return resource === undefined ? { kind: "absent" } : { kind: "there", resource };
}

/** Disk states from worst to best, as DRBD itself orders them; what is not in the list is the worst. */
const DISK_STATES = [
  "Diskless",
  "Attaching",
  "Detaching",
  "Failed",
  "Negotiating",
  "Inconsistent",
  "Outdated",
  "DUnknown",
  "Consistent",
  "UpToDate",
];

/** The worst of several disk states: a resource is as good as its worst volume. `Diskless` for none at all. */
export function worstDisk(disks: readonly string[]): string {
  const [worst] = [...disks].sort((left, right) => DISK_STATES.indexOf(left) - DISK_STATES.indexOf(right));
  return worst ?? "Diskless";
}

export function localDisk(resource: DrbdResource): string {
  return worstDisk(Object.values(resource.volumes).map(({ disk }) => disk));
}

export function peerDisk(connection: DrbdConnection): string {
  const disks = Object.values(connection.volumes).map(({ disk }) => disk);
  return disks.length === 0 ? "DUnknown" : worstDisk(disks);
}
