/** Orders that wait for themselves (nothing would ever start), and colocations that go round in a circle. */
import { childOf, childrenOf, type XmlElement } from "../../base/xml.ts";
import { type Finding, finding } from "./finding.ts";
import { readScore } from "./values.ts";

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly constraint: XmlElement;
}

const isMandatory = ({ attributes: { kind, score } }: XmlElement) =>
  kind === undefined ? score === undefined || (readScore(score) ?? 0) > 0 : kind.toLowerCase() === "mandatory";

/** What follows what within and between the sets of one constraint, as `resource action`. */
function setEdges(constraint: XmlElement, keyOf: (set: XmlElement, id: string) => string): Edge[] {
  const edges: Edge[] = [];
  let before: string[] = [];
  for (const set of childrenOf(constraint, "resource_set")) {
    const members = childrenOf(set, "resource_ref").map(({ attributes: { id = "" } }) => keyOf(set, id));
    const sequential = set.attributes["sequential"] !== "false";
    members.forEach((member, index) => {
      const previous = members[index - 1];
      if (sequential && previous !== undefined) edges.push({ from: previous, to: member, constraint });
    });
    const [first, last] = [members[0], members.at(-1)];
    if (first === undefined || last === undefined) continue;
    for (const from of before) for (const to of sequential ? [first] : members) edges.push({ from, to, constraint });
    before = sequential ? [last] : members;
  }
  return edges;
}

function orderEdges(constraints: readonly XmlElement[]): Edge[] {
  return constraints.filter(isMandatory).flatMap((constraint) => {
    const {
      first,
      then: follower,
      "first-action": action = "start",
      "then-action": thenAction,
    } = constraint.attributes;
    const edges = setEdges(constraint, (set, id) => `${id} ${set.attributes["action"] ?? "start"}`);
    if (first === undefined || follower === undefined) return edges;
    return [...edges, { from: `${first} ${action}`, to: `${follower} ${thenAction ?? action}`, constraint }];
  });
}

function colocationEdges(constraints: readonly XmlElement[]): Edge[] {
  return constraints.flatMap((constraint) => {
    const { rsc, "with-rsc": withRsc, "rsc-role": role = "", "with-rsc-role": withRole = "" } = constraint.attributes;
    if (rsc === undefined || withRsc === undefined) return [];
    return [{ from: `${rsc} ${role}`.trim(), to: `${withRsc} ${withRole}`.trim(), constraint }];
  });
}

/** One circle through each edge that closes one, found by walking depth first. Iterative: inputs may be long chains. */
function circles(edges: readonly Edge[]): { readonly path: readonly string[]; readonly constraint: XmlElement }[] {
  const next = new Map<string, Edge[]>();
  for (const edge of edges) next.set(edge.from, [...(next.get(edge.from) ?? []), edge]);
  const done = new Set<string>();
  const found: { path: string[]; constraint: XmlElement }[] = [];
  for (const start of next.keys()) {
    const trail: { at: string; left: Edge[] }[] = [{ at: start, left: [...(next.get(start) ?? [])] }];
    const onTrail = new Set([start]);
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const edge = done.has(top.at) ? undefined : top.left.shift();
      if (edge === undefined) {
        done.add(top.at);
        onTrail.delete(top.at);
        trail.pop();
      } else if (onTrail.has(edge.to)) {
        const path = trail.map(({ at }) => at).slice(trail.findIndex(({ at }) => at === edge.to));
        found.push({ path: [...path, edge.to], constraint: edge.constraint });
      } else if (!done.has(edge.to)) {
        onTrail.add(edge.to);
        trail.push({ at: edge.to, left: [...(next.get(edge.to) ?? [])] });
      }
    }
  }
  return found;
}

export function checkLoops(configuration: XmlElement): Finding[] {
  const constraints = childOf(configuration, "constraints");
  const seen = (element: XmlElement) => ({ element, above: [configuration] });
  const orders = circles(orderEdges(childrenOf(constraints, "rsc_order"))).map(({ path, constraint }) =>
    finding("error", seen(constraint), `an order waits for itself: ${path.join(" -> ")}`, "remove one of these orders"),
  );
  const colocations = circles(colocationEdges(childrenOf(constraints, "rsc_colocation"))).map(({ path, constraint }) =>
    finding(
      "warning",
      seen(constraint),
      `colocations go round in a circle: ${path.join(" -> ")}`,
      "let one resource lead, and place the others with it",
    ),
  );
  return [...orders, ...colocations];
}
