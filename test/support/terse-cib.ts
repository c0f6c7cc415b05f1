/**
 * A CIB from a few lines, for cases of the scheduler that a reader takes in at a glance. One fact a line; what belongs
 * into another thing is indented:
 *
 *     nodes alpha bravo charlie=unclean       states: online (said by nothing), offline, unclean, leaving, pending;
 *                                             arriving (in the cluster for 1000 s, without its manager);
 *                                             remote (its connection is a resource: `remote far`), unseen (no state)
 *                                             a score behind a name (bravo:-10) is what the node is worth to all
 *     option stonith-enabled=true             without it: no fencing, no-quorum-policy=ignore
 *     clone c promotable=true                 also group; the words behind the id are meta-attributes
 *       Stateful p target-role=Started        a primitive by its type; `fencing` is a fencing device
 *         monitor 10s role=Promoted           an operation with its interval
 *         utilization memory=1
 *         parameters device=/dev/sda          what is recorded below was run without any
 *     rsc_location rsc=c node=alpha score=-5  any constraint
 *       resource_set a b sequential=false     a set of one, its members in order
 *     node alpha standby=on                   an attribute of the node; `status alpha master-p=10` a transient one
 *     p on alpha: monitor=7 start promote     what is recorded: operation[/interval][=result|=pending]
 *     p on alpha: migrate_to>bravo            a migration to, or with < from, another node
 */
import { check } from "../../src/base/check.ts";
import { parametersDigest } from "../../src/cluster/core/scheduler/facts/digests.ts";

interface Line {
  readonly words: readonly string[];
  readonly inside: Line[];
}

function parseLines(text: string): readonly Line[] {
  const root: Line = { words: [], inside: [] };
  const open: { readonly indent: number; readonly line: Line }[] = [{ indent: -1, line: root }];
  for (const raw of text.split("\n")) {
    if (raw.trim() === "") continue;
    const indent = raw.search(/\S/);
    while ((open.at(-1)?.indent ?? -1) >= indent && open.length > 1) open.pop();
    const line: Line = { words: raw.trim().split(/\s+/), inside: [] };
    open.at(-1)?.line.inside.push(line);
    open.push({ indent, line });
  }
  return root.inside;
}

type Values = readonly (readonly [string, string])[];

const valuesOf = (words: readonly string[]): Values =>
  words.map((word) => {
    const at = word.indexOf("=");
    check(at > 0, `${word}: name=value expected`);
    return [word.slice(0, at), word.slice(at + 1)];
  });

const nvpairs = (id: string, values: Values) =>
  values.map(([name, value]) => `<nvpair id="${id}-${name}" name="${name}" value="${value}"/>`).join("");

const set = (kind: string, id: string, values: Values) =>
  values.length === 0 ? "" : `<${kind} id="${id}-${kind}">${nvpairs(`${id}-${kind}`, values)}</${kind}>`;

const attributes = (values: Values) => values.map(([name, value]) => ` ${name}="${value}"`).join("");

const milliseconds = (interval: string) => Number.parseInt(interval, 10) * 1000;

function resourceXml({ words: [kind = "", id = "", ...rest], inside }: Line, agents: Map<string, string>): string {
  const meta = set("meta_attributes", id, valuesOf(rest));
  if (kind === "clone" || kind === "group")
    return `<${kind} id="${id}">${meta}${inside.map((each) => resourceXml(each, agents)).join("")}</${kind}>`;
  const agent =
    kind === "fencing" ? 'class="stonith" type="fence_ipmilan"' : `class="ocf" provider="pacemaker" type="${kind}"`;
  agents.set(id, agent);
  const setsOf = (kind: string) => inside.filter(({ words }) => words[0] === kind).map(({ words }) => words.slice(1));
  const operations = inside
    .filter(({ words }) => words[0] !== "utilization" && words[0] !== "parameters")
    .map(
      ({ words: [name, interval = "0", ...more] }) =>
        `<op id="${id}-${name}-${interval}" name="${name}" interval="${interval}"${attributes(valuesOf(more))}/>`,
    );
  const uses = setsOf("utilization").map((each) => set("utilization", id, valuesOf(each)));
  const parameters = setsOf("parameters").map((each) => set("instance_attributes", id, valuesOf(each)));
  return `<primitive id="${id}" ${agent}>${parameters.join("")}${meta}<operations>${operations.join("")}</operations>
    ${uses.join("")}</primitive>`;
}

const STATES: Readonly<Record<string, string>> = {
  online: 'in_ccm="true" crmd="online" join="member" expected="member"',
  leaving: 'in_ccm="true" crmd="online" join="member" expected="down"',
  pending: 'in_ccm="true" crmd="online" join="down" expected="member"',
  arriving: 'in_ccm="1699999000" crmd="0"',
  offline: 'in_ccm="false" crmd="offline" join="down" expected="down"',
  unclean: 'in_ccm="false" crmd="offline" join="down" expected="member"',
  remote: 'remote_node="true" in_ccm="true"',
};

/** Remote nodes are known by their names alone. */
const isRemote = (state: string) => state === "remote" || state === "unseen";

const REMOVED = 'class="ocf" provider="pacemaker" type="Dummy"';
const FEATURE_SET = "3.16.1";
const UUID = "c0ffee00-0000-0000-0000-000000000000";
/** A probe that finds nothing, or a monitor that finds what is promoted, finds what was expected. */
const EXPECTED_RESULTS: Readonly<Record<string, RegExp>> = { monitor: /^[78]$/ };

function recordXml(id: string, node: string, word: string, call: number): string {
  const [, task = "", other = "", interval = "0", result = "0"] =
    /^([\w-]+)([<>]\w+)?(?:\/(\w+))?(?:=(\d+|pending))?$/.exec(word) ?? [];
  check(task !== "", `${word}: operation[/interval][=result] expected`);
  const [source, target] = other.startsWith(">") ? [node, other.slice(1)] : [other.slice(1), node];
  const places = other === "" ? "" : `migrate_source="${source}" migrate_target="${target}"`;
  const intervalMs = milliseconds(interval);
  const expected = EXPECTED_RESULTS[task]?.test(result) === true ? result : "0";
  const [status, code] = result === "pending" ? ["-1", "193"] : ["0", result];
  // As the executor would have written it; without one everything would be started anew.
  const digest = parametersDigest(intervalMs > 0 ? { CRM_meta_timeout: "20000" } : {});
  return `<lrm_rsc_op id="${id}_${task}_${intervalMs}_${call}" operation_key="${id}_${task}_${intervalMs}"
    operation="${task}" crm_feature_set="${FEATURE_SET}" transition-key="${call}:1:${expected}:${UUID}"
    transition-magic="${status}:${code};${call}:1:${expected}:${UUID}" call-id="${call}" rc-code="${code}"
    op-status="${status}" op-digest="${digest}" interval="${intervalMs}" last-rc-change="1699999000"
    exec-time="1" queue-time="0" ${places}/>`;
}

interface Cluster {
  readonly options: Map<string, string>;
  readonly nodes: { readonly name: string; readonly state: string; readonly score: string | undefined }[];
  readonly resources: string[];
  readonly constraints: string[];
  readonly agents: Map<string, string>;
  /** Attributes by node. */
  readonly permanent: Map<string, string[]>;
  readonly transient: Map<string, string[]>;
  readonly records: Map<string, (readonly [string, readonly string[]])[]>;
}

const put = <Item>(map: Map<string, Item[]>, key: string, ...items: readonly Item[]) =>
  map.set(key, [...(map.get(key) ?? []), ...items]);

function setXml({ words: [kind = "", ...rest] }: Line, id: string): string {
  const members = rest.filter((word) => !word.includes("=")).map((member) => `<resource_ref id="${member}"/>`);
  const values = valuesOf(rest.filter((word) => word.includes("=")));
  return `<${kind} id="${id}"${attributes(values)}>${members.join("")}</${kind}>`;
}

function addLine(cluster: Cluster, line: Line): void {
  const [first = "", second = "", third = "", ...more] = line.words;
  const rest = line.words.slice(1);
  if (second === "on") put(cluster.records, third.replace(":", ""), [first, more]);
  else if (first === "nodes")
    for (const word of rest) {
      const [place = "", state = "online"] = word.split("=");
      const [name = "", score] = place.split(":");
      cluster.nodes.push({ name, state, score });
    }
  else if (first === "option") for (const [name, value] of valuesOf(rest)) cluster.options.set(name, value);
  else if (first === "node") put(cluster.permanent, second, ...line.words.slice(2));
  else if (first === "status") put(cluster.transient, second, ...line.words.slice(2));
  else if (first.startsWith("rsc_")) {
    const id = `constraint-${cluster.constraints.length + 1}`;
    const sets = line.inside.map((set, index) => setXml(set, `${id}-set-${index + 1}`));
    cluster.constraints.push(`<${first} id="${id}"${attributes(valuesOf(rest))}>${sets.join("")}</${first}>`);
  } else cluster.resources.push(resourceXml(line, cluster.agents));
}

function statusXml({ nodes, transient, records, agents }: Cluster): string {
  let call = 0;
  const states = nodes.map(({ name, state }, index) => {
    if (state === "unseen") return "";
    const id = isRemote(state) ? name : String(index + 1);
    const own = [...(transient.get(name) ?? []), ...(state === "leaving" ? ["shutdown=1699999990"] : [])];
    const known = (records.get(name) ?? []).map(([resource, words]) => {
      // What was removed from the configuration is some resource all the same.
      const agent = agents.get(resource.replace(/:\d+$/, "")) ?? REMOVED;
      const list = words.map((word) => recordXml(resource, name, word, ++call));
      return `<lrm_resource id="${resource}" ${agent}>${list.join("")}</lrm_resource>`;
    });
    return `<node_state id="${id}" uname="${name}" ${STATES[state]}><transient_attributes id="${id}">
      ${set("instance_attributes", `status-${id}`, valuesOf(own))}</transient_attributes>
      <lrm id="${id}"><lrm_resources>${known.join("")}</lrm_resources></lrm></node_state>`;
  });
  return `<status>${states.join("")}</status>`;
}

/** The whole CIB as XML. */
export function terseCib(text: string): string {
  const cluster: Cluster = {
    options: new Map([
      ["stonith-enabled", "false"],
      ["no-quorum-policy", "ignore"],
    ]),
    nodes: [],
    resources: [],
    constraints: [],
    agents: new Map(),
    permanent: new Map(),
    transient: new Map(),
    records: new Map(),
  };
  for (const line of parseLines(text)) addLine(cluster, line);
  const nodes = cluster.nodes.map(({ name, state, score }, index) => {
    const own = set("instance_attributes", `node-${index + 1}`, valuesOf(cluster.permanent.get(name) ?? []));
    const worth = score === undefined ? "" : ` score="${score}"`;
    const [id, kind] = isRemote(state) ? [name, ' type="remote"'] : [String(index + 1), ""];
    return `<node id="${id}" uname="${name}"${kind}${worth}>${own}</node>`;
  });
  const quorum = cluster.options.get("have-quorum") ?? "1";
  return `<cib crm_feature_set="${FEATURE_SET}" validate-with="pacemaker-3.8" epoch="1" num_updates="0" admin_epoch="0"
    have-quorum="${quorum}" dc-uuid="1" execution-date="1700000000"><configuration><crm_config>
    <cluster_property_set id="options">${nvpairs("options", [...cluster.options])}</cluster_property_set></crm_config>
    <nodes>${nodes.join("")}</nodes><resources>${cluster.resources.join("\n")}</resources>
    <constraints>${cluster.constraints.join("\n")}</constraints></configuration>
    ${statusXml(cluster)}</cib>`;
}
