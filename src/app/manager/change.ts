/**
 * A change of the configuration that a person has asked for at this node: judged by the rules of access, kept out of
 * trials, handed to the DC, and answered with what it came to.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Problem } from "../../base/problem.ts";
import { childOf, type XmlElement } from "../../base/xml.ts";
import { isUnrestricted, type Person } from "../../cluster/core/access/acl.ts";
import { OUTDATED } from "../../cluster/core/cib-store/batch.ts";
import type { ConfigurationOperation } from "../../cluster/core/cib-store/types.ts";
import { configurationVersion } from "../../cluster/core/controller/cib-read.ts";
import { nodeCib } from "../../cluster/core/controller/node-core.ts";
import { endText, trialOf } from "../../cluster/core/overrides/lease.ts";
import { UNCONFIRMED } from "../control-client.ts";
import type { ControlRequest } from "../control-protocol.ts";
import { refuseOperations } from "./access-desk.ts";
import type { Wish } from "./configuration-requests.ts";
import type { Reply } from "./control-server.ts";
import { lossesOf } from "./loss-desk.ts";
import { type Manager, submit } from "./manager.ts";
import { answer, refuse } from "./reply.ts";

const configurationNow = (manager: Manager) => childOf(nodeCib(manager.node), "configuration");

/** What ends a trial is let through: going back to where it began. */
function isGoingBack(request: ControlRequest, version: string): boolean {
  return request.kind === "cib-apply" && request.door === `gemel config rollback ${version}`;
}

/** The change stands here, and only here: nobody may believe that it is safe. The DC's word, not our own view. */
const NO_QUORUM: Problem = {
  severity: "warning",
  place: "cluster",
  reason:
    "this part of the cluster has no quorum: when the nodes meet again, what another part has changed meanwhile " +
    "goes before this change, which is then set aside",
  remedy: "look at `gemel config log` when they have met, and make the change again if it is not there",
};

export function withCautions(value: unknown, cautions: readonly Problem[]): Reply {
  return { kind: "answer", value, ...(cautions.length === 0 ? {} : { cautions }) };
}

/** Somebody else's change came between; it takes the disks a moment. */
const AGAIN_MS = 50;
/** Longer than a batch of others' changes takes; beyond, the asker is told and may decide. */
const TRIES_MAX = 20;

/**
 * Carries out what `wishOf` makes of the CIB as it is now. The rights of a person are judged here, and the change is
 * made at the DC, perhaps on another version: for whoever may not do all it holds only for the one that was judged.
 */
export async function change(
  manager: Manager,
  person: Person,
  request: ControlRequest,
  wishOf: (cib: XmlElement) => Wish,
): Promise<Reply> {
  for (let tries = 1; ; tries += 1) {
    const cib = nodeCib(manager.node);
    const judged: ConfigurationOperation = { kind: "expect", version: configurationVersion(cib) };
    const reply = await changeOnce(manager, person, request, wishOf(cib), isUnrestricted(person) ? [] : [judged]);
    const isOutdated = reply.kind === "refused" && reply.problems.some(({ place }) => place === OUTDATED);
    if (!isOutdated || isUnrestricted(person) || tries >= TRIES_MAX) return reply;
    await sleep(AGAIN_MS);
  }
}

async function changeOnce(
  manager: Manager,
  person: Person,
  request: ControlRequest,
  wish: Wish,
  conditions: readonly ConfigurationOperation[],
): Promise<Reply> {
  if (wish.kind === "problem") return { kind: "refused", problems: [wish.problem] };
  const { notes = [], text } = wish;
  if (wish.operations.length + notes.length === 0) return answer<"node">({ text });
  const operations = [...conditions, ...wish.operations, ...notes];
  const refusals = refuseOperations(nodeCib(manager.node), person, wish.operations);
  if (refusals.length > 0) return { kind: "refused", problems: refusals };
  const trial = trialOf(configurationNow(manager));
  if (trial !== undefined && request.kind !== "config-confirm" && !isGoingBack(request, trial.subject))
    return refuse(
      "configuration",
      `a trial by ${trial.owner} is on until ${endText(trial.endWallMs)}`,
      "confirm it (gemel config confirm), or take it back (gemel config rollback)",
    );
  const door = request.kind === "cib-apply" ? (request.door ?? request.kind) : request.kind;
  const losses = await lossesOf(manager, request, operations);
  const done = await submit(manager, request.by ?? "root", door, operations);
  switch (done.kind) {
    case "accepted": {
      const version = `${done.version.adminEpoch}.${done.version.epoch}`;
      const value = { text, version, warnings: done.warnings };
      return withCautions(value, done.quorate ? losses : [NO_QUORUM, ...losses]);
    }
    case "refused":
      return { kind: "refused", problems: done.problems };
    case "unconfirmed":
      return refuse("cluster", `${UNCONFIRMED}: ${done.reason}`, "look at `gemel status`, then again");
    default:
      return done satisfies never;
  }
}
