/**
 * One sensible change to a CIB, by chance: a node lost, on standby or leaving; an operation failed or under way;
 * an option, a meta-attribute, a constraint's score or kind set otherwise or taken away; something unmanaged, removed,
 * never looked at. What a site goes through, where mutate-cib.ts spoils what no site has.
 */
import type { Chance } from "../../src/base/chance.ts";
import type { XmlElement } from "../../src/base/xml.ts";
import { allIn } from "./cib-rewrites.ts";

type Change = (root: XmlElement, chance: Chance) => XmlElement | undefined;

function pickOf<Item>(items: readonly Item[], chance: Chance): Item | undefined {
  return items.length === 0 ? undefined : items[chance.below(items.length)];
}

/** The tree with `old` replaced, or taken out. */
function swap(element: XmlElement, old: XmlElement, next: XmlElement | undefined): XmlElement {
  const children = element.children.flatMap((child) => (child === old ? (next ?? []) : swap(child, old, next)));
  return element === old && next !== undefined ? next : { ...element, children };
}

const nvpair = (name: string, value: string): XmlElement => ({
  name: "nvpair",
  attributes: { id: `changed-${name}`, name, value },
  children: [],
});

/** Sets a value in the first plain set of that kind, or in a new one before all others. */
function withValue(owner: XmlElement, kind: string, name: string, value: string): XmlElement {
  const set = owner.children.find(
    (child) => child.name === kind && child.children.every((one) => one.name === "nvpair"),
  );
  const pair = nvpair(name, value);
  if (set === undefined) {
    const fresh = { name: kind, attributes: { id: "changed" }, children: [pair] };
    return { ...owner, children: [fresh, ...owner.children] };
  }
  const kept = set.children.filter(({ attributes }) => attributes["name"]?.replaceAll("_", "-") !== name);
  return swap(owner, set, { ...set, children: [...kept, pair] });
}

const inside = (root: XmlElement, section: string, kinds: readonly string[]): readonly XmlElement[] =>
  allIn(root, section).flatMap((part) => kinds.flatMap((kind) => allIn(part, kind)));

/** A meta-attribute of any resource of those kinds. */
const meta =
  (kinds: readonly string[], name: string, values: readonly string[]): Change =>
  (root, chance) => {
    const found = pickOf(inside(root, "resources", kinds), chance);
    const value = pickOf(values, chance) ?? "";
    return found && swap(root, found, withValue(found, "meta_attributes", name, value));
  };

const option =
  (name: string, values: readonly string[]): Change =>
  (root, chance) => {
    const [config] = allIn(root, "crm_config");
    const value = pickOf(values, chance) ?? "";
    return config && swap(root, config, withValue(config, "cluster_property_set", name, value));
  };

const attribute =
  (kind: string, name: string, values: readonly string[]): Change =>
  (root, chance) => {
    const found = pickOf(allIn(root, kind), chance);
    const value = pickOf(values, chance) ?? "";
    return found && swap(root, found, { ...found, attributes: { ...found.attributes, [name]: value } });
  };

const lost =
  (section: string, kinds: readonly string[]): Change =>
  (root, chance) => {
    const found = pickOf(inside(root, section, kinds), chance);
    return found && swap(root, found, undefined);
  };

const isOnline = ({ attributes }: XmlElement) =>
  attributes["remote_node"] === undefined && attributes["crmd"] === "online";

const gone =
  (expected: "down" | "member"): Change =>
  (root, chance) => {
    const state = pickOf(allIn(root, "node_state").filter(isOnline), chance);
    const away = { in_ccm: "false", crmd: "offline", join: "down", expected };
    return state && swap(root, state, { ...state, attributes: { ...state.attributes, ...away } });
  };

const leaving: Change = (root, chance) => {
  const state = pickOf(allIn(root, "node_state").filter(isOnline), chance);
  if (state === undefined) return undefined;
  const told = state.children.find(({ name }) => name === "transient_attributes");
  const blank = { name: "transient_attributes", attributes: { id: state.attributes["id"] ?? "" }, children: [] };
  const next = withValue(told ?? blank, "instance_attributes", "shutdown", "1400000000");
  return swap(root, state, { ...state, children: [...state.children.filter((child) => child !== told), next] });
};

const nodeAttribute =
  (name: string, value: string): Change =>
  (root, chance) => {
    const node = pickOf(inside(root, "nodes", ["node"]), chance);
    return node && swap(root, node, withValue(node, "instance_attributes", name, value));
  };

/** One recorded operation that went well, with other attributes. */
const recorded =
  (tasks: readonly string[], other: (record: XmlElement, chance: Chance) => Record<string, string>): Change =>
  (root, chance) => {
    const isMeant = ({ attributes }: XmlElement) =>
      tasks.includes(attributes["operation"] ?? "") && attributes["rc-code"] === "0";
    const found = pickOf(allIn(root, "lrm_rsc_op").filter(isMeant), chance);
    return found && swap(root, found, { ...found, attributes: { ...found.attributes, ...other(found, chance) } });
  };

const failed =
  (codes: readonly string[]) =>
  (_record: XmlElement, chance: Chance): Record<string, string> => ({
    "rc-code": pickOf(codes, chance) ?? "1",
    "op-status": "4",
  });

/** As Pacemaker 2 writes down what is under way. */
const underWay = ({ attributes }: XmlElement): Record<string, string> => ({
  "rc-code": "193",
  "op-status": "-1",
  "call-id": "-1",
  "transition-magic": `-1:193;${attributes["transition-key"] ?? ""}`,
});

const withoutQuorum: Change = (root, chance) => {
  const policy = option("no-quorum-policy", ["stop", "freeze", "ignore", "demote", "suicide"]);
  return policy({ ...root, attributes: { ...root.attributes, "have-quorum": "0" } }, chance);
};

const WHOLE = ["clone", "master"];
const ANY = ["primitive", "group", ...WHOLE];
const CONSTRAINTS = ["rsc_location", "rsc_colocation", "rsc_order", "rsc_ticket"];
const SCORES = ["INFINITY", "-INFINITY", "100", "-100"];

export const CHANGES: ReadonlyMap<string, Change> = new Map<string, Change>([
  ["constraint-lost", lost("constraints", CONSTRAINTS)],
  ["node-offline", gone("down")],
  ["node-lost", gone("member")],
  ["node-leaves", leaving],
  ["standby", nodeAttribute("standby", "on")],
  ["node-maintenance", nodeAttribute("maintenance", "true")],
  ["target-role", meta([...ANY, "bundle"], "target-role", ["Stopped", "Started", "Slave", "Master"])],
  ["unmanaged", meta([...ANY, "bundle"], "is-managed", ["false"])],
  ["maintenance", meta(ANY, "maintenance", ["true"])],
  ["interleave", meta(WHOLE, "interleave", ["true", "false"])],
  ["ordered", meta(WHOLE, "ordered", ["true", "false"])],
  ["notify", meta(WHOLE, "notify", ["true", "false"])],
  ["clone-max", meta(WHOLE, "clone-max", ["1", "2", "3"])],
  ["clone-min", meta(WHOLE, "clone-min", ["1", "2"])],
  ["stickiness", meta(ANY, "resource-stickiness", ["0", "100", "INFINITY"])],
  ["allow-migrate", meta(["primitive"], "allow-migrate", ["true"])],
  ["monitor-failed", recorded(["monitor"], failed(["1", "7", "9"]))],
  ["operation-failed", recorded(["start", "stop", "promote", "demote"], failed(["1", "5", "6"]))],
  ["under-way", recorded(["start", "stop", "promote", "demote", "monitor"], underWay)],
  ["record-lost", lost("status", ["lrm_resource"])],
  ["records-lost", lost("status", ["lrm"])],
  ["colocation-score", attribute("rsc_colocation", "score", SCORES)],
  ["one-way", attribute("rsc_order", "symmetrical", ["false"])],
  ["no-quorum", withoutQuorum],
  ["fencing", option("stonith-enabled", ["true", "false"])],
  ["opt-in", option("symmetric-cluster", ["false"])],
  ["maintenance-mode", option("maintenance-mode", ["true"])],
  ["stop-all", option("stop-all-resources", ["true"])],
  ["placement", option("placement-strategy", ["balanced", "utilization", "minimal"])],
  ["concurrent-fencing", option("concurrent-fencing", ["true", "false"])],
  ["keep-removed", option("stop-orphan-resources", ["false"])],
]);

/** The changed CIB and the name of the change; undefined where the CIB has nothing that could be changed so. */
export function changeCib(
  root: XmlElement,
  chance: Chance,
): { readonly name: string; readonly root: XmlElement } | undefined {
  const [name, change] = pickOf([...CHANGES], chance) ?? [];
  const changed = change?.(root, chance);
  return name === undefined || changed === undefined ? undefined : { name, root: changed };
}
