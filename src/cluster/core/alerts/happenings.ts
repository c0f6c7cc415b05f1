/**
 * What has happened that alerts are told of, seen from one node: by comparing the state of its cores before and after
 * one event. Members and fencings are told by each node that sees them, operations by the node that ran them, node
 * attributes by the DC, which writes them: so each once.
 * Facts: Pacemaker Explained, "Alerts". That a monitor is told only when its answer is not the expected one, and an
 * operation that was cut short not at all, is our reading of "resource starting or stopping, etc.".
 */
import { entryOf, setEntry } from "../../../base/record.ts";
import type { XmlElement } from "../../../base/xml.ts";
import type { FencingRecord } from "../../../fencing/core/fencer-state.ts";
import { configuredNodes, knownNodes, nodeState, transientAttributes } from "../controller/cib-read.ts";
import { OP_STATUS } from "../executor/history.ts";
import type { ExecutorState, HistoryRecord } from "../executor/types.ts";
import type { MembershipView } from "../membership/view.ts";

export type Happening =
  | { readonly kind: "node"; readonly node: string; readonly word: NodeWord; readonly nodeId: string }
  | {
      readonly kind: "fencing";
      readonly node: string;
      readonly action: string;
      readonly rc: number;
      readonly summary: string;
    }
  | {
      readonly kind: "resource";
      readonly node: string;
      readonly resource: string;
      readonly operation: string;
      readonly intervalMs: number;
      readonly rc: number;
      readonly expectedRc: number;
      readonly opStatus: number;
      readonly execMs: number;
    }
  /** Of an attribute that is gone the value is empty. */
  | { readonly kind: "attribute"; readonly node: string; readonly name: string; readonly value: string };

export type NodeWord = "member" | "lost";
/** What was last told of each node. */
export type NodeWords = Readonly<Record<string, NodeWord>>;

/** A peer that was never heard is neither; one that said goodbye, or began anew, is lost until it is a member. */
export function nodeWords({ members, peers }: MembershipView, known: NodeWords): NodeWords {
  const words: Record<string, NodeWord> = { ...known };
  for (const name of members) setEntry(words, name, "member");
  for (const { name, phase } of peers) {
    if (members.includes(name)) continue;
    const wasMember = entryOf(known, name) === "member" && phase !== "member";
    if (phase === "lost" || phase === "left" || wasMember) setEntry(words, name, "lost");
  }
  return words;
}

/** `ownNodes`: of the node configuration, for what the CIB has not got yet. */
export function nodeHappenings(
  before: NodeWords,
  after: NodeWords,
  cib: XmlElement,
  ownNodes: readonly { readonly id: string; readonly name: string }[],
): readonly Happening[] {
  const configured = [...configuredNodes(cib), ...ownNodes];
  return Object.entries(after).flatMap(([node, word]): Happening[] => {
    const nodeId = configured.find(({ name }) => name === node)?.id ?? "";
    return entryOf(before, node) === word ? [] : [{ kind: "node", node, word, nodeId }];
  });
}

/** Running, not running, promoted: a probe that says so has done its work, whatever was expected. */
const PROBE_ANSWERS = [0, 7, 8];

function isWorthTelling(record: HistoryRecord, expectedCode: number): boolean {
  const { operation, intervalMs, opStatus, rcCode } = record;
  if (opStatus === OP_STATUS.cancelled) return false;
  if (operation !== "monitor" || opStatus !== OP_STATUS.done) return true;
  // A manager that comes after another one finds what runs: that is no news.
  return rcCode !== expectedCode && (intervalMs > 0 || !PROBE_ANSWERS.includes(rcCode));
}

/** The call that has ended; undefined when there is nothing to tell of it. */
export function resourceHappening(
  before: ExecutorState,
  after: ExecutorState,
  callId: number,
): Extract<Happening, { kind: "resource" }> | undefined {
  const [id, state] = Object.entries(before.resources).find(([, { running }]) => running?.callId === callId) ?? [];
  const action = state?.running?.action;
  if (id === undefined || state === undefined || action === undefined) return undefined;
  const records = Object.values(entryOf(after.resources, id)?.history ?? {});
  const record = records.find((one) => one.callId === callId && !Object.values(state.history).includes(one));
  if (record === undefined || !isWorthTelling(record, action.expectedCode)) return undefined;
  return {
    kind: "resource",
    node: after.node,
    resource: id,
    operation: record.operation,
    intervalMs: record.intervalMs,
    rc: record.rcCode,
    expectedRc: action.expectedCode,
    opStatus: record.opStatus,
    // What we needed to end it is no part of what it was given.
    execMs: record.opStatus === OP_STATUS.timeout ? action.timeoutMs : Math.round(record.execMs),
  };
}

/** Neither a person's word nor an unreadable power is a success. */
const FENCING_RC = { confirmed: 0, "not-done": 1, unknown: 2 } as const;

export function fencingHappening(record: FencingRecord): Happening {
  const { node, id, target, action, outcome, by } = record;
  const result = outcome.kind === "confirmed" ? "OK" : `${outcome.kind}: ${outcome.reason}`;
  const summary = `Operation ${action} of ${target} by ${node} for ${by.join(", ")}: ${result} (ref=${node}-${id})`;
  return { kind: "fencing", node: target, action, rc: FENCING_RC[outcome.kind], summary };
}

type Attributes = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** Of each node, as the scheduler takes them: transient ones before permanent ones. */
function attributesOf(cib: XmlElement): Attributes {
  const configured = configuredNodes(cib);
  return new Map(
    knownNodes(cib).map((name) => {
      const permanent = configured.find((node) => node.name === name)?.attributes;
      return [name, { ...permanent, ...transientAttributes(nodeState(cib, name)) }];
    }),
  );
}

export function attributeHappenings(before: XmlElement, after: XmlElement): readonly Happening[] {
  const [olds, news] = [attributesOf(before), attributesOf(after)];
  return [...new Set([...olds.keys(), ...news.keys()])].flatMap((node) => {
    const [was, is] = [olds.get(node) ?? {}, news.get(node) ?? {}];
    return Object.keys({ ...was, ...is }).flatMap((name): Happening[] =>
      entryOf(was, name) === entryOf(is, name)
        ? []
        : [{ kind: "attribute", node, name, value: entryOf(is, name) ?? "" }],
    );
  });
}
