/**
 * Were there ever two writers? Pure. Nodes are asked one after another, so two answers never show the same instant:
 * a node that was Primary before and after the other's answer, and that other Primary in its answer, are two at once.
 * The same holds for the virtual address. And on the wire: two nodes that send from it in turns within moments.
 */
import type { NodeName } from "../names.ts";
import type { Sample, Seen } from "./sample.ts";

export interface Violation {
  readonly atMs: number;
  readonly what: string;
}

/** Longest pause between two answers of a node in which its state is taken to have lasted. A restart takes longer. */
const LASTED_MAX_MS = 8_000;
/** Two nodes that take turns on the address within this time both believe that they have it. */
const TURNS_MAX_MS = 3_000;

export interface WritersState {
  /** The last two answers of each node, newest last. */
  readonly samples: Readonly<Record<NodeName, readonly Sample[]>>;
  /** Who sent from the virtual address, at each change, newest last. */
  readonly senders: readonly { readonly mac: string; readonly atMs: number }[];
  readonly sampleCount: number;
  readonly violations: readonly Violation[];
}

export const NO_WRITERS: WritersState = {
  samples: { alpha: [], bravo: [] },
  senders: [],
  sampleCount: 0,
  violations: [],
};

const CLAIMS: readonly { readonly what: string; readonly holds: (seen: Seen) => boolean }[] = [
  { what: "both nodes are DRBD Primary", holds: ({ drbdRole }) => drbdRole === "Primary" },
  { what: "both nodes have the virtual address", holds: ({ hasVirtualAddress }) => hasVirtualAddress },
  { what: "both nodes have mounted the filesystem", holds: ({ isMounted }) => isMounted },
];

/** The claims that `sample`'s node held throughout while the other node's latest answer held them too. */
function breaches(before: Sample | undefined, after: Sample, others: readonly Sample[]): Violation[] {
  if (before?.seen === undefined || after.seen === undefined) return [];
  if (after.answeredAtMs - before.askedAtMs > LASTED_MAX_MS) return [];
  const [first, last] = [before.seen, after.seen];
  return others.flatMap(({ seen, askedAtMs, answeredAtMs }) => {
    const isBetween = askedAtMs >= before.answeredAtMs && answeredAtMs <= after.askedAtMs;
    if (seen === undefined || !isBetween) return [];
    return CLAIMS.filter(({ holds }) => holds(first) && holds(seen) && holds(last)).map(({ what }) => ({
      atMs: answeredAtMs,
      what,
    }));
  });
}

export function addSample(state: WritersState, sample: Sample): WritersState {
  const own = state.samples[sample.node];
  const other = state.samples[sample.node === "alpha" ? "bravo" : "alpha"];
  return {
    ...state,
    samples: { ...state.samples, [sample.node]: [...own.slice(-1), sample] },
    sampleCount: state.sampleCount + 1,
    violations: [...state.violations, ...breaches(own.at(-1), sample, other)],
  };
}

/** A frame from the virtual address was seen. */
export function addSender(state: WritersState, mac: string, atMs: number): WritersState {
  const [earlier, last] = [state.senders.at(-2), state.senders.at(-1)];
  if (last?.mac === mac) return state;
  const turned = earlier !== undefined && earlier.mac === mac && atMs - earlier.atMs <= TURNS_MAX_MS;
  const violation = { atMs, what: `${earlier?.mac} and ${last?.mac} take turns on the virtual address` };
  return {
    ...state,
    senders: [...state.senders.slice(-1), { mac, atMs }],
    violations: turned ? [...state.violations, violation] : state.violations,
  };
}
