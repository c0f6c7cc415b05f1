/** Options, tags, fencing topology, roles, users and alerts as statements. */
import { entryOf } from "../../base/record.ts";
import { childrenOf, type XmlElement } from "../../base/xml.ts";
import { layOut } from "./lay-out.ts";
import { quoteWord } from "./rules.ts";
import { printSet } from "./sets.ts";

const SET_STATEMENTS: Readonly<Record<string, string>> = {
  crm_config: "property",
  rsc_defaults: "rsc_defaults",
  op_defaults: "op_defaults",
};

function printLevels({ children }: XmlElement): string[] {
  const targets = new Map<string, XmlElement[]>();
  for (const level of children) {
    const { target, "target-pattern": pattern, "target-attribute": name, "target-value": value } = level.attributes;
    const node = target ?? (pattern === undefined ? `attr:${name ?? ""}=${value ?? ""}` : `pattern:${pattern}`);
    targets.set(node, [...(targets.get(node) ?? []), level]);
  }
  const parts = [...targets].map(([node, levels]) => {
    const devices = levels.map(({ attributes: { index, devices: list = "" } }, at) =>
      index === String(at + 1) ? list : `${index ?? ""}:${list}`,
    );
    return [`${node}:`, ...devices].join(" ");
  });
  return layOut("fencing_topology", parts);
}

const RIGHT_WORDS: Readonly<Record<string, string>> = {
  xpath: "xpath",
  reference: "ref",
  "object-type": "type",
  attribute: "attr",
};

function printPermission({ attributes: { kind = "", id, ...others } }: XmlElement): string {
  const words = Object.entries(others).map(([name, value]) => {
    const word = entryOf(RIGHT_WORDS, name) ?? name;
    return word === "xpath" ? `xpath:"${value.replaceAll(/["\\]/g, "\\$&")}"` : `${word}:${quoteWord(value)}`;
  });
  return [kind, ...(id === undefined ? [] : [`$id=${id}`]), ...words].join(" ");
}

function printAlert({ attributes, children }: XmlElement): string[] {
  const { id = "", path = "", description } = attributes;
  const sets = (list: readonly XmlElement[]) =>
    list.flatMap((set) => {
      if (set.name === "instance_attributes") return [["attributes", ...printSet(set)].join(" ")];
      return set.name === "meta_attributes" ? [["meta", ...printSet(set)].join(" ")] : [];
    });
  const parts = children.flatMap((child) => {
    if (child.name === "recipient") {
      const named = child.attributes["id"] === undefined ? [] : [`$id=${child.attributes["id"]}`];
      const value = quoteWord(child.attributes["value"] ?? "");
      // With an id of its own the bracketed form is needed, since `to $id=` alone would be a recipient.
      const words = [...named, value, ...sets(child.children)];
      return [named.length === 0 ? `to ${words.join(" ")}` : `to { ${words.join(" ")} }`];
    }
    if (child.name !== "select") return sets([child]);
    const kinds = child.children.map(({ name, children: names }) => {
      const kind = name.replace("select_", "");
      const list = names.map((attribute) => attribute.attributes["name"] ?? "");
      return list.length === 0 ? kind : `${kind} { ${list.join(" ")} }`;
    });
    return [["select", ...kinds].join(" ")];
  });
  const told = description === undefined ? [] : [`description=${quoteWord(description)}`];
  return layOut(["alert", id, ...told, quoteWord(path)].join(" "), parts);
}

/** Undefined for elements that have no statement. */
export function printOptionsObject(element: XmlElement, section: string): string[] | undefined {
  const { id = "" } = element.attributes;
  const statement = entryOf(SET_STATEMENTS, section);
  if (statement !== undefined) {
    const { id: _, ...attributes } = element.attributes;
    return layOut(`${statement} ${id}:`, printSet({ ...element, attributes }));
  }
  switch (element.name) {
    case "fencing-topology":
      return printLevels(element);
    case "tag":
      return [["tag", id, ...childrenOf(element, "obj_ref").map(({ attributes }) => attributes["id"] ?? "")].join(" ")];
    case "acl_role":
      return layOut(`role ${id}`, element.children.map(printPermission));
    case "acl_target":
    case "acl_group":
      return layOut(
        `${element.name} ${id}`,
        element.children.map(({ attributes }) => attributes["id"] ?? ""),
      );
    case "alert":
      return printAlert(element);
    default:
      return undefined;
  }
}
