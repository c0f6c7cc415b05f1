/** Rows about resources: failed here, failed everywhere, nowhere, twice, kept away by an old order. */
import { childOf, childrenOf } from "../../../base/xml.ts";
import { INFINITY_SCORE } from "../../../cib/schema/values.ts";
import { degradedOf, failCountOf } from "../monitor/operations.ts";
import { bansOf } from "../monitor/sections.ts";
import { type Facts, primitivesOf, type Resource, topOf } from "../scheduler/facts/model.ts";
import { blocksByConfiguration } from "../scheduler/facts/on-fail.ts";
import { type Lock, lockOf } from "../scheduler/facts/shutdown-locks.ts";
import { ROLE } from "../scheduler/facts/values.ts";
import { scoreText } from "../scheduler/print/score-lines.ts";
import { isDisabled } from "../scheduler/print/status-report.ts";
import { lacksQuorum } from "./node-rules.ts";
import {
  type Advice,
  brokenDisks,
  type FailureFact,
  failures,
  failureText,
  isEverywhere,
  isSingle,
  lacksInterface,
  lostAttributes,
  members,
  primitives,
  type Rule,
  type Situation,
} from "./situation.ts";

/** What to look for first, by the kind of agent; words are in the texts. */
function hintOf({ type }: Resource): string {
  if (/pgsql|mysql|oracle|db2/i.test(type)) return "database";
  if (/Filesystem|LVM|iSCSI|mdraid|Raid1|sfex|drbd/i.test(type)) return "storage";
  if (/apache|nginx|tomcat|Squid/i.test(type)) return "web";
  return "general";
}

/** By resource and node: the failures that wait for a person, by on-fail=block, or a stop without fencing. */
function blockingOnes(facts: Facts): ReadonlyMap<string, readonly FailureFact[]> {
  const blocking = failures(facts).filter(({ resource, entry: { task, intervalMs } }) => {
    return resource.blocked && (task === "stop" || blocksByConfiguration(facts, resource, task, intervalMs));
  });
  return Map.groupBy(blocking, whereOf);
}

const whereOf = ({ resource, node }: FailureFact) => `${resource.baseId} ${node.name}`;

/** Row 6, where nothing is done about it: the resource, and all that needs it, stays as it is for ever. */
export const blockingFailures: Rule = ({ facts }) =>
  [...blockingOnes(facts).values()].flatMap((mine): readonly Advice[] => {
    // The stop says the most: of what else has failed there nobody knows how much is left.
    const failure = mine.find(({ entry }) => entry.task === "stop") ?? mine[0];
    if (failure === undefined) return [];
    const { resource, node, entry } = failure;
    const values = { resource: resource.baseId, node: node.name, proof: failureText(failure), hint: hintOf(resource) };
    return [{ code: entry.task === "stop" ? "stop-failed" : "failure-blocks", severity: "error", values }];
  });

/** Row 13 and row 18 say more than "it failed". */
function isExplained(failure: FailureFact): boolean {
  const { entry, code, isTimeout } = failure;
  const early = !isTimeout && [2, 4, 5, 6].includes(code) && entry.intervalMs === 0 && entry.task !== "stop";
  return early || lacksInterface(failure);
}

/** Rows 6 and 10: failed on one node, or on more than one. */
export const failedResources: Rule = ({ facts }) => {
  const blocking = blockingOnes(facts);
  const open = failures(facts).filter((failure) => !isExplained(failure) && !blocking.has(whereOf(failure)));
  const ids = [...new Set(open.map(({ resource }) => resource.baseId))];
  return ids.flatMap((id): readonly Advice[] => {
    const mine = open.filter(({ resource }) => resource.baseId === id);
    const nodes = [...new Set(mine.map(({ node }) => node.name))];
    const proofs = mine.map((failure) => `${failure.node.name}: ${failureText(failure)}`);
    const [first] = mine;
    if (first === undefined) return [];
    const hint = hintOf(first.resource);
    if (nodes.length > 1 && isSingle(first.resource)) {
      const [one = "", two = ""] = nodes;
      const values = { resource: id, proof: proofs.join("; "), first: one, second: two, hint };
      return [{ code: "failed-everywhere", severity: "error", values }];
    }
    return nodes.map((node): Advice => {
      const failure = mine.find((each) => each.node.name === node) ?? first;
      const count = scoreText(failCountOf(failure.resource, failure.node)?.count ?? 0);
      const values = { resource: id, node, proof: failureText(failure), count, hint };
      return { code: "resource-failed", severity: "warning", values };
    });
  });
};

/** It serves, and its agent says that it may soon not; nothing but a person does anything about it. */
export const degradedResources: Rule = ({ facts }) =>
  degradedOf(facts).map(({ entry, resource, node }): Advice => {
    const values = {
      resource: resource.baseId,
      node: node.name,
      reason: entry.element.attributes["exit-reason"] ?? "",
    };
    return { code: "resource-degraded", severity: "warning", values };
  });

const LEFT_OVER = /^cli-(?:prefer|ban|standby)-/;

/** Row 11: a constraint that an earlier move or ban has left; crm_mon does not show it. */
export const leftOverConstraints: Rule = ({ facts }) => {
  const constraints = childrenOf(childOf(facts.configuration, "constraints"), "rsc_location");
  return constraints.flatMap((element): readonly Advice[] => {
    const { id = "", rsc = "" } = element.attributes;
    // With an end of its own it goes by itself: see the leases.
    if (!LEFT_OVER.test(id) || JSON.stringify(element).includes("date_expression")) return [];
    const resource = facts.byId.get(rsc);
    const parts = primitives(facts).filter((one) => one.id === rsc || topOf(one) === resource);
    const isDown = parts.length > 0 && parts.every(({ runningOn }) => runningOn.length === 0);
    const nodes = bansOf(facts, "")
      .filter((ban) => ban.id === id || facts.locations.some((one) => one.id === id && one.source === ban.id))
      .map(({ node }) => node.name);
    const from = [...new Set(nodes)].join(", ");
    const values = { constraint: id, resource: rsc, from };
    return [{ code: "left-over-constraint", severity: isDown ? "error" : "warning", values }];
  });
};

/** What already says why nothing runs: then row 7 would only repeat it. */
function isOtherwiseExplained(situation: Situation, resource: Resource): boolean {
  const { facts } = situation;
  const all = [...lostAttributes(facts).values(), ...brokenDisks(facts).values()];
  if (all.some((nodes) => isEverywhere(facts, nodes))) return true;
  const top = topOf(resource);
  const failed = failures(facts).filter((failure) => topOf(failure.resource) === top);
  if (new Set(failed.map(({ node }) => node)).size > 1) return true;
  return leftOverConstraints(situation).some(({ values }) => values["resource"] === top.id);
}

/** Held back for want of fencing is still wanted: that is when somebody must know. */
const isServing = ({ managed, heldBack, class: agentClass }: Resource) =>
  (managed || heldBack) && agentClass !== "stonith";

/** Of those that are idle, each that cannot run without what an operator has stopped, with the nearest such one. */
function stoppedNeeds({ facts }: Situation, idle: readonly Resource[]): ReadonlyMap<Resource, Resource> {
  const links = [
    ...facts.colocations
      .filter(({ score }) => score >= INFINITY_SCORE)
      .map(({ dependent, primary }) => [topOf(dependent), topOf(primary)] as const),
    ...facts.orders
      .filter(({ kind, inverse }) => kind === "mandatory" && !inverse)
      .map(({ first, second }) => [topOf(second), topOf(first)] as const),
  ];
  const needs = Map.groupBy(links, ([from]) => from);
  const found = new Map<Resource, Resource>();
  for (const top of new Set(idle.map((one) => topOf(one)))) {
    const seen = new Set([top]);
    // A set keeps the order of insertion, and what is added while it is walked is walked too.
    for (const one of seen) {
      if (one !== top && isDisabled(one)) {
        found.set(top, one);
        break;
      }
      for (const [, to] of needs.get(one) ?? []) seen.add(to);
    }
  }
  return found;
}

/** Wanted, but another resource that it needs is stopped on purpose: an operator's work, and no fault. */
export const heldByStopped: Rule = (situation) =>
  [...stoppedNeeds(situation, idleOnes(situation))].map(([top, stopped]) => ({
    code: "held-by-stopped",
    severity: "warning",
    values: { holder: top.id, stopped: stopped.id },
  }));

/** The node that is away and that it is locked to. */
function awaited(facts: Facts, resource: Resource): Lock | undefined {
  const lock = resource.runningOn.length === 0 ? lockOf(facts, resource) : undefined;
  return lock?.node.online === false ? lock : undefined;
}

/** Wanted, but somebody has shut its node down and it was configured to wait: told once for each group. */
export const heldByLock: Rule = (situation) => {
  const { facts, nowWallMs } = situation;
  const limitMs = facts.options.shutdownLockLimitMs;
  const held = new Map<Resource, Lock>();
  for (const one of idleOnes(situation)) {
    const lock = awaited(facts, one);
    if (lock !== undefined) held.set(topOf(one), lock);
  }
  return [...held].map(([top, { node, sinceSeconds }]) => {
    const leftMs = sinceSeconds * 1000 + limitMs - nowWallMs;
    const minutes = limitMs > 0 ? { minutes: String(Math.max(1, Math.ceil(leftMs / 60_000))) } : {};
    return { code: "held-by-lock", severity: "error", values: { holder: top.id, node: node.name, ...minutes } };
  });
};

/** Wanted, on no node, and nothing under way. */
function idleOnes({ facts, isBusy, isSettled }: Situation): readonly Resource[] {
  if (isBusy || !isSettled || facts.options.stopAll) return [];
  const wanted = primitives(facts).filter((one) => isServing(one) && !isDisabled(one) && !isDisabled(topOf(one)));
  return wanted.filter((one) => isSingle(one) && one.runningOn.length === 0);
}

/** Row 7: wanted, and on no node, though nothing is under way; told once for each group. */
export const runsNowhere: Rule = (situation) => {
  const { facts } = situation;
  const idle = idleOnes(situation);
  const held = stoppedNeeds(situation, idle);
  const isHeld = (one: Resource) => held.has(topOf(one)) || awaited(facts, one) !== undefined;
  const down = idle.filter((one) => !isOtherwiseExplained(situation, one) && !isHeld(one));
  const could = members(facts).filter((node) => node.online && !node.standby && !node.maintenance);
  const standby = members(facts).filter((node) => node.standby && node.online);
  return [...new Set(down.map((one) => topOf(one)))].map((top) => {
    const idle = down.filter((one) => topOf(one) === top).map(({ id }) => id);
    const values = {
      holder: top.id,
      // Alone, it is its own holder.
      resources: idle.length === 1 && idle[0] === top.id ? "" : idle.join(", "),
      nodes: could.map(({ name }) => name).join(", "),
      online: standby.map(({ name }) => `crm node online ${name}`).join("; "),
    };
    return { code: "runs-nowhere", severity: "error", values };
  });
};

/** A promotable clone that is up, and leads nowhere. */
export const promotedNowhere: Rule = ({ facts, isBusy, isSettled }) => {
  if (isBusy || !isSettled) return [];
  const clones = facts.top.filter((top) => top.kind === "clone" && top.promotable && !isDisabled(top));
  return clones
    .filter((clone) => {
      const active = primitivesOf(clone).filter((one) => isServing(one) && one.runningOn.length > 0);
      return active.length > 0 && !active.some(({ role }) => role === ROLE.promoted) && clone.promotedMax > 0;
    })
    .map(({ id }) => ({ code: "promoted-nowhere", severity: "error", values: { holder: id } }));
};

/** Row 17: two writers. */
export const activeTwice: Rule = ({ facts }) =>
  primitives(facts)
    .filter((resource) => isSingle(resource) && resource.class !== "stonith" && resource.runningOn.length > 1)
    .map((resource) => {
      const nodes = resource.runningOn.map(({ name }) => name);
      const values = { resource: resource.id, nodes: nodes.join(", "), last: nodes.at(-1) ?? "" };
      return { code: "active-twice", severity: "error", values };
    });

/** What is only looked at, and what stands for several actions, is blocked by something else that is told. */
const isCause = ({ key, node }: Situation["blocked"][number]) => node !== undefined && !/_monitor_\d+$/.test(key);

export const blockedActions: Rule = (situation) =>
  lacksQuorum(situation)
    ? []
    : situation.blocked.filter(isCause).map(({ key, node = "", reason }) => ({
        code: "blocked",
        severity: "error",
        values: { key, node, why: reason, resource: key.replace(/_[a-z_]+_\d+$/, "") },
      }));
