/** Constraints of generated CIBs: locations, colocations, orders, sets of them, tickets. */
import { type Draw, SCORES, type Theme, type Top, tag } from "./draw.ts";

function rule(draw: Draw, id: string, nodeNames: readonly [string, ...string[]], withScore: string): string {
  const { pick } = draw;
  const expression = pick([
    `<expression id="${id}-e" attribute="#uname" operation="${pick(["eq", "ne"])}" value="${pick(nodeNames)}"/>`,
    `<expression id="${id}-e" attribute="site" operation="${pick(["eq", "ne"])}" value="east"/>`,
    `<expression id="${id}-e" attribute="site" operation="${pick(["defined", "not_defined"])}"/>`,
    `<expression id="${id}-e" attribute="level" operation="${pick(["lt", "gte"])}" type="number" value="3"/>`,
    `<date_expression id="${id}-e" operation="gt" start="2020-01-01"/>`,
    `<date_expression id="${id}-e" operation="lt" end="2020-01-01"/>`,
  ]);
  return `<rule id="${id}" ${withScore}>${expression}</rule>`;
}

export function locations(
  draw: Draw,
  theme: Theme,
  tops: readonly [Top, ...Top[]],
  nodes: readonly [string, ...string[]],
): string[] {
  const { between, chance, pick } = draw;
  if (!theme.locations) return [];
  return Array.from({ length: between(1, 3) }, (_, index) => {
    const target = pick(tops);
    const id = `loc-${index}`;
    const role = target.kind === "promotable" && chance(0.4);
    const base = {
      id,
      rsc: target.id,
      "resource-discovery": chance(0.08) ? pick(["never", "exclusive"]) : undefined,
    };
    if (theme.rules && chance(0.5)) {
      const score = `score="${pick(SCORES)}"${role ? ' role="Promoted"' : ""}`;
      return tag("rsc_location", base, rule(draw, `${id}-rule`, nodes, score));
    }
    const promoted = role ? "Promoted" : undefined;
    return tag("rsc_location", { ...base, node: pick(nodes), score: pick(SCORES), role: promoted });
  });
}

/** What a constraint may name: a whole, or now and then one member of a group. */
function named({ chance, pick }: Draw, tops: readonly [Top, ...Top[]]): { id: string; top: Top } {
  const top = pick(tops);
  const [first, ...rest] = top.members;
  if (top.kind === "group" && first !== undefined && chance(0.15)) return { id: pick([first, ...rest]).id, top };
  return { id: top.id, top };
}

export function colocations(draw: Draw, theme: Theme, tops: readonly [Top, ...Top[]]): string[] {
  const { between, chance, pick } = draw;
  if (!theme.colocations || tops.length < 2) return [];
  const list = Array.from({ length: between(1, 3) }, (_, index) => {
    const [dependent, primary] = [named(draw, tops), named(draw, tops)];
    if (dependent.top === primary.top) return "";
    return tag("rsc_colocation", {
      id: `col-${index}`,
      rsc: dependent.id,
      "with-rsc": primary.id,
      score: pick(SCORES),
      "with-rsc-role":
        primary.top.kind === "promotable" && chance(0.5) ? pick(["Promoted", "Unpromoted", "Started"]) : undefined,
      "rsc-role": dependent.top.kind === "promotable" && chance(0.3) ? "Promoted" : undefined,
      "node-attribute": theme.rules && chance(0.1) ? "site" : undefined,
      influence: chance(0.08) ? "false" : undefined,
    });
  });
  if (theme.sets && tops.length > 2) {
    const members = tops.slice(0, 3).map(({ id }) => tag("resource_ref", { id }));
    const sequential = chance(0.3) ? "false" : undefined;
    const set = tag("resource_set", { id: "col-set-1", sequential }, ...members);
    list.push(tag("rsc_colocation", { id: "col-set", score: pick(["INFINITY", "100"]) }, set));
  }
  return list;
}

export function orders(draw: Draw, theme: Theme, tops: readonly [Top, ...Top[]]): string[] {
  const { between, chance, pick } = draw;
  if (!theme.orders || tops.length < 2) return [];
  const list = Array.from({ length: between(1, 3) }, (_, index) => {
    const [first, then] = [named(draw, tops), named(draw, tops)];
    if (first.top === then.top) return "";
    const kind = pick(["Mandatory", "Mandatory", "Mandatory", "Optional", "Serialize"]);
    const firstAction = first.top.kind === "promotable" && chance(0.5) ? "promote" : chance(0.06) ? "stop" : "start";
    const plainAction = firstAction === "stop" ? "stop" : "start";
    return tag("rsc_order", {
      id: `ord-${index}`,
      first: first.id,
      // biome-ignore lint/suspicious/noThenProperty: the CIB's own word
      then: then.id,
      "first-action": firstAction,
      "then-action": then.top.kind === "promotable" && chance(0.25) ? "promote" : plainAction,
      kind,
      symmetrical: kind !== "Serialize" && chance(0.15) ? "false" : undefined,
      "require-all": first.top.kind === "clone" && chance(0.15) ? "false" : undefined,
    });
  });
  if (theme.sets && tops.length > 2) {
    const [one = "", two = "", three = ""] = tops.map(({ id }) => tag("resource_ref", { id }));
    const sequential = chance(0.4) ? "false" : undefined;
    const some = sequential !== undefined && chance(0.4) ? "false" : undefined;
    const first = tag("resource_set", { id: "ord-set-1", sequential, "require-all": some }, one, two);
    const second = tag("resource_set", { id: "ord-set-2" }, three);
    list.push(tag("rsc_order", { id: "ord-set", kind: "Mandatory" }, first, second));
  }
  return list;
}

export function ticketUses({ chance, pick }: Draw, theme: Theme, tops: readonly [Top, ...Top[]]): string[] {
  if (!theme.tickets) return [];
  const top = pick(tops);
  const role = top.kind === "promotable" && chance(0.6) ? ' rsc-role="Promoted"' : "";
  const policy = pick(["stop", "demote", "freeze", "fence"]);
  return [`<rsc_ticket id="ticket-use" rsc="${top.id}"${role} ticket="ticketA" loss-policy="${policy}"/>`];
}
