/**
 * What crm_verify finds beyond the configuration: what the scheduler would have to do to the nodes by what is recorded
 * of them, and words that the field gives up. Scripts read it from the exit code, as of Debian's crm_verify.
 * Facts: crm_verify 2.1.5 as a black box on the scheduler's reference cases (docs/operations/field-commands.md).
 */
import type { Problem } from "../../base/problem.ts";
import { entryOf } from "../../base/record.ts";
import { childOf, childrenOf, type XmlElement } from "../../base/xml.ts";
import { everyElement } from "../../cib/schema/finding.ts";
import { addPairs, lazyIds, rankSets } from "../../cib/sets.ts";
import { upgradeCib } from "../../cib/upgrade/to-three.ts";
import { nodeStates } from "../../cluster/core/controller/cib-read.ts";
import { decisionOf } from "../../cluster/core/scheduler/decision-of.ts";
import { isFalse } from "../../cluster/core/scheduler/facts/values.ts";
import { work } from "../../cluster/core/scheduler/schedule.ts";
import type { Worked } from "../../cluster/core/scheduler/worked.ts";
import { zoneAt } from "../zone.ts";

const warn = (place: string, reason: string, remedy: string): Problem => ({
  severity: "warning",
  place,
  reason,
  remedy,
});

function fencings(worked: Worked): readonly Problem[] {
  const { transition } = decisionOf(worked);
  const fenced = new Set(
    transition.actions.flatMap((action) => (action.kind === "fence" && action.operation !== "on" ? action.target : [])),
  );
  const lost = worked.facts.nodes.filter(
    ({ kind, name, unclean }) => kind === "member" && unclean && !fenced.has(name),
  );
  return [
    ...[...fenced].map((name) => warn(`node ${name}`, "it will be fenced", "look at the node")),
    ...lost.map(({ name }) =>
      warn(`node ${name}`, "its state is not known, and it cannot be fenced", "configure fencing; look at the node"),
    ),
  ];
}

function removedAndActive({ facts }: Worked): readonly Problem[] {
  const removed = facts.resources.filter((resource) => resource.kind === "primitive" && resource.removed);
  return removed.flatMap(({ id, runningOn }) =>
    runningOn.map(({ name }) =>
      warn(`resource ${id}`, `it runs on ${name} and is no longer configured`, "it will be stopped; clean it up"),
    ),
  );
}

function strangeStates({ facts }: Worked, cib: XmlElement): readonly Problem[] {
  const known = new Set(facts.nodes.map(({ name }) => name));
  return nodeStates(cib).flatMap(({ attributes: { uname, remote_node: remote } }) =>
    remote === "true" && uname !== undefined && !known.has(uname)
      ? [warn(`node ${uname}`, "a state is recorded, and it is no longer configured", "crm_node -R NAME --force")]
      : [],
  );
}

/** Words that still work here and in the field, and that it tells to give up. */
function oldWords(cib: XmlElement): readonly Problem[] {
  const configuration = childOf(cib, "configuration");
  const resources = everyElement(childOf(configuration, "resources") ?? cib);
  const clones = new Set(
    resources.flatMap(({ element: { name, attributes } }) => (name === "clone" ? attributes["id"] : [])),
  );
  const loose = childrenOf(childOf(configuration, "constraints"), "rsc_order").filter(
    ({ attributes }) => isFalse(attributes["require-all"]) && clones.has(attributes["first"]),
  );
  const ids = lazyIds(cib);
  const flags = resources.flatMap(({ element }) => {
    if (element.name !== "group") return [];
    const meta: Record<string, string> = {};
    for (const set of rankSets(childrenOf(element, "meta_attributes"), ids)) addPairs(set, ids, meta);
    const place = `group ${element.attributes["id"] ?? ""}`;
    return ["ordered", "collocated"]
      .filter((name) => isFalse(entryOf(meta, name)))
      .map((name) => warn(place, `${name}=false of a group is given up`, "write a resource set"));
  });
  const orders = loose.map(({ attributes: { id = "" } }) =>
    warn(`constraint ${id}`, "require-all=false of an order is given up", "write clone-min of the clone"),
  );
  return [...orders, ...flags];
}

/** `cib`: whole and without errors. Empty where a script may go on. */
export function statusProblems(cib: XmlElement, nowWallMs: number): readonly Problem[] {
  const upgraded = upgradeCib(cib);
  const worked = work(upgraded, nowWallMs, zoneAt(nowWallMs));
  return [...fencings(worked), ...removedAndActive(worked), ...strangeStates(worked, upgraded), ...oldWords(upgraded)];
}
