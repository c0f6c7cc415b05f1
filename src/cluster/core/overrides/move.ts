/**
 * Moves and bans as location constraints: those that crm_resource of the field makes and removes, by the same ids, so
 * that any tool can take back what any other has done.
 * Facts: crm_resource(8) (--move, --ban, --clear, --lifetime, --promoted); outputs of crm_resource 2.1.5 on CIB files.
 */
import { type XmlElement, xml } from "../../../base/xml.ts";
import type { ConfigurationOperation } from "../cib-store/types.ts";
import { parseDate } from "../scheduler/facts/dates.ts";
import { endText, overrideConstraints } from "./lease.ts";

export interface Placing {
  readonly resource: string;
  readonly node: string;
  readonly endWallMs: number | undefined;
  /** Only for the promoted role. */
  readonly isPromoted: boolean;
}

/** As the field's tool calls the parts of a rule: of a ban after its constraint, of a move before the resource. */
function partIds(id: string, resource: string): (part: "rule" | "expr" | "lifetime") => string {
  if (!id.startsWith("cli-prefer-")) return (part) => `${id}-${part}`;
  return (part) => `cli-prefer-${part === "lifetime" ? "lifetime-end" : part}-${resource}`;
}

function constraint(id: string, score: string, { resource, node, endWallMs, isPromoted }: Placing): XmlElement {
  const role = { role: isPromoted ? "Promoted" : "Started" };
  if (endWallMs === undefined) return xml("rsc_location", { id, rsc: resource, ...role, node, score });
  const named = { attribute: "#uname", operation: "eq", value: node, type: "string" };
  const part = partIds(id, resource);
  const rule = xml("rule", { id: part("rule"), score, "boolean-op": "and" }, [
    xml("expression", { id: part("expr"), ...named }),
    xml("date_expression", { id: part("lifetime"), operation: "lt", end: endText(endWallMs) }),
  ]);
  return xml("rsc_location", { id, rsc: resource, ...role }, [rule]);
}

const setConstraint = (element: XmlElement): ConfigurationOperation => ({
  kind: "set",
  parent: "constraints",
  element,
});

/** To a node: what an earlier move or ban says of this resource goes first, or the two would contradict. */
export function moveTo(configuration: XmlElement | undefined, placing: Placing): readonly ConfigurationOperation[] {
  const element = constraint(`cli-prefer-${placing.resource}`, "INFINITY", placing);
  return [...clear(configuration, placing.resource), setConstraint(element)];
}

export function banFrom(placing: Placing): readonly ConfigurationOperation[] {
  return [setConstraint(constraint(`cli-ban-${placing.resource}-on-${placing.node}`, "-INFINITY", placing))];
}

/** Whether a constraint's rule has an end that is over. */
function isExpired(element: XmlElement, nowWallMs: number): boolean {
  const ends = element.children.flatMap((rule) =>
    rule.children.flatMap(({ name, attributes }) => (name === "date_expression" ? [attributes["end"]] : [])),
  );
  return ends.length > 0 && ends.every((end) => (parseDate(end) ?? Number.POSITIVE_INFINITY) * 1000 <= nowWallMs);
}

export interface ClearWish {
  /** Only what names this node. */
  readonly node?: string;
  /** Only what is over at this time. */
  readonly expiredAtWallMs?: number;
  /** A move in any case, whatever node it names. Fact: crm_resource(8), --clear with --node and --force. */
  readonly isForced?: boolean;
}

function names(element: XmlElement, node: string): boolean {
  if (element.attributes["node"] !== undefined) return element.attributes["node"] === node;
  return JSON.stringify(element.children).includes(`"value":${JSON.stringify(node)}`);
}

const isMove = ({ attributes: { id = "" } }: XmlElement) => id.startsWith("cli-prefer-");

/** Takes back what moves and bans of the resource have left. */
export function clear(
  configuration: XmlElement | undefined,
  resource: string,
  { node, expiredAtWallMs, isForced = false }: ClearWish = {},
): readonly ConfigurationOperation[] {
  return overrideConstraints(configuration, resource)
    .filter((element) => node === undefined || names(element, node) || (isForced && isMove(element)))
    .filter((element) => expiredAtWallMs === undefined || isExpired(element, expiredAtWallMs))
    .map(({ attributes }) => ({ kind: "delete", target: attributes["id"] ?? "" }));
}
