/** crm_resource on why: the constraints around a resource, and why something does not run. */
import { bansOf } from "../../cluster/core/monitor/sections.ts";
import type { Colocation, Facts, Resource } from "../../cluster/core/scheduler/facts/model.ts";
import { isActive, topOf } from "../../cluster/core/scheduler/facts/model.ts";
import { ROLE, roleText } from "../../cluster/core/scheduler/facts/values.ts";
import { scoreText } from "../../cluster/core/scheduler/print/score-lines.ts";
import { isDisabled, isLocked } from "../../cluster/core/scheduler/print/status-report.ts";
import { EXIT } from "./ask.ts";
import type { ResourceAction, ResourceCall } from "./crm-resource.ts";
import { factsOf, find, tell } from "./crm-resource-find.ts";

interface Walk {
  readonly facts: Facts;
  readonly isRecursive: boolean;
  /** Each resource is told once: constraints may go round in a circle. */
  readonly seen: Set<string>;
}

/** Newest first, and with what a rule comes to now: the node, its score, and which rule gave it. */
function locationLines({ facts }: Walk, resource: Resource, indent: string): string[] {
  const lines = facts.locations
    .toReversed()
    .filter((location) => location.resource === resource)
    .flatMap(({ source, scores }) =>
      [...scores].map(
        ([node, score]) =>
          `${indent}  * Node ${node.name} (score=${scoreText(score)}, id=${source}, rsc=${resource.id})`,
      ),
    );
  return lines.length === 0 ? [] : [`${indent}Locations:`, ...lines];
}

function colocationLines(walk: Walk, resource: Resource, indent: string, isDependent: boolean): string[] {
  const mine = walk.facts.colocations.filter(({ dependent, primary }) =>
    isDependent ? dependent.id === resource.id : primary.id === resource.id,
  );
  if (mine.length === 0) return [];
  const head = isDependent ? `Resources ${resource.id} is colocated with:` : `Resources colocated with ${resource.id}:`;
  const tellOne = ({ id, dependent, primary, score, dependentRole, primaryRole }: Colocation) => {
    const other = isDependent ? primary : dependent;
    const known = [ROLE.promoted, ROLE.unpromoted] as readonly number[];
    const role = known.includes(primaryRole)
      ? `, ${isDependent ? "with" : "needs"} role=${roleText(primaryRole)}`
      : known.includes(dependentRole) && isDependent
        ? `, needs role=${roleText(dependentRole)}`
        : "";
    const line = `${indent}  * ${other.id} (score=${scoreText(score)}${role}, id=${id})`;
    if (walk.seen.has(other.id)) return [line];
    walk.seen.add(other.id);
    const below = `${indent}    * `;
    const more = [
      ...locationLines(walk, other, ""),
      ...(walk.isRecursive ? colocationLines(walk, other, "", isDependent) : []),
    ];
    return [line, ...more.map((text) => (text.startsWith(" ") ? `${indent}    ${text}` : `${below}${text}`))];
  };
  return [`${indent}${head}`, ...mine.flatMap(tellOne)];
}

async function tellConstraints(call: ResourceCall, isRecursive: boolean): Promise<number> {
  const found = await find(call);
  if (typeof found === "number") return found;
  // Constraints name the group or clone that stands outermost.
  const resource = call.flags["force"] === true ? found.resource : topOf(found.resource, true);
  const walk = { facts: found.facts, isRecursive };
  const seen = () => new Set([resource.id]);
  const lines = [
    ...locationLines({ ...walk, seen: seen() }, resource, ""),
    ...colocationLines({ ...walk, seen: seen() }, resource, "", false),
    ...colocationLines({ ...walk, seen: seen() }, resource, "", true),
  ];
  if (lines.length > 0) tell(lines.join("\n"));
  return EXIT.done;
}

function reasons(facts: Facts, resource: Resource): string[] {
  return [
    ...(isDisabled(resource) ? ["its target role is Stopped"] : []),
    ...(resource.managed ? [] : ["it is not managed"]),
    ...(resource.blocked ? ["it is blocked by a failure"] : []),
    ...bansOf(facts, "")
      .filter((ban) => ban.resource === resource || ban.resource === resource.parent)
      .map(({ id, node }) => `${id} keeps it from ${node.name}`),
    ...facts.nodes
      .filter(({ online, standby }) => !online || standby)
      .map(({ name, online }) => `${name} is ${online ? "in standby" : "offline"}`),
  ];
}

/** Debian's tool only says whether; what keeps it down stands below. */
async function tellWhy(call: ResourceCall): Promise<number> {
  const facts = await factsOf(call);
  if (typeof facts === "number") return facts;
  let wanted = facts.top.filter((resource) => !resource.removed || isActive(resource));
  if (call.resource !== undefined) {
    const found = await find(call);
    if (typeof found === "number") return found;
    wanted = [found.resource];
  }
  for (const resource of wanted) {
    const isHere = (one: Resource): boolean =>
      call.node === undefined
        ? isActive(one)
        : one.runningOn.some(({ name }) => name === call.node) || one.children.some(isHere);
    const where = call.node === undefined ? "" : ` on host ${call.node}`;
    tell(`Resource ${resource.id} is ${isHere(resource) ? "" : "not "}running${where}`);
    if (isLocked(resource))
      tell(`'${resource.id}' is locked to node ${resource.lock?.node.name ?? ""} due to shutdown`);
    if (!isHere(resource)) for (const reason of reasons(facts, resource)) tell(`  * ${reason}`);
  }
  return EXIT.done;
}

export const EXPLANATIONS: Readonly<Record<string, ResourceAction>> = {
  constraints: (call) => tellConstraints(call, call.flags["recursive"] === true),
  stack: (call) => tellConstraints(call, true),
  why: tellWhy,
};
