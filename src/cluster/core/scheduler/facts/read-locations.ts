/** Location constraints and node health: where a resource may and would rather be. */
import { addEntry, entryOf } from "../../../../base/record.ts";
import type { XmlElement } from "../../../../base/xml.ts";
import { childrenOf } from "../../../../base/xml.ts";
import { addScores, INFINITY_SCORE, parseScore } from "../../../../cib/schema/values.ts";
import { resolveReference } from "../../../../cib/sets.ts";
import { reportDangling, resourcesNamed, setsOf } from "./constraint-references.ts";
import type { ConstraintsDraft } from "./draft.ts";
import type { Location, Node, Resource, Setting } from "./model.ts";
import { type RuleContext, ruleHolds } from "./rules.ts";
import { parseRole, ROLE, type Role } from "./values.ts";

interface Target {
  readonly resource: Resource;
  readonly role: Role;
  readonly matches?: readonly string[];
}

function targetsOf(facts: ConstraintsDraft, constraint: XmlElement): readonly Target[] {
  const { rsc, "rsc-pattern": pattern, role } = constraint.attributes;
  const ownRole = parseRole(role);
  if (rsc !== undefined) {
    const found = resourcesNamed(facts, rsc);
    if (found.length === 0) reportDangling(facts, constraint, rsc);
    return found.map((resource) => ({ resource, role: ownRole }));
  }
  if (pattern !== undefined) {
    const negated = pattern.startsWith("!");
    let expression: RegExp;
    try {
      expression = new RegExp(negated ? pattern.slice(1) : pattern);
    } catch {
      return [];
    }
    return facts.top.flatMap((resource) => {
      const matches = expression.exec(resource.id);
      if ((matches === null) !== negated) return [];
      return [{ resource, role: ownRole, ...(matches === null ? {} : { matches: [...matches] }) }];
    });
  }
  return setsOf(facts, constraint, []).flatMap(({ members, attributes }) =>
    members.map((resource) => ({ resource, role: parseRole(attributes["role"] ?? role) })),
  );
}

/** The score of a rule may stand in a node attribute. */
function ruleScore(rule: XmlElement, node: Node, context: RuleContext): number | undefined {
  const { score, "score-attribute": attribute } = rule.attributes;
  if (attribute === undefined) return parseScore(score);
  const name = attribute.replaceAll(/%([0-9])/g, (whole, digit: string) => context.matches?.[Number(digit)] ?? whole);
  const value = entryOf(node.attributes, name);
  return value === undefined ? undefined : parseScore(value);
}

function scoresOf(
  facts: ConstraintsDraft,
  constraint: XmlElement,
  target: Target,
): { scores: Map<Node, number>; role: Role } {
  const scores = new Map<Node, number>();
  const { node: name, score } = constraint.attributes;
  let { role } = target;
  if (name !== undefined) {
    const node = facts.nodeByName.get(name);
    if (node !== undefined) scores.set(node, parseScore(score));
  }
  const rules = childrenOf(constraint, "rule").map((rule) => resolveReference(rule, facts.ids));
  if (rules.length === 0) return { scores, role };
  const common = {
    ...facts.ruleContext,
    meta: target.resource.meta,
    parameters: parametersFor(facts, target.resource),
    ...(target.matches === undefined ? {} : { matches: target.matches }),
  };
  for (const rule of rules) {
    if (rule.attributes["role"] !== undefined) role = parseRole(rule.attributes["role"]);
    for (const node of facts.nodes) {
      const context = { ...common, nodeAttributes: node.attributes };
      if (!ruleHolds(rule, context)) continue;
      const value = ruleScore(rule, node, context);
      if (value !== undefined) scores.set(node, addScores(scores.get(node) ?? 0, value));
    }
  }
  return { scores, role };
}

function parametersFor(facts: ConstraintsDraft, resource: Resource): Record<string, string> {
  const values: Record<string, string> = {};
  for (const set of childrenOf(resource.element, "instance_attributes"))
    for (const { attributes } of childrenOf(resolveReference(set, facts.ids), "nvpair"))
      if (attributes["name"] !== undefined && attributes["value"] !== undefined)
        addEntry(values, attributes["name"], attributes["value"]);
  return values;
}

function discoveryOf(value: string | undefined): Location["discovery"] {
  return value === "never" || value === "exclusive" ? value : "always";
}

/** All rsc_location constraints, in their order. */
export function readLocations(facts: ConstraintsDraft, constraints: readonly XmlElement[]): void {
  for (const constraint of constraints) {
    if (constraint.name !== "rsc_location") continue;
    for (const target of targetsOf(facts, constraint)) {
      const { scores, role } = scoresOf(facts, constraint, target);
      facts.locations.push({
        id: constraint.attributes["id"] ?? "",
        source: childrenOf(constraint, "rule")[0]?.attributes["id"] ?? constraint.attributes["id"] ?? "",
        resource: target.resource,
        scores,
        role: role === ROLE.started || role === ROLE.stopped ? ROLE.unknown : role,
        discovery: discoveryOf(constraint.attributes["resource-discovery"]),
      });
    }
  }
}

const HEALTH_WORDS = new Set(["red", "yellow", "green"]);

/** Health as the chosen strategy weighs it: a score that every resource has on the node. */
export function healthScore(facts: Setting, node: Node, resource?: Resource): number {
  const { healthStrategy, all } = facts.options;
  const word = (name: string) => parseScore(entryOf(all, `node-health-${name}`), name === "red" ? -INFINITY_SCORE : 0);
  const scoreOf = (value: string): number => {
    if (!HEALTH_WORDS.has(value)) return parseScore(value);
    if (healthStrategy === "only-green") return value === "green" ? 0 : -INFINITY_SCORE;
    if (healthStrategy === "migrate-on-red") return value === "red" ? -INFINITY_SCORE : 0;
    return word(value);
  };
  if (healthStrategy === "none" || (resource !== undefined && resource.meta["allow-unhealthy-nodes"] === "true"))
    return 0;
  const values = Object.entries(node.attributes).filter(([name]) => name.startsWith("#health"));
  const base = healthStrategy === "progressive" ? parseScore(all["node-health-base"]) : 0;
  return values.reduce((sum, [, value]) => addScores(sum, scoreOf(value)), base);
}
