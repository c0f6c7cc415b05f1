/**
 * A picture of one node or one resource only (crm_mon --node, --resource): the facts without what does not concern it.
 * What runs nowhere concerns every node; what runs elsewhere does not concern this one. A tag names all that bear it.
 */
import type { Facts, Node, Resource } from "../scheduler/facts/model.ts";
import { isActive, primitivesOf } from "../scheduler/facts/model.ts";
import { isUp } from "../scheduler/print/places.ts";
import type { MonitorSource, MonitorWishes, NarrowedSource } from "./wishes.ts";

const everything = () => true;

/** The id itself and, for a tag, all that bears it. */
function idsNamed(facts: Facts, name: string): ReadonlySet<string> {
  return new Set([name, ...(facts.tags.get(name) ?? [])]);
}

function nodeTest(facts: Facts, name: string | undefined): (node: Node) => boolean {
  if (name === undefined) return everything;
  const ids = idsNamed(facts, name);
  return (node) => ids.has(node.name) || ids.has(node.id);
}

/** By its own name, that of its instances, or that of what holds it. */
function resourceTest(facts: Facts, name: string | undefined): (resource: Resource) => boolean {
  if (name === undefined) return everything;
  const ids = idsNamed(facts, name);
  const isNamed = ({ id, baseId }: Resource) => ids.has(id) || ids.has(baseId);
  return (resource) => {
    for (let up: Resource | undefined = resource; up !== undefined; up = up.parent) if (isNamed(up)) return true;
    return false;
  };
}

const runsOn = (resource: Resource, isWanted: (node: Node) => boolean) =>
  primitivesOf(resource).some(({ runningOn }) => runningOn.some(isWanted));

/** Undefined when nothing of it is wanted. A clone of which one instance is named is wanted as a whole. */
function narrowed(
  resource: Resource,
  showsNode: (node: Node) => boolean,
  shows: (resource: Resource) => boolean,
  byNode: boolean,
): Resource | undefined {
  if (isActive(resource) && !runsOn(resource, showsNode)) {
    // Below its node nothing of it stands; what is not all up is listed with what is inactive.
    if (!byNode || isUp(resource, true)) return undefined;
    if (resource.kind === "group") return shows(resource) ? resource : undefined;
  }
  if (resource.kind === "primitive") return shows(resource) ? resource : undefined;
  if (resource.kind === "bundle") {
    const replicas = resource.replicas.filter(({ child, container }) => {
      const own = child ?? container;
      return !isActive(container) || runsOn(container, showsNode) || runsOn(own, showsNode);
    });
    const wanted = shows(resource) || primitivesOf(resource).some(shows);
    return wanted ? { ...resource, replicas } : undefined;
  }
  if (resource.kind === "clone") {
    if (!shows(resource) && !primitivesOf(resource).some(shows)) return undefined;
    const children = resource.children.filter((child) => !isActive(child) || runsOn(child, showsNode));
    return { ...resource, children };
  }
  const children = resource.children.flatMap((child) => narrowed(child, showsNode, shows, byNode) ?? []);
  return children.length === 0 ? undefined : { ...resource, children };
}

export function narrow(source: MonitorSource, { node, resource, byNode }: MonitorWishes): NarrowedSource {
  const { facts } = source;
  if (node === undefined && resource === undefined) return { ...source, whole: facts, shows: everything };
  const [showsNode, shows] = [nodeTest(facts, node), resourceTest(facts, resource)];
  return {
    ...source,
    whole: facts,
    shows,
    facts: {
      ...facts,
      nodes: facts.nodes.filter(showsNode),
      top: facts.top.flatMap((each) => narrowed(each, showsNode, shows, byNode) ?? []),
      failedEntries: facts.failedEntries.filter((each) => shows(each.resource) && showsNode(each.node)),
      locations: facts.locations.filter((location) => shows(location.resource)),
    },
  };
}
