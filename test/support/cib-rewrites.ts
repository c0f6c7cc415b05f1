/**
 * A CIB put otherwise: without, or with another word for, what crm_simulate 2.1.5 is known not to hear. Where it then
 * says what we say of the CIB as it stands, that is what tells the two apart (peer-explanations.ts).
 */
import type { XmlElement } from "../../src/base/xml.ts";

/** The CIB with `change` made to each of its colocations of two; what it makes `undefined` is left out. */
export function withColocations(element: XmlElement, change: (each: XmlElement) => XmlElement | undefined): XmlElement {
  const children = element.children.flatMap((child) => {
    if (child.name !== "rsc_colocation") return [withColocations(child, change)];
    return inPairs(child).flatMap((pair) => change(pair) ?? []);
  });
  return { ...element, children };
}

/** What a colocation of a set says of two members at a time: each is with the one before it. */
function inPairs(colocation: XmlElement): readonly XmlElement[] {
  const [set, ...more] = colocation.children.filter(({ name }) => name === "resource_set");
  const { role, sequential } = set?.attributes ?? {};
  if (set === undefined || more.length > 0 || role !== undefined || sequential === "false") return [colocation];
  const { id = "", score = "" } = colocation.attributes;
  const members = set.children.map(({ attributes }) => attributes["id"] ?? "");
  return members.slice(1).map((rsc, index) => ({
    name: "rsc_colocation",
    attributes: { id: `${id}-${rsc}`, score, rsc, "with-rsc": members[index] ?? "" },
    children: [],
  }));
}

const isOptional = (score: string | undefined) => Number(score) > 0;

/** What a clone would merely like to be with; heard after 2.1.5 (bundle-promoted-colocation-4). */
const isClonesWish = ({ rsc = "", score }: XmlElement["attributes"], clones: ReadonlySet<string>) =>
  clones.has(rsc) && isOptional(score);

export function withoutClonesWishes(element: XmlElement, clones: ReadonlySet<string>): XmlElement {
  return withColocations(element, (each) => (isClonesWish(each.attributes, clones) ? undefined : each));
}

/** Without what must be with another clone to be promoted: mended after 2.1.5 (bundle-promoted-colocation-5). */
export function withoutPromotedCompany(element: XmlElement, clones: ReadonlySet<string>): XmlElement {
  return withColocations(element, (each) => {
    const { rsc = "", score, ...more } = each.attributes;
    const isPromoted = more["rsc-role"] === "Promoted" && clones.has(more["with-rsc"] ?? "");
    return isPromoted && clones.has(rsc) && score === "INFINITY" ? undefined : each;
  });
}

/** Without what a clone of groups must or would be with to be promoted: mended after 2.1.5. */
export function withoutPromotedGroups(element: XmlElement): XmlElement {
  const ofGroups = new Set(
    allIn(element, "clone")
      .filter(({ children }) => children.some(({ name }) => name === "group"))
      .map(({ attributes }) => attributes["id"] ?? ""),
  );
  return withColocations(element, (each) =>
    each.attributes["rsc-role"] === "Promoted" && ofGroups.has(each.attributes["rsc"] ?? "") ? undefined : each,
  );
}

/**
 * Where all instances of a clone of groups must be up before anything that waits for it, not just so many (clone-min,
 * require-all): 2.1.5 counts a group as up once it begins, whatever becomes of its members, so that what waits for so
 * many of them starts too early, or with none of them.
 */
export function withAllGroups(cib: XmlElement): XmlElement {
  const ofGroups = allIn(cib, "clone").filter(({ children }) => children.some(({ name }) => name === "group"));
  const ids = new Set(ofGroups.map(({ attributes }) => attributes["id"]));
  const change = (element: XmlElement): XmlElement => {
    const isSuch = element.name === "rsc_order" && ids.has(element.attributes["first"]);
    const attributes = Object.entries(element.attributes).filter(([name]) => !isSuch || name !== "require-all");
    const children = element.children
      .filter((each) => element.name !== "meta_attributes" || each.attributes["name"] !== "clone-min")
      .map((each) => (each.name === "clone" && !ids.has(each.attributes["id"]) ? each : change(each)));
    return { ...element, attributes: Object.fromEntries(attributes), children };
  };
  return change(cib);
}

/** Without what would be promoted with one of these. */
export function withoutPromotionBeside(cib: XmlElement, ids: ReadonlySet<string>): XmlElement {
  return withColocations(cib, (each) =>
    each.attributes["rsc-role"] === "Promoted" && ids.has(each.attributes["with-rsc"] ?? "") ? undefined : each,
  );
}

/** Where every node that is still joining has joined. */
export function withAllJoined(element: XmlElement): XmlElement {
  const { name, attributes } = element;
  const isJoining = name === "node_state" && attributes["crmd"] === "online" && attributes["join"] === "down";
  return {
    ...element,
    attributes: isJoining ? { ...attributes, join: "member" } : attributes,
    children: element.children.map(withAllJoined),
  };
}

/** The same wish on every node alike: it is heard of none, but who is wished for is still placed first. */
export function withIdleWishes(element: XmlElement, clones: ReadonlySet<string>): XmlElement {
  return withColocations(element, (each) =>
    isClonesWish(each.attributes, clones)
      ? { ...each, attributes: { ...each.attributes, "node-attribute": "an attribute that no node has" } }
      : each,
  );
}

/**
 * Who must be with a clone by a node attribute must, with 2.1.5, be on the very nodes of the clone, whatever their
 * attributes say; Pacemaker Explained, "Colocation by Node Attribute", knows no such exception.
 */
export function withoutAttributesOfClones(element: XmlElement, clones: ReadonlySet<string>): XmlElement {
  const { name, attributes } = element;
  const isDeaf =
    name === "rsc_colocation" && clones.has(attributes["with-rsc"] ?? "") && attributes["score"] === "INFINITY";
  const kept = Object.entries(attributes).filter(([key]) => !isDeaf || key !== "node-attribute");
  const children = element.children.map((child) => withoutAttributesOfClones(child, clones));
  return { ...element, attributes: Object.fromEntries(kept), children };
}

export function allIn(element: XmlElement, name: string): XmlElement[] {
  return [
    ...element.children.filter((child) => child.name === name),
    ...element.children.flatMap((child) => allIn(child, name)),
  ];
}

export function cloneIds(element: XmlElement): string[] {
  return allIn(element, "clone").map(({ attributes }) => attributes["id"] ?? "");
}

/**
 * Without what merely ought to keep away from another one, and must be with a third: later versions drop such a wish
 * where what must be leaves no choice.
 */
export function withoutReluctance(cib: XmlElement): XmlElement {
  const bound = new Set(
    [
      ...allIn(cib, "group").flatMap(({ attributes, children }) => [attributes, ...children.map((c) => c.attributes)]),
      ...allIn(cib, "resource_ref").map(({ attributes }) => attributes),
    ].map(({ id }) => id),
  );
  for (const { attributes } of allIn(cib, "rsc_colocation"))
    if (/INFINITY$/.test(attributes["score"] ?? "")) bound.add(attributes["rsc"]);
  return withColocations(cib, (each) => {
    const { rsc, score = "", ...more } = each.attributes;
    const isReluctant = /^-\d+$/.test(score) && bound.has(rsc) && !Object.hasOwn(more, "rsc-role");
    return isReluctant ? undefined : each;
  });
}

/**
 * Of who has wishes beside a must, whom it must be with, or away from, weighs more than all else: so that must is
 * followed before the wishes.
 */
export function withMandatoryFirst(cib: XmlElement): XmlElement {
  const told: XmlElement[] = [];
  withColocations(cib, (each) => {
    told.push(each);
    return each;
  });
  const tops = topsIn(cib);
  const topOf = ({ attributes: { rsc = "" } }: XmlElement) => tops.get(rsc) ?? rsc;
  const isMust = ({ attributes: { score = "" } }: XmlElement) => /INFINITY$/.test(score);
  const wishful = new Set(told.filter((each) => !isMust(each)).map(topOf));
  const musts = told.filter((each) => isMust(each) && wishful.has(topOf(each)));
  return withPriorities(cib, new Set(musts.map(({ attributes }) => attributes["with-rsc"] ?? "")));
}

/** Of each resource the one that stands on top: the group or clone that it is in, or itself. */
function topsIn(cib: XmlElement): ReadonlyMap<string, string> {
  const tops = new Map<string, string>();
  const visit = ({ attributes: { id = "" }, children }: XmlElement, top: string) => {
    tops.set(id, top);
    for (const child of children) visit(child, top);
  };
  for (const { children } of allIn(cib, "resources"))
    for (const each of children) visit(each, each.attributes["id"] ?? "");
  return tops;
}

function withPriorities(element: XmlElement, weighty: ReadonlySet<string>): XmlElement {
  const { id = "" } = element.attributes;
  const children = element.children.map((child) => withPriorities(child, weighty));
  if (element.name === "resource_ref" || !weighty.has(id)) return { ...element, children };
  const leaf = (name: string, attributes: Record<string, string>, inner: readonly XmlElement[] = []) => ({
    name,
    attributes: { id: `${id}-weighty-${name}`, ...attributes },
    children: [...inner],
  });
  const priority = leaf("nvpair", { name: "priority", value: "1000" });
  return { ...element, children: [leaf("meta_attributes", {}, [priority]), ...children] };
}

/** What must be with another one, told of the whole group instead of one of its members. */
export function withWholeGroups(cib: XmlElement): XmlElement {
  const groups = allIn(cib, "group");
  const wholeOf = (rsc: string | undefined) =>
    groups.find(({ children }) => children.some(({ attributes }) => attributes["id"] === rsc))?.attributes["id"];
  return withColocations(cib, (each) => {
    const { rsc, score } = each.attributes;
    const whole = wholeOf(rsc);
    return whole === undefined || score !== "INFINITY"
      ? each
      : { ...each, attributes: { ...each.attributes, rsc: whole } };
  });
}

/** Every order only the way it is written: what is behind another one need not go down before it. */
export function withOneWayOrders(element: XmlElement): XmlElement {
  const attributes =
    element.name === "rsc_order" ? { ...element.attributes, symmetrical: "false" } : element.attributes;
  return { ...element, attributes, children: element.children.map(withOneWayOrders) };
}

/** No clone has roles to promote to. */
export function withoutPromotion(element: XmlElement): XmlElement {
  const { name, attributes } = element;
  const isPromotable = name === "nvpair" && attributes["name"] === "promotable";
  return {
    ...element,
    attributes: isPromotable ? { ...attributes, value: "false" } : attributes,
    children: element.children.map(withoutPromotion),
  };
}

/** Without what must never be with another one that must always be with it: nobody can do both. */
export function withoutContradictions(cib: XmlElement): XmlElement {
  const musts = new Set<string>();
  withColocations(cib, (each) => {
    const { rsc, score, ...more } = each.attributes;
    if (score === "INFINITY") musts.add(`${rsc} ${more["with-rsc"]}`);
    return each;
  });
  return withColocations(cib, (each) => {
    const { rsc, score, ...more } = each.attributes;
    return score === "-INFINITY" && musts.has(`${more["with-rsc"]} ${rsc}`) ? undefined : each;
  });
}
