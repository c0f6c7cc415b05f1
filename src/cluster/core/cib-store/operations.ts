/**
 * Carries out the operations of one configuration change on a `<configuration>`: all or none. Every problem is told
 * with the number of its operation.
 */
import type { Problem, Read } from "../../../base/problem.ts";
import { entryOf, setEntry } from "../../../base/record.ts";
import { type XmlElement, xml } from "../../../base/xml.ts";
import type { TreePath } from "../../../base/xml-path.ts";
import { mergeById, mergeSet } from "../../../cib/crm-syntax/apply.ts";
import { assignIds, takenIds } from "../../../cib/crm-syntax/ids.ts";
import { replaceAt, resolveTarget } from "./paths.ts";
import type { Attributes, ConfigurationOperation } from "./types.ts";

const OPTION_SECTIONS = ["crm_config", "rsc_defaults", "op_defaults"];
/** The options of a cluster stand in this set, unless the configuration has another one. */
const DEFAULT_SETS: Readonly<Record<string, string>> = {
  cluster_property_set: "cib-bootstrap-options",
  rsc_defaults: "rsc-options",
  op_defaults: "op-options",
};

type Outcome = XmlElement | Problem;
const isProblem = (outcome: Outcome): outcome is Problem => "severity" in outcome;
const refuse = (reason: string, remedy: string): Problem => ({ severity: "error", place: "", reason, remedy });

function one(root: XmlElement, target: string): TreePath | Problem {
  const found = resolveTarget(root, target);
  if (found === undefined)
    return refuse(`"${target}" is no path that is understood`, 'write an id or //name[@id="ID"]');
  const [path, second] = found;
  if (path === undefined) return refuse(`there is no ${target}`, "look at the ids with crm configure show xml");
  return second === undefined ? path : refuse(`${target} means ${found.length} elements`, "name one of them by its id");
}

const isPath = (found: TreePath | Problem): found is TreePath => Array.isArray(found);

export function setAttributes(element: XmlElement, changes: Attributes): XmlElement {
  const attributes: Record<string, string> = { ...element.attributes };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete attributes[name];
    else setEntry(attributes, name, value);
  }
  return { ...element, attributes };
}

/** Every section of the addition: option sets are merged, objects replaced by id. */
function update(root: XmlElement, addition: XmlElement): XmlElement {
  const children = [...root.children];
  for (const section of addition.children) {
    const at = children.findIndex(({ name }) => name === section.name);
    const old = at < 0 ? xml(section.name) : (children[at] ?? xml(section.name));
    const isOptions = OPTION_SECTIONS.includes(section.name);
    const merge = (before: XmlElement, now: XmlElement) => (isOptions ? mergeSet(before, now) : now);
    const merged = { ...old, children: mergeById(old.children, section.children, merge) };
    if (at < 0) children.push(merged);
    else children[at] = merged;
  }
  return { ...root, children };
}

function setElement(root: XmlElement, parent: string, element: XmlElement): Outcome {
  const path = one(root, parent);
  if (!isPath(path)) {
    // Sections that hold nothing are not written down; the first object brings its section along.
    const sections = ["tags", "fencing-topology", "rsc_defaults", "op_defaults", "acls", "alerts"];
    if (!sections.includes(parent)) return path;
    return { ...root, children: [...root.children, xml(parent, {}, [element])] };
  }
  return replaceAt(root, path, (found) => {
    const same = ({ name, attributes }: XmlElement) =>
      name === element.name && attributes["id"] === element.attributes["id"];
    const at = found.children.findIndex(same);
    const children = at < 0 ? [...found.children, element] : found.children.map((old, i) => (i === at ? element : old));
    return { ...found, children };
  });
}

function addElement(root: XmlElement, parent: string, element: XmlElement): Outcome {
  const path = one(root, parent);
  if (!isPath(path)) return path;
  const { id, uname } = element.attributes;
  return replaceAt(root, path, (found) => {
    const isThere = found.children.some(
      ({ name, attributes }) =>
        name === element.name && (attributes["id"] === id || (uname !== undefined && attributes["uname"] === uname)),
    );
    return isThere ? found : { ...found, children: [...found.children, element] };
  });
}

/** The id of a set that is made anew, as the tools of the field name it; undefined leaves it to the rule for all. */
function newSetId(owner: XmlElement, setName: string): string | undefined {
  if (owner.name === "node" && setName === "instance_attributes") return `nodes-${owner.attributes["id"] ?? ""}`;
  return entryOf(DEFAULT_SETS, setName) ?? entryOf(DEFAULT_SETS, owner.name);
}

function setOption(root: XmlElement, operation: ConfigurationOperation & { kind: "set-option" }): Outcome {
  const { target, setName, name, value } = operation;
  // Sections that hold nothing need not be written down.
  if (OPTION_SECTIONS.includes(target) && !root.children.some((section) => section.name === target))
    return value === null ? root : setOption({ ...root, children: [...root.children, xml(target)] }, operation);
  const path = one(root, target);
  if (!isPath(path)) return path;
  return replaceAt(root, path, (owner) => {
    const holders = owner.children.filter((child) => child.name === setName);
    const id = newSetId(owner, setName);
    // Where it stands already; then the set that every tool of the field writes to.
    const always = holders.filter(({ children }) => !children.some((child) => child.name === "rule"));
    const own = always.find(({ attributes }) => attributes["id"] === id);
    const isAny = id === undefined || setName === "meta_attributes";
    const holder =
      holders.find(({ children }) => children.some(({ attributes }) => attributes["name"] === name)) ??
      own ??
      (isAny ? always[0] : undefined);
    if (value === null) {
      const children = owner.children.map((child) =>
        child === holder ? { ...child, children: child.children.filter((o) => o.attributes["name"] !== name) } : child,
      );
      return { ...owner, children };
    }
    const option = xml("nvpair", { name, value });
    if (holder === undefined)
      return { ...owner, children: [...owner.children, xml(setName, id === undefined ? {} : { id }, [option])] };
    const merged = mergeSet(holder, xml(setName, {}, [option]));
    return { ...owner, children: owner.children.map((child) => (child === holder ? merged : child)) };
  });
}

function applyOne(root: XmlElement, operation: ConfigurationOperation): Outcome {
  switch (operation.kind) {
    case "replace":
    case "update": {
      const { configuration } = operation;
      if (configuration.name !== "configuration")
        return refuse(`<${configuration.name}> is no configuration`, "send a <configuration> element");
      return operation.kind === "replace" ? configuration : update(root, configuration);
    }
    case "set":
      return setElement(root, operation.parent, operation.element);
    case "add":
      return addElement(root, operation.parent, operation.element);
    case "set-option":
      return setOption(root, operation);
    case "set-attributes": {
      const path = one(root, operation.target);
      return isPath(path) ? replaceAt(root, path, (found) => setAttributes(found, operation.attributes)) : path;
    }
    case "raise":
    case "expect":
      // Of the whole and its version: judged where the version is made.
      return root;
    case "delete": {
      const path = one(root, operation.target);
      if (!isPath(path)) return path;
      if (path.length < 2) return replaceAt(root, path, (section) => ({ ...section, children: [] }));
      return replaceAt(root, path, () => undefined);
    }
    default:
      return refuse("the operation is not known", "use a client of this version");
  }
}

/** The configuration after all operations, with ids wherever they were left out. */
export function applyOperations(root: XmlElement, operations: readonly ConfigurationOperation[]): Read<XmlElement> {
  const problems: Problem[] = [];
  let tree = root;
  operations.forEach((operation, index) => {
    const outcome = applyOne(tree, operation);
    if (isProblem(outcome)) problems.push({ ...outcome, place: `operation ${index + 1} (${operation.kind})` });
    else tree = outcome;
  });
  if (problems.length > 0) return { kind: "invalid", problems };
  return { kind: "valid", value: assignIds(tree, takenIds(tree)), warnings: [] };
}
