/** Constraints as statements. What has no words here is left out; the caller reads the result back. */
import { childrenOf, type XmlElement } from "../../base/xml.ts";
import { layOut } from "./lay-out.ts";
import { printPairs, printRule, printScore } from "./rules.ts";

const suffixed = (id: string | undefined, suffix: string | undefined) =>
  suffix === undefined ? (id ?? "") : `${id ?? ""}:${suffix}`;

/** The resources of one set, in the brackets that its attributes call for. */
function printSet(set: XmlElement, attribute: "role" | "action", plain: boolean): string {
  const { id: _, sequential, "require-all": requireAll, ...others } = set.attributes;
  const { [attribute]: suffix, ...extra } = others;
  const members = childrenOf(set, "resource_ref").map(({ attributes: { id } }) => suffixed(id, suffix));
  const extras = printPairs(extra);
  const unordered = sequential === "false";
  if (requireAll === "false") {
    const order = unordered ? [] : ["sequential=true"];
    return ["[", ...members, ...order, ...extras, "]"].join(" ");
  }
  if (unordered) return ["(", ...members, ...extras, ")"].join(" ");
  return plain && extras.length === 0 ? members.join(" ") : ["{", ...members, ...extras, "}"].join(" ");
}

/** Two plain sets in a row would be read as one, so that such get brackets. */
function printSets(sets: readonly XmlElement[], attribute: "role" | "action"): string {
  return sets
    .map((set, index) => {
      const before = sets[index - 1];
      const isPlain = (one: XmlElement | undefined) =>
        one !== undefined && one.attributes["sequential"] !== "false" && one.attributes["require-all"] !== "false";
      const clashes = isPlain(before) && before?.attributes[attribute] === set.attributes[attribute];
      return printSet(set, attribute, !clashes && sets.length + childrenOf(set, "resource_ref").length > 2);
    })
    .join(" ");
}

function printLocation({ attributes, children }: XmlElement): string[] {
  const { id = "", rsc, "rsc-pattern": pattern, score, node, ...others } = attributes;
  const sets = children.filter(({ name }) => name === "resource_set");
  const rules = children.filter(({ name }) => name === "rule");
  const target =
    sets.length > 0
      ? sets.map((set) => printSet(set, "role", false)).join(" ")
      : pattern === undefined
        ? (rsc ?? "")
        : `/${pattern}/`;
  const head = ["location", id, target, ...printPairs(others)].join(" ");
  if (rules.length > 0)
    return layOut(
      head,
      rules.map((rule) => printRule(rule, true)),
    );
  return [`${head} ${printScore(score ?? "0")}: ${node ?? ""}`];
}

function printColocation(element: XmlElement): string[] {
  const {
    id = "",
    score,
    rsc,
    "rsc-role": role,
    "with-rsc": withRsc,
    "with-rsc-role": withRole,
    ...others
  } = element.attributes;
  const sets = childrenOf(element, "resource_set");
  const body = sets.length > 0 ? printSets(sets, "role") : `${suffixed(rsc, role)} ${suffixed(withRsc, withRole)}`;
  return [["colocation", id, `${printScore(score ?? "0")}:`, body, ...printPairs(others)].join(" ")];
}

function printOrder(element: XmlElement): string[] {
  const { id = "", kind, score, first, then: follower, ...rest } = element.attributes;
  const { "first-action": firstAction, "then-action": thenAction, ...others } = rest;
  const sets = childrenOf(element, "resource_set");
  const ends = `${suffixed(first, firstAction)} ${suffixed(follower, thenAction)}`;
  const body = sets.length > 0 ? printSets(sets, "action") : ends;
  const label = kind ?? (score === undefined ? undefined : printScore(score));
  return [["order", id, ...(label === undefined ? [] : [`${label}:`]), body, ...printPairs(others)].join(" ")];
}

function printTicket(element: XmlElement): string[] {
  const { id = "", ticket = "", rsc, "rsc-role": role, ...others } = element.attributes;
  const sets = childrenOf(element, "resource_set");
  const body = sets.length > 0 ? printSets(sets, "role") : suffixed(rsc, role);
  return [["rsc_ticket", id, `${ticket}:`, body, ...printPairs(others)].join(" ")];
}

/** Undefined for elements that have no statement. */
export function printConstraint(element: XmlElement): string[] | undefined {
  switch (element.name) {
    case "rsc_location":
      return printLocation(element);
    case "rsc_colocation":
      return printColocation(element);
    case "rsc_order":
      return printOrder(element);
    case "rsc_ticket":
      return printTicket(element);
    default:
      return undefined;
  }
}
