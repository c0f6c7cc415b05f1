/**
 * Colocation, order and ticket constraints, with resource sets taken apart into pairs.
 * Facts: Pacemaker Explained, "Resource Constraints", "Resource Sets"; "Multi-Site Clusters and Tickets".
 */
import type { Problem } from "../../../../base/problem.ts";
import { entryOf } from "../../../../base/record.ts";
import type { XmlElement } from "../../../../base/xml.ts";
import { childOf } from "../../../../base/xml.ts";
import { INFINITY_SCORE, parseScore } from "../../../../cib/schema/values.ts";
import { type ResourceSet, setsOf } from "./constraint-references.ts";
import type { ConstraintsDraft } from "./draft.ts";
import type { Constraints, Known, OrderKind, Resource, Tags } from "./model.ts";
import { readLocations } from "./read-locations.ts";
import { isFalse, parseBoolean, parseRole, ROLE, type Role } from "./values.ts";

function isSequential(set: ResourceSet): boolean {
  return !isFalse(set.attributes["sequential"] ?? "true");
}

function addColocation(
  facts: ConstraintsDraft,
  constraint: XmlElement,
  dependent: { readonly resource: Resource; readonly role: Role },
  primary: { readonly resource: Resource; readonly role: Role },
  score: number,
): void {
  if (score === 0 || dependent.resource === primary.resource) return;
  const { id = "", "node-attribute": attribute, influence } = constraint.attributes;
  facts.colocations.push({
    id,
    dependent: dependent.resource,
    primary: primary.resource,
    score,
    dependentRole: dependent.role === ROLE.started ? ROLE.unknown : dependent.role,
    primaryRole: primary.role === ROLE.started ? ROLE.unknown : primary.role,
    nodeAttribute: attribute ?? "#uname",
    influence: parseBoolean(influence, dependent.resource.critical),
  });
}

function colocateInside(facts: ConstraintsDraft, constraint: XmlElement, set: ResourceSet, score: number): void {
  const role = parseRole(set.attributes["role"]);
  const local = set.attributes["score"] === undefined ? score : parseScore(set.attributes["score"]);
  const members = set.members.map((resource) => ({ resource, role }));
  if (isFalse(set.attributes["sequential"] ?? "true") && local >= 0) return;
  if (local >= 0) {
    // As in a group each is with the one before it, unless the set says that it is to be read as listed.
    const isGroup = (set.attributes["ordering"] ?? "group") === "group";
    const chain = isGroup ? members : members.toReversed();
    chain.forEach((member, index) => {
      const previous = chain[index - 1];
      if (previous !== undefined) addColocation(facts, constraint, member, previous, local);
    });
    return;
  }
  // Apart from each other: each from all before it.
  members.forEach((member, index) => {
    for (const other of members.slice(0, index)) addColocation(facts, constraint, member, other, local);
  });
}

function colocateSets(
  facts: ConstraintsDraft,
  constraint: XmlElement,
  dependent: ResourceSet,
  primary: ResourceSet,
  score: number,
): void {
  const [dependentRole, primaryRole] = [parseRole(dependent.attributes["role"]), parseRole(primary.attributes["role"])];
  const first = dependent.members[0];
  const last = primary.members.at(-1);
  const left = isSequential(dependent) && first !== undefined ? [first] : dependent.members;
  const right = isSequential(primary) && last !== undefined ? [last] : primary.members;
  for (const resource of left)
    for (const other of right)
      addColocation(
        facts,
        constraint,
        { resource, role: dependentRole },
        { resource: other, role: primaryRole },
        score,
      );
}

function readColocation(facts: ConstraintsDraft, constraint: XmlElement): void {
  const { attributes } = constraint;
  const score = parseScore(attributes["score"], attributes["score"] === undefined ? INFINITY_SCORE : 0);
  const hasSets = childOf(constraint, "resource_set") !== undefined;
  const namesSeveral = (id: string | undefined) => id !== undefined && (facts.templates.has(id) || facts.tags.has(id));
  if (!hasSets && namesSeveral(attributes["rsc"]) && namesSeveral(attributes["with-rsc"])) {
    facts.problems.push({
      severity: "error",
      place: `/cib/configuration/constraints/rsc_colocation[@id="${attributes["id"]}"]`,
      reason: "both sides are templates or tags, so that it does not say who is to be with whom: it is left out",
      remedy: "name a resource on one side, or use resource sets",
    });
    return;
  }
  const sets = setsOf(facts, constraint, [
    { id: attributes["rsc"], attributes: { role: attributes["rsc-role"] ?? "" } },
    { id: attributes["with-rsc"], attributes: { role: attributes["with-rsc-role"] ?? "" } },
  ]);
  if (hasSets) for (const set of sets) colocateInside(facts, constraint, set, score);
  sets.forEach((set, index) => {
    const previous = sets[index - 1];
    if (previous !== undefined) colocateSets(facts, constraint, previous, set, score);
  });
}

function kindOf(attributes: Readonly<Record<string, string>>): OrderKind {
  const { kind, score } = attributes;
  if (kind !== undefined) {
    const word = kind.toLowerCase();
    if (word === "optional" || word === "serialize") return word;
    return "mandatory";
  }
  return score !== undefined && parseScore(score) === 0 ? "optional" : "mandatory";
}

const INVERSE: Readonly<Record<string, string>> = {
  start: "stop",
  stop: "start",
  promote: "demote",
  demote: "promote",
  started: "stopped",
};

interface Side {
  readonly resource: Resource;
  readonly task: string;
}

function addOrder(
  facts: ConstraintsDraft,
  constraint: XmlElement,
  first: Side,
  second: Side,
  kind: OrderKind,
  both: boolean,
  inverseOnly = false,
): void {
  if (first.resource === second.resource && first.task === second.task) return;
  const { id = "" } = constraint.attributes;
  const min = minOf(constraint, first.resource);
  facts.orders.push({
    id,
    first: first.resource,
    firstTask: first.task,
    second: second.resource,
    secondTask: second.task,
    kind,
    symmetrical: both,
    inverse: inverseOnly,
    min,
  });
  if (inverseOnly) return;
  const [inverseThen, inverseFirst] = [entryOf(INVERSE, second.task), entryOf(INVERSE, first.task)];
  if (!both || inverseThen === undefined || inverseFirst === undefined) return;
  facts.orders.push({
    id,
    first: second.resource,
    firstTask: inverseThen,
    second: first.resource,
    secondTask: inverseFirst,
    // Where some instances suffice, one that leaves takes nobody along.
    kind: min > 0 && kind === "mandatory" ? "optional" : kind,
    symmetrical: both,
    inverse: true,
    min: 0,
  });
}

/** How many instances of a clone suffice: all unless require-all or clone-min say otherwise. */
function minOf(constraint: XmlElement, first: Resource): number {
  if (first.kind !== "clone" || childOf(constraint, "resource_set") !== undefined) return 0;
  if (first.instanceMin > 0) return first.instanceMin;
  return isFalse(constraint.attributes["require-all"]) ? 1 : 0;
}

function orderInside(
  facts: ConstraintsDraft,
  constraint: XmlElement,
  set: ResourceSet,
  kind: OrderKind,
  both: boolean,
): void {
  const task = set.attributes["action"] ?? "start";
  // Serialized, no two members act at once, whether or not they stand one behind the other.
  const isEachWithEach = kind === "serialize";
  if (!isSequential(set) && !isEachWithEach) return;
  set.members.forEach((resource, index) => {
    for (const previous of set.members.slice(isEachWithEach ? 0 : Math.max(0, index - 1), index))
      addOrder(facts, constraint, { resource: previous, task }, { resource, task }, kind, both);
  });
}

function orderSets(
  facts: ConstraintsDraft,
  constraint: XmlElement,
  first: ResourceSet,
  second: ResourceSet,
  kind: OrderKind,
  both: boolean,
  isSet: boolean,
): void {
  const firstTask = first.attributes["action"] ?? "start";
  const secondTask = second.attributes["action"] ?? (isSet ? "start" : firstTask);
  if (isSet && isFalse(first.attributes["require-all"]) && !isSequential(first)) {
    facts.setGates.push({
      name: `one-or-more:${first.id}`,
      members: first.members.map((resource) => ({ resource, task: firstTask })),
      min: 1,
      second: second.members.map((resource) => ({ resource, task: secondTask })),
      kind,
      symmetrical: both,
    });
    if (!both) return;
    addSetPairs(facts, constraint, first, second, firstTask, secondTask, kind, "inverse");
    return;
  }
  addSetPairs(facts, constraint, first, second, firstTask, secondTask, kind, both ? "both" : "forward");
}

/** Every member of the one set against every member of the other: those at the seam may have nothing to do. */
function addSetPairs(
  facts: ConstraintsDraft,
  constraint: XmlElement,
  first: ResourceSet,
  second: ResourceSet,
  firstTask: string,
  secondTask: string,
  kind: OrderKind,
  directions: "both" | "forward" | "inverse",
): void {
  for (const resource of first.members)
    for (const other of second.members) {
      const [a, b] = [
        { resource, task: firstTask },
        { resource: other, task: secondTask },
      ];
      if (directions !== "inverse") addOrder(facts, constraint, a, b, kind, directions === "both");
      else {
        const [inverseThen, inverseFirst] = [entryOf(INVERSE, secondTask), entryOf(INVERSE, firstTask)];
        if (inverseThen !== undefined && inverseFirst !== undefined)
          addOrder(
            facts,
            constraint,
            { resource: other, task: inverseThen },
            { resource, task: inverseFirst },
            kind,
            true,
            true,
          );
      }
    }
}

function readOrder(facts: ConstraintsDraft, constraint: XmlElement): void {
  const { attributes } = constraint;
  const kind = kindOf(attributes);
  const both = kind === "serialize" ? false : parseBoolean(attributes["symmetrical"], true);
  const isSet = childOf(constraint, "resource_set") !== undefined;
  const firstTask = attributes["first-action"] ?? "start";
  const sets = setsOf(facts, constraint, [
    { id: attributes["first"], attributes: { action: firstTask } },
    { id: attributes["then"], attributes: { action: attributes["then-action"] ?? firstTask } },
  ]);
  if (isSet)
    for (const set of sets) {
      const own = set.attributes["symmetrical"];
      const setKind = set.attributes["kind"] === undefined ? kind : kindOf(set.attributes);
      orderInside(facts, constraint, set, setKind, own === undefined ? both : parseBoolean(own, both));
    }
  sets.forEach((set, index) => {
    const previous = sets[index - 1];
    if (previous !== undefined) orderSets(facts, constraint, previous, set, kind, both, isSet);
  });
}

function readTicket(facts: ConstraintsDraft, constraint: XmlElement): void {
  const { id = "", rsc, ticket = "", "rsc-role": role, "loss-policy": policy } = constraint.attributes;
  const sets = setsOf(facts, constraint, [{ id: rsc, attributes: { role: role ?? "" } }]);
  for (const set of sets)
    for (const resource of set.members) {
      const own = parseRole(set.attributes["role"] ?? role);
      const lossPolicy =
        policy === "freeze" || policy === "demote" || policy === "stop" || policy === "fence"
          ? policy
          : own === ROLE.promoted
            ? "demote"
            : "stop";
      const fenced = lossPolicy === "fence" && !facts.options.fencingEnabled ? "stop" : lossPolicy;
      facts.ticketConstraints.push({
        id,
        resource,
        ticket,
        role: own === ROLE.started ? ROLE.unknown : own,
        lossPolicy: fenced,
      });
    }
}

/** What the constraints section says of these resources, and what is wrong with it. */
export function readConstraints(known: Known, tags: Tags): Constraints & { readonly problems: readonly Problem[] } {
  const draft: ConstraintsDraft = {
    ...known,
    tags,
    locations: [],
    colocations: [],
    orders: [],
    setGates: [],
    ticketConstraints: [],
    problems: [],
  };
  const constraints = childOf(known.configuration, "constraints")?.children ?? [];
  readLocations(draft, constraints);
  for (const constraint of constraints) {
    if (constraint.name === "rsc_colocation") readColocation(draft, constraint);
    else if (constraint.name === "rsc_order") readOrder(draft, constraint);
    else if (constraint.name === "rsc_ticket") readTicket(draft, constraint);
  }
  const { locations, colocations, orders, setGates, ticketConstraints, problems } = draft;
  return { locations, colocations, orders, setGates, ticketConstraints, problems };
}
