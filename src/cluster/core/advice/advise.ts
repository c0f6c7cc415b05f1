/**
 * Everything that an operator should know now, errors first, each with its proof and what to do: the 20 rows of the
 * how-to table and what came since. A pure function of what is known, so that every row has its test.
 */
import { entryOf } from "../../../base/record.ts";
import type { Code } from "./codes.ts";
import { drbdTrouble, failingFencing, fencingMissing, fencingUnproven, mutualFencing } from "./fencing-rules.ts";
import {
  absentNodes,
  alertsNotTold,
  cibNotWritten,
  configurationConflict,
  failedOver,
  hangingShutdown,
  heldUpDecisions,
  keeperTrouble,
  noDc,
  noQuorum,
  notReady,
  setAside,
  skewedClocks,
} from "./node-rules.ts";
import { addressWithoutInterface, brokenLinks, lostDisks, lostNetworks, movedAddresses } from "./path-rules.ts";
import {
  activeTwice,
  blockedActions,
  blockingFailures,
  degradedResources,
  failedResources,
  heldByLock,
  heldByStopped,
  leftOverConstraints,
  promotedNowhere,
  runsNowhere,
} from "./resource-rules.ts";
import type { Advice, Rule, Situation } from "./situation.ts";

/**
 * In the order in which equally grave ones are shown; the first is the one line that everybody reads. What destroys
 * data now comes before what ends a node, that before what keeps all from being decided, and that before the rest.
 */
const RULES: readonly Rule[] = [
  activeTwice,
  lostDisks,
  keeperTrouble,
  noDc,
  noQuorum,
  heldUpDecisions,
  absentNodes,
  failingFencing,
  cibNotWritten,
  mutualFencing,
  fencingMissing,
  fencingUnproven,
  blockingFailures,
  promotedNowhere,
  runsNowhere,
  heldByStopped,
  heldByLock,
  lostNetworks,
  failedResources,
  degradedResources,
  notReady,
  addressWithoutInterface,
  leftOverConstraints,
  hangingShutdown,
  blockedActions,
  drbdTrouble,
  failedOver,
  setAside,
  skewedClocks,
  configurationConflict,
  movedAddresses,
  brokenLinks,
  alertsNotTold,
];

/** What one says already: the first makes the second of the same node, and of the same resource, superfluous. */
const COVERS: Readonly<Partial<Record<Code, readonly Code[]>>> = {
  "fencing-fails": ["node-unclean"],
  "shutdown-hangs": ["stop-failed"],
};

function covers(one: Advice, other: Advice): boolean {
  const isSame = (name: string) => entryOf(one.values, name) === entryOf(other.values, name);
  return COVERS[one.code]?.includes(other.code) === true && isSame("node") && isSame("resource");
}

export function advise(situation: Situation): readonly Advice[] {
  const all = RULES.flatMap((rule) => rule(situation));
  const shown = all.filter((one) => !all.some((other) => covers(other, one)));
  const of = (severity: Advice["severity"]) => shown.filter((one) => one.severity === severity);
  return [...of("error"), ...of("warning")];
}
