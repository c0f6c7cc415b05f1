/** Rules of the scheduler, each on the smallest cluster that shows it; what it does, as sorted lines. */
import { expect, test } from "vitest";
import { parseXml } from "../../../src/base/xml.ts";
import { parametersDigest } from "../../../src/cluster/core/scheduler/facts/digests.ts";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";

const NOW = 1_800_000_000_000;
const UP = 'in_ccm="true" crmd="online" join="member" expected="member"';

interface Record {
  readonly task: string;
  readonly rc?: number;
  readonly target?: number;
  readonly intervalMs?: number;
  readonly digest?: string;
  readonly more?: string;
}

interface Cluster {
  readonly resources: string;
  readonly constraints?: string;
  readonly options?: { readonly [name: string]: string };
  /** By node, by recorded resource. */
  readonly status?: { readonly [node: string]: { readonly [resource: string]: readonly Record[] } };
  readonly agents?: { readonly [resource: string]: string };
  readonly attributes?: { readonly [node: string]: { readonly [name: string]: string } };
  readonly states?: { readonly [node: string]: string };
  readonly nodes?: { readonly [node: string]: string };
}

const pairs = (id: string, values: { readonly [name: string]: string }) =>
  Object.entries(values)
    .map(([name, value]) => `<nvpair id="${id}-${name}" name="${name}" value="${value}"/>`)
    .join("");

const primitive = (id: string, inside = "", type = "Dummy") =>
  `<primitive id="${id}" class="ocf" provider="test" type="${type}">${inside}</primitive>`;
const meta = (id: string, values: { readonly [name: string]: string }) =>
  `<meta_attributes id="${id}-meta">${pairs(`${id}-meta`, values)}</meta_attributes>`;
const op = (id: string, seconds: number, more = "") =>
  `<operations><op id="${id}-${seconds}" name="monitor" interval="${seconds}s" ${more}/></operations>`;

const stopped: Record = { task: "monitor", rc: 7, target: 7 };
const started: Record = { task: "start" };

function operation(resource: string, each: Record, callId: number): string {
  const { task, rc = 0, target = 0, intervalMs = 0, more = "" } = each;
  const digest = each.digest ?? parametersDigest(intervalMs > 0 ? { CRM_meta_timeout: "20000" } : {});
  return `<lrm_rsc_op id="${resource}_${task}_${callId}" operation="${task}" interval="${intervalMs}"
    operation_key="${resource}_${task}_${intervalMs}" call-id="${callId}" rc-code="${rc}" op-status="0"
    transition-key="1:1:${target}:c0ffee" op-digest="${digest}" ${more}/>`;
}

function cib({ resources, constraints = "", options = {}, status = {}, ...rest }: Cluster): string {
  const nodes = Object.keys(rest.nodes ?? { one: "", two: "" });
  const states = nodes.map((node) => {
    const records = Object.entries(status[node] ?? {}).map(
      ([id, list]) =>
        `<lrm_resource id="${id}" class="ocf" provider="test" type="${rest.agents?.[id] ?? "Dummy"}">${list
          .map((each, index) => operation(id, each, index + 1))
          .join("")}</lrm_resource>`,
    );
    return `<node_state id="${node}" uname="${node}" ${rest.states?.[node] ?? UP}><transient_attributes id="${node}">
      <instance_attributes id="t-${node}">${pairs(`t-${node}`, rest.attributes?.[node] ?? {})}</instance_attributes>
      </transient_attributes><lrm id="${node}"><lrm_resources>${records.join("")}</lrm_resources></lrm></node_state>`;
  });
  const all = { "stonith-enabled": "false", "no-quorum-policy": "ignore", ...options };
  return `<cib have-quorum="1" dc-uuid="one" validate-with="pacemaker-3.9"><configuration><crm_config>
    <cluster_property_set id="cib-bootstrap-options">${pairs("o", all)}</cluster_property_set></crm_config>
    <nodes>${nodes
      .map((node) => `<node id="${node}" uname="${node}">${rest.nodes?.[node] ?? ""}</node>`)
      .join("")}</nodes><resources>${resources}</resources><constraints>${constraints}</constraints></configuration>
    <status>${states.join("")}</status></cib>`;
}

/** `start A one`, ... without what is only watched, told or pretended. */
function does(cluster: Cluster): string[] {
  const read = parseXml(cib(cluster));
  if (read.kind === "not-xml") throw new Error(`line ${read.line}: ${read.reason}`);
  return schedule(read.root, NOW)
    .transition.actions.flatMap((action) => {
      if (action.kind === "fence") return [`fence ${action.target}`];
      if (action.kind === "cluster") return [`${action.operation} ${action.resourceId ?? ""} ${action.node}`];
      if (action.kind !== "resource" || action.operation === "notify" || action.operation === "monitor") return [];
      return [`${action.operation} ${action.resource.id} ${action.node}`];
    })
    .sort();
}

test("fencing is wanted and nothing can fence: nothing is started, moved or stopped", () => {
  const wanted = { resources: primitive("A"), options: { "stonith-enabled": "true" } };
  expect(does(wanted)).toEqual([]);
  const device = '<primitive id="F" class="stonith" type="ipmi-lan"/>';
  expect(does({ ...wanted, resources: primitive("A") + device })).toEqual(["start A one", "start F two"]);
});

test("a state that says nothing of membership is of a node that nobody has seen: it is fenced", () => {
  const cluster = {
    resources: '<primitive id="F" class="stonith" type="ipmi-lan"/>',
    options: { "stonith-enabled": "true" },
    states: { two: 'crmd="offline" join="down"' },
  };
  expect(does(cluster)).toContain("fence two");
});

test("a record without a digest, or with another one, is of another definition: restart", () => {
  for (const digest of ["", "0".repeat(32)])
    expect(
      does({ resources: primitive("A"), status: { one: { A: [{ task: "start", digest }] }, two: { A: [stopped] } } }),
    ).toEqual(["start A one", "stop A one"]);
  expect(does({ resources: primitive("A"), status: { one: { A: [started] }, two: { A: [stopped] } } })).toEqual([]);
});

test("another agent than recorded: stop, forget everywhere, start", () => {
  const cluster = {
    resources: primitive("A"),
    status: { one: { A: [started] }, two: { A: [stopped] } },
    agents: { A: "Other" },
  };
  expect(does(cluster)).toEqual(["delete A one", "delete A two", "start A one", "stop A one"]);
});

test("how often it failed under another definition does not keep it from its node", () => {
  const failed = { task: "start", rc: 1, digest: "0".repeat(32) };
  const cluster = (id: string) => ({
    resources: primitive("A"),
    constraints: '<rsc_location id="l" rsc="A" node="one" score="100"/>',
    attributes: { one: { "fail-count-A#start_0": "INFINITY" } },
    status: { one: { A: [{ ...failed, more: id }, { task: "stop" }] }, two: { A: [stopped] } },
  });
  expect(does(cluster(""))).toEqual(["start A two"]);
  const last = parseXml(cib(cluster("")).replace('id="A_start_1"', 'id="A_last_failure_0"'));
  if (last.kind === "not-xml") throw new Error(last.reason);
  const keys = schedule(last.root, NOW).transition.actions.map(({ key }) => key);
  expect(keys).toEqual(expect.arrayContaining(["A_clear_failcount_0", "A_start_0"]));
});

test("a clone's instance that could go elsewhere stays when another one can go there", () => {
  const cluster = (max: number) => ({
    resources: `<clone id="C">${meta("C", { "clone-max": String(max) })}${primitive("A")}</clone>`,
    constraints: '<rsc_location id="l" rsc="C" node="two" score="INFINITY"/>',
    status: { one: { A: [started] }, two: { A: [stopped] } },
  });
  expect(does(cluster(2))).toEqual(["start A two"]);
  expect(does(cluster(1))).toEqual(["start A two", "stop A one"]);
});

test("a monitor for the started role is none for what may be promoted", () => {
  const clone = (role: string) => ({
    resources: `<clone id="C">${meta("C", { promotable: "true" })}${primitive("A", op("A", 10, role))}</clone>`,
    status: { one: { A: [stopped] }, two: { A: [stopped] } },
  });
  const monitors = (cluster: Cluster) => {
    const read = parseXml(cib(cluster));
    if (read.kind === "not-xml") throw new Error(read.reason);
    return schedule(read.root, NOW).transition.actions.filter(({ operation: name }) => name === "monitor").length;
  };
  expect(monitors(clone(""))).toBe(2);
  expect(monitors(clone('role="Started"'))).toBe(0);
});

test("the promotion follows where the company of the promoted one wants to be, not only the agent's word", () => {
  const cluster = {
    resources: `<clone id="C">${meta("C", { promotable: "true" })}${primitive("A")}</clone>${primitive("B")}`,
    constraints: `<rsc_colocation id="c" rsc="B" with-rsc="C" with-rsc-role="Promoted" score="INFINITY"/>
      <rsc_location id="l" rsc="B" node="two" score="50"/>`,
    attributes: { one: { "master-A": "60" }, two: { "master-A": "10" } },
    status: { one: { A: [started], B: [stopped] }, two: { A: [started], B: [stopped] } },
  };
  expect(does(cluster)).toContain("promote A two");
});

test("what belongs together goes where there is most room, when no node can take all of it", () => {
  const room = (amount: number) =>
    `<utilization id="u${amount}">${pairs(`u${amount}`, { cpu: String(amount) })}</utilization>`;
  const demand = (id: string) => `<utilization id="d${id}">${pairs(`d${id}`, { cpu: "2" })}</utilization>`;
  const cluster = {
    resources: ["A", "B", "D"].map((id) => primitive(id, demand(id))).join(""),
    constraints: ["B", "D"]
      .map((id) => `<rsc_colocation id="c${id}" rsc="${id}" with-rsc="A" score="INFINITY"/>`)
      .join(""),
    options: { "placement-strategy": "utilization" },
    nodes: { one: room(2), two: room(4) },
  };
  expect(does(cluster)).toEqual(["start A two", "start B two"]);
});
