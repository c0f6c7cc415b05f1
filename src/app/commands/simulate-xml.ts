/**
 * The report of a simulation as XML (`--output-as=xml`), element by element as crm_simulate 2.1 writes it. Its text has
 * a fixed grammar and is the one source of what is told, so each line is taken apart here and nothing is judged twice.
 * Fact: output of crm_simulate 2.1.5 as a black box.
 */
import { type XmlElement, xml } from "../../base/xml.ts";
import { ALL_SECTIONS, plainWishes } from "../../cluster/core/monitor/section-choice.ts";
import { monitorXml } from "../../cluster/core/monitor/xml.ts";
import type { Facts } from "../../cluster/core/scheduler/facts/model.ts";
import { scoreLines, utilizationLines } from "../../cluster/core/scheduler/print/score-lines.ts";
import type { SimulatedRun } from "../../cluster/core/scheduler/print/simulated-run.ts";
import { summaryLines } from "../../cluster/core/scheduler/print/summary-lines.ts";
import { ctime } from "../ctime.ts";
import { factsOf, type ReportParts, type Simulation } from "./simulate-report.ts";

/** A way in which a line may be written, and the element that says the same; attributes without a value stay out. */
interface Form {
  readonly pattern: RegExp;
  readonly element: (found: Readonly<Record<string, string | undefined>>) => XmlElement;
}

const given = (attributes: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

const form = (pattern: RegExp, name: string, more: Readonly<Record<string, string>> = {}): Form => ({
  pattern,
  element: (found) => xml(name, given({ ...more, ...found })),
});

/** The lines of which a form is known, in their order. */
function elementsOf(lines: readonly string[], forms: readonly Form[]): XmlElement[] {
  return lines.flatMap((line) => {
    for (const { pattern, element } of forms) {
      const match = pattern.exec(line);
      if (match !== null) return [element(match.groups ?? {})];
    }
    return [];
  });
}

const EXECUTED: readonly Form[] = [
  form(/^Resource action: (?<resource>\S+) +(?<op>[^\s=]+)(?:=(?<interval>\d+))?(?: on (?<node>\S+))?$/, "rsc_action"),
  form(/^Pseudo action: +(?<task>\S+)(?: on (?<node>\S+))?$/, "pseudo_action"),
  form(/^Cluster action: +(?<task>\S+)(?: for (?<id>\S+))?(?: on (?<node>\S+))?$/, "cluster_action"),
  form(/^Fencing (?<target>\S+) \((?<op>\w+)\)$/, "fencing_action"),
];

const INJECTED: readonly Form[] = [
  form(/^Bringing node (?<node>\S+) online$/, "modify_node", { action: "Online" }),
  form(/^Taking node (?<node>\S+) offline$/, "modify_node", { action: "Offline" }),
  form(/^Failing node (?<node>\S+)$/, "modify_node", { action: "Failing" }),
  form(/^Granting ticket (?<ticket>.+)$/, "modify_ticket", { action: "Granting" }),
  form(/^Revoking ticket (?<ticket>.+)$/, "modify_ticket", { action: "Revoking" }),
  form(/^Making ticket (?<ticket>.+) standby$/, "modify_ticket", { action: "Standby" }),
  form(/^Activating ticket (?<ticket>.+)$/, "modify_ticket", { action: "Activating" }),
  form(/^Injecting (?<spec>\S+@\S+=\d+) into the configuration$/, "inject_spec"),
  form(/^Injecting attribute (?<name>.+?)=(?<value>\S+) into (?<node_path>\S+) '(?<cib_node>[^']*)'$/, "inject_attr"),
];

/** Amounts stand behind the colon, one attribute each. */
const withAmounts = (pattern: RegExp, name: string): Form => ({
  pattern,
  element: ({ amounts = "", ...found }) => {
    const pairs = amounts.split(" ").filter(Boolean);
    return xml(name, { ...given(found), ...Object.fromEntries(pairs.map((pair) => pair.split("="))) });
  },
});

const SCORES: readonly Form[] = [
  form(/^(?<function>\S+): (?<id>\S+) allocation score on (?<node>\S+): (?<score>\S+)$/, "node_weight"),
  form(/^(?<id>\S+) promotion score (?:on (?<node>\S+)|\(inactive\)): (?<score>\S+)$/, "promotion_score"),
  withAmounts(/^(?<comment>Original|Remaining): (?<node>\S+) capacity:(?<amounts>.*)$/, "capacity"),
  withAmounts(/^(?<function>\S+): (?<resource>\S+) utilization on (?<node>\S+):(?<amounts>.*)$/, "utilization"),
];

const ROLE = "Stopped|Started|Unpromoted|Promoted";
/** From where to where, in which role: the ways in which the Transition Summary writes it. */
const PLACES: readonly RegExp[] = [
  new RegExp(`^(?<role>${ROLE}) -> (?<next>${ROLE}) (?<node>\\S+)$`),
  new RegExp(`^(?<role>${ROLE}) (?<source>\\S+) -> (?<next>${ROLE}) (?<dest>\\S+)$`),
  new RegExp(`^(?<source>\\S+) -> (?<dest>\\S+)(?: (?<role>${ROLE}))?$`),
  new RegExp(`^(?:(?<role>${ROLE}) )?(?<node>\\S+)$`),
];
/** What happens to something that is there already: its node is where it comes from. */
const IN_PLACE = new Set(["Restart", "Reload", "Demote", "Promote", "Re-promote"]);

function placeOf(verb: string, where: string): Record<string, string | undefined> {
  const found = PLACES.map((pattern) => pattern.exec(where)?.groups).find((groups) => groups !== undefined) ?? {};
  const { role, next, node, source, dest } = found;
  const isNew = role === "Stopped";
  return {
    role,
    source: source ?? (IN_PLACE.has(verb) && !isNew ? node : undefined),
    node: IN_PLACE.has(verb) ? undefined : node,
    "next-role": next,
    dest: dest ?? (isNew ? node : undefined),
  };
}

const SUMMARY: readonly Form[] = [
  form(/^(?<task>Fence \(\w+\)) (?<node>\S+)(?: \(resource: \S+\))? '(?<reason>.*)'$/, "node_action"),
  {
    pattern:
      /^(?<verb>\S+) +(?<resource>\S+) +\( +(?<where>.*?) \)(?: +due to (?<reason>.*?))?(?<blocked> +\(?blocked\)?)?$/,
    element: ({ verb = "", resource, where = "", reason, blocked }) =>
      xml(
        "rsc_action",
        given({
          action: verb.toLowerCase(),
          resource,
          ...placeOf(verb, where),
          reason,
          blocked: blocked === undefined ? undefined : "true",
        }),
      ),
  },
];

function statusXml(name: string, facts: Facts, nowWallMs: number, parts: ReportParts): XmlElement {
  const wanted = new Set(["nodes", "resources"]);
  if (parts.attributes) wanted.add("node_attributes");
  if (parts.failCounts) wanted.add("node_history");
  const source = { facts, nowWallMs, stack: "unknown", version: undefined, fencing: [], unproven: [], ctime };
  const whole = monitorXml(source, plainWishes(ALL_SECTIONS), "");
  return xml(
    name,
    {},
    whole.children.filter((child) => wanted.has(child.name)),
  );
}

function modifications({ injected }: Simulation): XmlElement[] {
  if (injected === undefined) return [];
  const set = (what: string) => injected.lines.map((line) => new RegExp(`^Setting ${what}: (.*)$`).exec(line)?.[1]);
  const attributes = { quorum: set("quorum").find(Boolean), watchdog: set("watchdog").find(Boolean) };
  return [xml("modifications", given(attributes), elementsOf(injected.lines, INJECTED))];
}

function scores({ worked }: Simulation, parts: ReportParts): XmlElement[] {
  const lines = [...(parts.utilization ? utilizationLines(worked) : []), ...(parts.scores ? scoreLines(worked) : [])];
  if (!parts.scores && !parts.utilization) return [];
  const names = [...(parts.scores ? ["allocations"] : []), ...(parts.utilization ? ["utilizations"] : [])];
  return [xml(names.join("_"), {}, elementsOf(lines, SCORES))];
}

const API_VERSION = "2.25";

/** `request`: the command line that asked. */
export function xmlReport(
  simulation: Simulation,
  parts: ReportParts,
  done: SimulatedRun | undefined,
  request: string,
): XmlElement {
  const { cib, worked } = simulation;
  const nowWallMs = worked.facts.nowSeconds * 1000;
  const status = (name: string, of: XmlElement) => statusXml(name, factsOf(of, worked), nowWallMs, parts);
  return xml("pacemaker-result", { "api-version": API_VERSION, request }, [
    status("cluster_status", cib),
    ...modifications(simulation),
    ...scores(simulation, parts),
    ...(parts.transition ? [xml("actions", {}, elementsOf(summaryLines(worked), SUMMARY))] : []),
    ...(done === undefined
      ? []
      : [xml("transition", {}, elementsOf(done.lines, EXECUTED)), status("revised_cluster_status", done.cib)]),
    xml("status", { code: "0", message: "OK" }),
  ]);
}
