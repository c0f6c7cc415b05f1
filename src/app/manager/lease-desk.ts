/**
 * Ends manual overrides in time. Every manager looks, only the DC acts: so a change of DC needs no hand-over. The wall
 * clock decides, as the ends are dates; a clock that is wrong makes an override end early or late, and no more.
 */
import { childOf, type XmlElement } from "../../base/xml.ts";
import { configurationVersion } from "../../cluster/core/controller/cib-read.ts";
import { nodeCib } from "../../cluster/core/controller/node-core.ts";
import { dueLeases, endText } from "../../cluster/core/overrides/lease.ts";
import { type Manager, submit } from "./manager.ts";

/** Ends are written to the second; nobody waits for one with a stopwatch. */
const LOOK_EVERY_MS = 2_000;

/** The configuration of an earlier version, from whoever has kept it. */
export type FindVersion = (version: string) => Promise<XmlElement | undefined>;

/** Nobody has confirmed the trial: the configuration is again what it was before. */
async function goBack(manager: Manager, version: string, find: FindVersion): Promise<void> {
  const now = configurationVersion(nodeCib(manager.node));
  const configuration = await find(version);
  if (configuration === undefined) {
    manager.log("error", `the trial has ended, but nobody has kept version ${version}: it cannot be gone back to`);
    return;
  }
  const door = `the trial was not confirmed: back to ${version}`;
  const answer = await submit(manager, "gemel", door, [
    // Somebody may confirm the trial while its forerunner is being fetched.
    { kind: "expect", version: now },
    { kind: "replace", configuration },
  ]);
  if (answer.kind === "accepted") manager.log("warning", `nobody has confirmed the trial: back to ${version}`);
  else manager.log("error", `back to ${version} was not possible (${answer.kind}); it is tried again if it is due`);
}

async function look(manager: Manager, find: FindVersion): Promise<void> {
  if (manager.node.controller.election.dc !== manager.self) return;
  const cib = nodeCib(manager.node);
  const { operations, ended, goBackTo } = dueLeases(childOf(cib, "configuration"), Date.now());
  if (goBackTo !== undefined) {
    await goBack(manager, goBackTo, find);
    return;
  }
  if (operations.length === 0) return;
  const answer = await submit(manager, "gemel", "end of a manual override", [
    // Somebody may prolong it at this very moment.
    { kind: "expect", version: configurationVersion(cib) },
    ...operations,
  ]);
  if (answer.kind === "refused") {
    const reasons = answer.problems.map(({ reason }) => reason).join("; ");
    manager.log("warning", `a manual override could not be ended: ${reasons}`);
  }
  if (answer.kind !== "accepted") return;
  for (const { kind, subject, owner, endWallMs } of ended)
    manager.log("info", `${kind} of ${subject} by ${owner} has ended (${endText(endWallMs)})`);
}

/** Looks until the process ends; one look at a time. */
export function watchLeases(manager: Manager, find: FindVersion): void {
  let isLooking = false;
  setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look(manager, find).finally(() => {
      isLooking = false;
    });
  }, LOOK_EVERY_MS);
}
