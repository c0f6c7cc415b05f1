/**
 * Changes of the configuration that become one version together: each is judged on what the ones before it have made,
 * refused or taken by itself, and has its own entry in the history. They share the version, for only what stands on
 * disks by itself has one; so what was replaced is always kept whole and can be gone back to.
 */
import { formatProblem, type Problem } from "../../../base/problem.ts";
import type { XmlElement } from "../../../base/xml.ts";
import { verifyCib } from "../../../cib/schema/verify.ts";
import { endText, trialOf } from "../overrides/lease.ts";
import { diffTrees } from "./diff.ts";
import { growLineage } from "./lineage.ts";
import { HISTORY_MAX } from "./merge.ts";
import { applyOperations } from "./operations.ts";
import { type CibStore, cibTree, type InFlight } from "./state.ts";
import type { CibVersion, ConfigurationRequest, StoredCib } from "./types.ts";

/** Where a change is refused that was meant for another version than the one in force. */
export const OUTDATED = "base";

const versionText = ({ adminEpoch, epoch }: CibVersion) => `${adminEpoch}.${epoch}`;

/** A configuration that becomes the next version, with all that was asked for at once. */
export interface Batch {
  configuration: XmlElement;
  readonly diffs: { readonly request: ConfigurationRequest; readonly diff: readonly string[] }[];
  readonly accepted: InFlight["requests"][number][];
  adminRaises: number;
}

/**
 * What is changed while a trial is on would be lost when it goes back. Judged here, where changes are put in order: the
 * asker's node may not have known of the trial. What the cluster notes by itself it notes again when it is missing.
 */
function refuseDuringTrial(
  before: XmlElement,
  after: XmlElement,
  { origin }: ConfigurationRequest,
): Problem | undefined {
  const trial = trialOf(before);
  if (trial === undefined || trialOf(after)?.subject !== trial.subject || origin.who === "gemel") return undefined;
  const reason = `a trial by ${trial.owner} is on until ${endText(trial.endWallMs)}`;
  const remedy = "confirm it (gemel config confirm), or take it back (gemel config rollback)";
  return { severity: "error", place: "configuration", reason, remedy };
}

const wrong = new WeakMap<XmlElement, ReadonlySet<string>>();

/** What is wrong in a configuration: it was judged already when it was made, and never changes. */
function wrongIn(configuration: XmlElement, find: () => readonly Problem[]): ReadonlySet<string> {
  const known = wrong.get(configuration) ?? new Set(find().map(formatProblem));
  wrong.set(configuration, known);
  return known;
}

/** Adds what is asked for to the batch; the problems for which it is refused instead. */
export function join(state: CibStore, batch: Batch, request: ConfigurationRequest, from: string): readonly Problem[] {
  const { stored } = state;
  const { operations } = request;
  const version = versionText(stored.version);
  const isOutdated = operations.some(
    (one) => one.kind === "expect" && (one.version !== version || batch.diffs.length > 0),
  );
  if (isOutdated) {
    const now = batch.diffs.length > 0 ? `no more ${version}` : `${version} now`;
    const reason = `the configuration is ${now}`;
    return [{ severity: "error", place: OUTDATED, reason, remedy: "read it again, make the change anew" }];
  }
  const applied = applyOperations(batch.configuration, operations);
  if (applied.kind === "invalid") return applied.problems;
  const configuration = applied.value;
  const onTrial = refuseDuringTrial(batch.configuration, configuration, request);
  if (onTrial !== undefined) return [onTrial];
  const wholeOf = (content: XmlElement) => cibTree({ ...state, stored: { ...stored, configuration: content } });
  const problems = verifyCib(wholeOf(configuration));
  // What was wrong before must not bar the way to mending it piece by piece.
  const before = wrongIn(batch.configuration, () => verifyCib(wholeOf(batch.configuration)));
  if (problems.some((problem) => problem.severity === "error" && !before.has(formatProblem(problem)))) return problems;
  const raised = operations.flatMap((operation) => (operation.kind === "raise" ? [operation.part] : []));
  const diff = [
    ...diffTrees(batch.configuration, configuration),
    ...raised.map((part) => `~ ${part} counted up by hand`),
  ];
  batch.accepted.push({ request, from, warnings: problems });
  if (diff.length === 0) return [];
  batch.configuration = configuration;
  wrongIn(configuration, () => problems);
  batch.diffs.push({ request, diff });
  if (raised.includes("admin-epoch")) batch.adminRaises += 1;
  return [];
}

export function openBatch({ configuration }: StoredCib): Batch {
  return { configuration, diffs: [], accepted: [], adminRaises: 0 };
}

/** What the batch makes of the running content. */
export function storedOf({ stored, quorate }: CibStore, batch: Batch, head: string, isAlone: boolean): StoredCib {
  const { configuration, diffs, adminRaises } = batch;
  const version = { adminEpoch: stored.version.adminEpoch + adminRaises, epoch: stored.version.epoch + 1 };
  const isMarked = isAlone && quorate;
  const entries = diffs.map(({ request: { requestId, origin }, diff }) => ({ requestId, version, origin, diff }));
  return {
    version,
    head,
    lineage: growLineage(stored.lineage, head),
    // Alone, our disk is all disks: being written and being confirmed is one.
    confirmedHead: isAlone ? head : stored.confirmedHead,
    quorateHead: isMarked ? head : stored.quorateHead,
    quorateVersion: isMarked ? version : stored.quorateVersion,
    configuration,
    history: [...stored.history, ...entries].slice(-HISTORY_MAX),
  };
}
