/**
 * What-if: changes to a CIB before it is judged, as crm_simulate's options name them. Nodes come and go, operations
 * are found failed, tickets and quorum change. Pure. Words and order: crm_simulate's, as a black box.
 */
import { childOf, childrenOf, type XmlElement, xml } from "../../../../base/xml.ts";
import { currentDigest } from "../facts/digests.ts";
import type { Facts, Resource } from "../facts/model.ts";
import { executorName } from "./names.ts";
import {
  countFailure,
  goDown,
  goMissing,
  goUp,
  type NodeRecord,
  type NodeRecords,
  readRecords,
  recordOf,
  recordResult,
  writeRecords,
} from "./node-records.ts";
import type { OperationSpec } from "./simulated-run.ts";

export interface Injections {
  readonly quorum?: string;
  readonly watchdog?: string;
  readonly nodesUp: readonly string[];
  readonly nodesDown: readonly string[];
  readonly nodesFail: readonly string[];
  readonly ticketsGrant: readonly string[];
  readonly ticketsRevoke: readonly string[];
  readonly ticketsStandby: readonly string[];
  readonly ticketsActivate: readonly string[];
  readonly operations: readonly OperationSpec[];
}

export const NO_INJECTIONS: Injections = {
  nodesUp: [],
  nodesDown: [],
  nodesFail: [],
  ticketsGrant: [],
  ticketsRevoke: [],
  ticketsStandby: [],
  ticketsActivate: [],
  operations: [],
};

export type Injected =
  | { readonly kind: "injected"; readonly cib: XmlElement; readonly lines: readonly string[] }
  /** What the wishes name and the CIB does not know. */
  | { readonly kind: "unknown"; readonly reasons: readonly string[] };

/** A resource's name may hold underscores, and so do the names of two tasks: these are looked for first. */
const SPECS = ["migrate_to|migrate_from", "[a-z-]+"].map(
  (task) => new RegExp(`^(.+)_(${task})_(\\d+)@([^@=]+)=(\\d+)$`),
);

/** `RESOURCE_TASK_INTERVAL@NODE=CODE`; `undefined` when it is not written so. */
export function parseOperationSpec(text: string): OperationSpec | undefined {
  const match = SPECS.map((pattern) => pattern.exec(text)).find((found) => found !== null);
  if (match === undefined || match === null) return undefined;
  const [, resource = "", task = "", interval = "", node = "", code = ""] = match;
  return { resource, task, intervalMs: Number(interval), node, code: Number(code) };
}

export function printOperationSpec({ resource, task, intervalMs, node, code }: OperationSpec): string {
  return `${resource}_${task}_${intervalMs}@${node}=${code}`;
}

/** The working copies that the single injections change. */
interface Draft {
  readonly facts: Facts;
  readonly records: NodeRecords;
  cib: XmlElement;
  readonly tickets: Map<string, { readonly [name: string]: string }>;
  readonly lines: string[];
}

function replaceChild(parent: XmlElement, name: string, change: (child: XmlElement) => XmlElement): XmlElement {
  const known = childOf(parent, name);
  const changed = change(known ?? xml(name));
  if (known === undefined) return { ...parent, children: [...parent.children, changed] };
  return { ...parent, children: parent.children.map((child) => (child === known ? changed : child)) };
}

function setOption(cib: XmlElement, name: string, value: string): XmlElement {
  const bootstrap = "cib-bootstrap-options";
  return replaceChild(cib, "configuration", (configuration) =>
    replaceChild(configuration, "crm_config", (section) => {
      const sets = childrenOf(section, "cluster_property_set");
      const set = sets[0] ?? xml("cluster_property_set", { id: bootstrap });
      const kept = set.children.filter(({ attributes }) => attributes["name"] !== name);
      const pair = xml("nvpair", { id: `${set.attributes["id"] ?? bootstrap}-${name}`, name, value });
      return { ...section, children: [{ ...set, children: [...kept, pair] }, ...sets.slice(1)] };
    }),
  );
}

function addNode(cib: XmlElement, name: string): XmlElement {
  return replaceChild(cib, "configuration", (configuration) =>
    replaceChild(configuration, "nodes", (nodes) => ({
      ...nodes,
      children: [...nodes.children, xml("node", { id: name, uname: name })],
    })),
  );
}

function recordFor(draft: Draft, name: string): NodeRecord {
  const id = draft.facts.nodeByName.get(name)?.id ?? name;
  return recordOf(draft.records, id, name);
}

function bringUp(draft: Draft, name: string): void {
  draft.lines.push(`Bringing node ${name} online`);
  if (!draft.facts.nodeByName.has(name)) draft.cib = addNode(draft.cib, name);
  goUp(recordFor(draft, name));
}

function setTicket(draft: Draft, id: string, values: { readonly [name: string]: string }): void {
  draft.tickets.set(id, { id, ...draft.tickets.get(id), ...values });
}

const CODE_NOT_RUNNING = 7;

/** What a look at it would have to find: a probe finds it stopped where it does not run. */
function expectedCodeOf(resource: Resource, spec: OperationSpec): number {
  const runs = resource.runningOn.some(({ name }) => name === spec.node);
  return spec.task === "monitor" && spec.intervalMs === 0 && !runs ? CODE_NOT_RUNNING : 0;
}

/** As the peer counts: that something is found not running is a failure only where it is looked at again and again. */
function countsAsFailure({ code, intervalMs }: OperationSpec): boolean {
  return code !== 0 && (code !== CODE_NOT_RUNNING || intervalMs > 0);
}

function injectOperation(draft: Draft, spec: OperationSpec, resource: Resource): void {
  const { facts, lines } = draft;
  lines.push(`Injecting ${printOperationSpec(spec)} into the configuration`);
  const record = recordFor(draft, spec.node);
  if (countsAsFailure(spec))
    lines.push(...countFailure(record, resource.baseId, `${spec.task}_${spec.intervalMs}`, facts.nowSeconds));
  const node = facts.nodeByName.get(spec.node);
  recordResult(record, {
    name: executorName(resource),
    agent: resource,
    operation: spec.task,
    intervalMs: spec.intervalMs,
    key: `${executorName(resource)}_${spec.task}_${spec.intervalMs}`,
    code: spec.code,
    expectedCode: expectedCodeOf(resource, spec),
    digest: node === undefined ? "" : currentDigest(facts, resource, node, spec),
    atSeconds: facts.nowSeconds,
  });
}

function unknownIn(facts: Facts, { nodesDown, nodesFail, nodesUp, operations }: Injections): string[] {
  const isNode = (name: string) => facts.nodeByName.has(name) || nodesUp.includes(name);
  const nodes = [...nodesDown, ...nodesFail, ...operations.map(({ node }) => node)];
  return [
    ...nodes.filter((name) => !isNode(name)).map((name) => `there is no node ${name}`),
    ...operations
      .filter(({ resource }) => findResource(facts, resource) === undefined)
      .map(({ resource }) => `there is no resource ${resource}`),
  ];
}

function findResource(facts: Facts, name: string): Resource | undefined {
  const found = facts.byId.get(name) ?? facts.byId.get(`${name}:0`);
  return found?.kind === "primitive" ? found : undefined;
}

/** The CIB with everything injected, and a line for each thing that was. `facts` are those of the CIB as it is. */
export function inject(cib: XmlElement, facts: Facts, wishes: Injections): Injected {
  const reasons = unknownIn(facts, wishes);
  if (reasons.length > 0) return { kind: "unknown", reasons };
  const status = childOf(cib, "status");
  const ticketStates = childrenOf(childOf(status, "tickets"), "ticket_state");
  const draft: Draft = {
    facts,
    records: readRecords(cib),
    cib,
    tickets: new Map(ticketStates.map(({ attributes }) => [attributes["id"] ?? "", attributes])),
    lines: [],
  };
  const { lines } = draft;
  if (wishes.quorum !== undefined) {
    lines.push(`Setting quorum: ${wishes.quorum}`);
    draft.cib = { ...draft.cib, attributes: { ...draft.cib.attributes, "have-quorum": wishes.quorum } };
  }
  if (wishes.watchdog !== undefined) {
    lines.push(`Setting watchdog: ${wishes.watchdog}`);
    draft.cib = setOption(draft.cib, "have-watchdog", wishes.watchdog);
  }
  for (const name of wishes.nodesUp) bringUp(draft, name);
  for (const name of wishes.nodesDown) {
    lines.push(`Taking node ${name} offline`);
    goDown(recordFor(draft, name));
  }
  for (const name of wishes.nodesFail) {
    lines.push(`Failing node ${name}`);
    goMissing(recordFor(draft, name));
  }
  for (const [ids, words, values] of [
    [wishes.ticketsGrant, "Granting ticket ", { granted: "true" }],
    [wishes.ticketsRevoke, "Revoking ticket ", { granted: "false" }],
    [wishes.ticketsStandby, "Making ticket %s standby", { standby: "true" }],
    [wishes.ticketsActivate, "Activating ticket ", { standby: "false" }],
  ] as const)
    for (const id of ids) {
      lines.push(words.includes("%s") ? words.replace("%s", id) : `${words}${id}`);
      setTicket(draft, id, values);
    }
  for (const spec of wishes.operations) {
    const resource = findResource(facts, spec.resource);
    if (resource !== undefined) injectOperation(draft, spec, resource);
  }
  const rest = status?.children.filter(({ name }) => name !== "node_state" && name !== "tickets") ?? [];
  const tickets = xml(
    "tickets",
    {},
    [...draft.tickets.values()].map((attributes) => xml("ticket_state", attributes)),
  );
  const others = draft.tickets.size === 0 ? rest : [...rest, tickets];
  return { kind: "injected", cib: writeRecords(draft.cib, draft.records, others), lines };
}
