/** What the fencer's records mean to the controller: a proof is told as such at once, a failure with its reason. */
import type { FencingRequestAction } from "../../../fencing/core/configuration.ts";
import type { FencingRecord } from "../../../fencing/core/fencer-state.ts";
import type { FencingResult } from "./types.ts";

/**
 * The answer to a request of this controller; undefined where `fencedByProof` has told it already: by the time of the
 * answer the node may be up again.
 */
export function fencingAnswer(record: FencingRecord, action: FencingRequestAction): FencingResult | undefined {
  const { target, outcome, devices } = record;
  if (outcome.kind === "confirmed" && action !== "on") return undefined;
  const evidence = devices.map(({ device, outcome: result }) => `${device}: ${result.kind}`).join(", ");
  const reason = outcome.kind === "confirmed" ? `power read as ${outcome.power} (${evidence})` : outcome.reason;
  return { target, action, outcome: outcome.kind, reason };
}

/** Off is proven, whoever had asked: the cluster may take over now, whatever is still to be done to the node. */
export function fencedByProof({ target, action, devices, by }: FencingRecord): FencingResult {
  // What was tried in vain before proves nothing, and where a person was needed nothing was read.
  const proving = devices.filter(({ outcome }) => outcome.kind === "confirmed");
  const names = proving.map(({ device }) => device).join(", ");
  const isByPerson = proving.length === 0 || proving.some(({ driver }) => driver === "meatware");
  const reason = isByPerson ? `by the word of ${by.at(-1)}` : `power read as off by ${names}`;
  return { target, action: action === "on" ? "off" : action, outcome: "confirmed", reason };
}
