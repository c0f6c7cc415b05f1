/**
 * CIBs by seed: two to four nodes, a few resources of every kind but bundles and remote nodes, constraints, options,
 * tickets, and a status in which those resources have lived. For comparing the scheduler with others and with itself.
 * Every CIB is valid by schema, so that a peer takes it; its clock is frozen by execution-date.
 */
import { colocations, locations, orders, ticketUses } from "./constraints.ts";
import { type Draw, drawFrom, NOW_SECONDS, pairs, randomNumbers, type Theme, type Top, tag, themeOf } from "./draw.ts";
import { primitive, resource } from "./resources.ts";
import { type Lives, live, nodeState } from "./status.ts";

function optionsOf({ chance, pick }: Draw, theme: Theme): Record<string, string> {
  const options: Record<string, string> = {
    "stonith-enabled": theme.fencing ? "true" : "false",
    "no-quorum-policy": theme.quorum ? pick(["stop", "freeze", "ignore", "demote", "suicide"]) : "ignore",
  };
  if (chance(0.08)) options["symmetric-cluster"] = "false";
  if (chance(0.03)) options["maintenance-mode"] = "true";
  if (chance(0.03)) options["stop-all-resources"] = "true";
  if (chance(0.08)) options["start-failure-is-fatal"] = "false";
  if (chance(0.04)) options["enable-startup-probes"] = "false";
  if (chance(0.05)) options["stop-orphan-resources"] = "false";
  if (theme.fencing && chance(0.1)) options["stonith-action"] = "off";
  if (theme.fencing && chance(0.1)) options["startup-fencing"] = "false";
  if (theme.fencing) options["concurrent-fencing"] = chance(0.9) ? "true" : "false";
  if (theme.fencing && chance(0.1)) options["priority-fencing-delay"] = "30s";
  if (theme.health) options["node-health-strategy"] = pick(["migrate-on-red", "only-green", "progressive", "custom"]);
  if (theme.utilization) options["placement-strategy"] = pick(["utilization", "minimal", "balanced"]);
  if (chance(0.04)) options["shutdown-lock"] = "true";
  return options;
}

function nodesXml({ chance, pick }: Draw, theme: Theme, names: readonly string[]): string {
  return names
    .map((name, index) => {
      const id = String(index + 1);
      const attributes: Record<string, string> = {};
      if (theme.rules && chance(0.6)) attributes["site"] = pick(["east", "west"]);
      if (theme.rules && chance(0.4)) attributes["level"] = pick(["1", "3", "5"]);
      if (theme.troubledNodes && chance(0.15)) attributes["standby"] = "on";
      if (theme.troubledNodes && chance(0.05)) attributes["maintenance"] = "true";
      const own =
        Object.keys(attributes).length === 0
          ? ""
          : `<instance_attributes id="node-${id}">${pairs(`node-${id}`, attributes)}</instance_attributes>`;
      const capacity = theme.utilization
        ? `<utilization id="node-${id}-has">${pairs(`node-${id}-has`, { memory: pick(["2", "4", "8"]) })}</utilization>`
        : "";
      return `<node id="${id}" uname="${name}">${own}${capacity}</node>`;
    })
    .join("");
}

function defaultsXml({ chance, pick }: Draw): string {
  const values: Record<string, string> = {};
  if (chance(0.3)) values["resource-stickiness"] = pick(["1", "100", "INFINITY"]);
  if (chance(0.15)) values["migration-threshold"] = pick(["1", "3"]);
  if (Object.keys(values).length === 0) return "";
  return tag("rsc_defaults", {}, tag("meta_attributes", { id: "rsc-options" }, pairs("rsc-options", values)));
}

const NODE_NAMES = ["alpha", "bravo", "charlie", "delta"] as const;

/** The CIB of that seed, as text. */
export function randomCib(seed: number): string {
  const draw = drawFrom(randomNumbers(seed));
  const { between, chance } = draw;
  const theme = themeOf(draw);
  const count = chance(0.6) ? 2 : between(3, 4);
  const [first, ...others] = NODE_NAMES.slice(0, count);
  if (first === undefined) throw new Error("a cluster has a node");
  const nodes = [first, ...others] as const;
  const fencing: Top[] = [];
  if (theme.fencing && chance(0.8)) {
    const [member, xml] = primitive(draw, { ...theme, meta: false, failures: false }, "fencing", "fencing");
    fencing.push({ id: "fencing", kind: "primitive", members: [member], unique: false, xml });
  }
  const services = Array.from({ length: between(1, 4) }, (_, index) => resource(draw, theme, `r${index + 1}`, count));
  const [head = resource(draw, theme, "r1", count), ...tail] = services;
  const tops = [head, ...tail] as const;
  const constraints = [
    ...locations(draw, theme, tops, nodes),
    ...colocations(draw, theme, tops),
    ...orders(draw, theme, tops),
    ...ticketUses(draw, theme, tops),
  ];
  const lives: Lives = new Map(nodes.map((name) => [name, []]));
  live(draw, theme, [...fencing, ...tops], nodes, lives);
  const states = nodes.map((name, index) => nodeState(draw, theme, name, index + 1, tops, lives));
  const ticket = tag("ticket_state", { id: "ticketA", granted: `${chance(0.4)}`, standby: `${chance(0.2)}` });
  const options = tag("cluster_property_set", { id: "cib-bootstrap-options" }, pairs("opt", optionsOf(draw, theme)));
  const configuration = tag(
    "configuration",
    {},
    tag("crm_config", {}, options),
    tag("nodes", {}, nodesXml(draw, theme, nodes)),
    tag("resources", {}, ...[...fencing, ...tops].map(({ xml }) => xml)),
    tag("constraints", {}, ...constraints),
    defaultsXml(draw),
  );
  const versions = {
    crm_feature_set: "3.16.1",
    "validate-with": "pacemaker-3.8",
    epoch: 1,
    num_updates: 0,
    admin_epoch: 0,
    "have-quorum": theme.quorum ? 0 : 1,
    "dc-uuid": 1,
    "execution-date": NOW_SECONDS,
  };
  const tickets = theme.tickets && chance(0.7) ? tag("tickets", {}, ticket) : "";
  return `${tag("cib", versions, configuration, tag("status", {}, ...states, tickets))}\n`;
}
