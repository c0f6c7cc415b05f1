/**
 * The node attribute `pingd`: how many ping nodes each member reaches, times 100. Told by the DC for all members at
 * once, and only when no count has changed for a while: where a host dies that both sides ping, both counts fall, and a
 * scheduler that saw one of them fall first would move everything for nothing. This is ipfail's comparison of both
 * sides, with an attribute that any rule can use. Where a resource tells an attribute of this name, it is
 * left to that one.
 * Facts: Linux-HA ipfail(8); ocf:pacemaker:ping, multiplier 100 as its how-tos have it.
 */
import { entryOf } from "../../../base/record.ts";
import { childOf, childrenOf, type XmlElement } from "../../../base/xml.ts";
import { configurationOf, nodeState, transientAttributes } from "../controller/cib-read.ts";
import type { MembershipView } from "../membership/view.ts";

export interface PingScores {
  /** By node, as last heard, and since when none of them has changed. */
  readonly counts: Readonly<Record<string, number>>;
  readonly sinceMs: number;
  /** By node, as last told. */
  readonly told: Readonly<Record<string, number>>;
}

export const PING_ATTRIBUTE = "pingd";
const MULTIPLIER = 100;

export const createPingScores = (nowMs: number): PingScores => ({ counts: {}, sinceMs: nowMs, told: {} });

export interface PingScoresStep {
  readonly state: PingScores;
  /** To be written in one change. */
  readonly changes: readonly { readonly node: string; readonly value: string }[];
}

/** With every report of the keeper: plain loops. */
function isEqual(left: PingScores["counts"], right: PingScores["counts"]): boolean {
  for (const node in left) if (entryOf(left, node) !== entryOf(right, node)) return false;
  for (const node in right) if (entryOf(left, node) === undefined) return false;
  return true;
}

const untold = ({ counts, told }: PingScores) =>
  Object.entries(counts).filter(([node, count]) => entryOf(told, node) !== count);

/**
 * Nodes without the attribute are told at once: a rule that wants it would stop what runs there, on a node that has
 * just joined or after all managers were restarted.
 */
export function stepPingScores(
  before: PingScores,
  { counts, absent }: PingSight,
  nowMs: number,
  dampenMs: number,
): PingScoresStep {
  const isSame = isEqual(counts, before.counts);
  // As nearly always.
  if (isSame && absent.length === 0 && isEqual(counts, before.told)) return { state: before, changes: [] };
  // Who has gone, or leads no longer, tells anew when it is back: its attributes may have been cleared meanwhile.
  const known = Object.entries(before.told).filter(
    ([node]) => entryOf(counts, node) !== undefined && !absent.includes(node),
  );
  const state: PingScores = { counts, told: Object.fromEntries(known), sinceMs: isSame ? before.sinceMs : nowMs };
  const isQuiet = nowMs - state.sinceMs >= dampenMs;
  const due = untold(state).filter(([node]) => isQuiet || absent.includes(node));
  const changes = due.map(([node, count]) => ({ node, value: String(count * MULTIPLIER) }));
  return { state: { ...state, told: { ...state.told, ...Object.fromEntries(due) } }, changes };
}

/** Whether a ping resource of the configuration tells the attribute. Fact: ocf:pacemaker:ping, `name` is `pingd`. */
export function isToldByResource(configuration: XmlElement | undefined): boolean {
  const isPing = ({ attributes }: XmlElement) => /^pingd?$/.test(attributes.type ?? "");
  const nameOf = (primitive: XmlElement) =>
    childrenOf(primitive, "instance_attributes")
      .flatMap((set) => childrenOf(set, "nvpair"))
      .find(({ attributes }) => attributes.name === "name")?.attributes.value;
  const tells = (element: XmlElement): boolean =>
    element.name === "primitive"
      ? isPing(element) && (nameOf(element) ?? PING_ATTRIBUTE) === PING_ATTRIBUTE
      : element.children.some(tells);
  const resources = childOf(configuration, "resources");
  if (resources === undefined) return false;
  const isTold = tellsOf.get(resources) ?? tells(resources);
  tellsOf.set(resources, isTold);
  return isTold;
}

/** Asked with every report of the keeper; what was read once stays as it is. */
const tellsOf = new WeakMap<XmlElement, boolean>();

/** Messages between nodes may have to be sent again. */
const DAMPEN_MIN_MS = 1_000;
const DAMPEN_KEEPALIVES = 3;

/** Two nodes' judgements of one host differ by a beat or two, and news of it by one more. */
export const dampenOf = (keepaliveMs: number): number => Math.max(DAMPEN_MIN_MS, DAMPEN_KEEPALIVES * keepaliveMs);

export interface PingSight {
  readonly counts: PingScores["counts"];
  /** Of these, the nodes whose attribute is not in the status section. */
  readonly absent: readonly string[];
}

const NO_SIGHT: PingSight = { counts: {}, absent: [] };

/** What every member tells of itself, where this node is the DC and no resource tells the attribute; else nothing. */
export function pingSight(
  view: MembershipView | undefined,
  cib: XmlElement,
  self: string,
  dc: string | null,
): PingSight {
  if (dc !== self) return NO_SIGHT;
  const members = [{ name: self, reachable: view?.reachable }, ...(view?.peers ?? [])];
  const told = members.flatMap(({ name, reachable }) => (reachable === undefined ? [] : [[name, reachable] as const]));
  // Asked after every change of the view: where nobody counts pings, the configuration is not gone through.
  if (told.length === 0 || isToldByResource(configurationOf(cib))) return NO_SIGHT;
  const isAbsent = (node: string) => transientAttributes(nodeState(cib, node))[PING_ATTRIBUTE] === undefined;
  return { counts: Object.fromEntries(told), absent: told.map(([node]) => node).filter(isAbsent) };
}

/** When the present counts may be told. */
export function pingScoresWakeAtMs(state: PingScores, dampenMs: number): number | undefined {
  return untold(state).length === 0 ? undefined : state.sinceMs + dampenMs;
}
