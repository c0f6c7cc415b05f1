/**
 * Operations of primitives, as words of the crm shell change them: the times that an agent advises (configure
 * default-timeouts), and the trace of an agent's shell (resource trace, untrace).
 * Facts: crm(8); CIBs as crmsh 4.4.1 leaves them; OCF resource agent API, meta-data.
 */
import { entryOf } from "../../base/record.ts";
import { childOf, childrenOf, type XmlElement, xml } from "../../base/xml.ts";
import { assignIds, takenIds } from "../../cib/crm-syntax/ids.ts";
import { everyElement } from "../../cib/schema/finding.ts";
import { readTimeMs } from "../../cib/schema/values.ts";
import { agentMetadata } from "./ra-level.ts";

const idOf = ({ attributes }: XmlElement) => attributes["id"] ?? "";

export function findPrimitive(configuration: XmlElement, id: string): XmlElement | undefined {
  return everyElement(configuration)
    .map(({ element }) => element)
    .find((element) => ["primitive", "template"].includes(element.name) && idOf(element) === id);
}

/** The configuration with the operations of one primitive put in the place of those it has. */
export function withOperations(root: XmlElement, id: string, operations: readonly XmlElement[]): XmlElement {
  const ids = takenIds(root);
  const change = (element: XmlElement): XmlElement => {
    if (!["primitive", "template"].includes(element.name) || idOf(element) !== id)
      return { ...element, children: element.children.map(change) };
    const others = element.children.filter(({ name }) => name !== "operations");
    const old = childOf(element, "operations") ?? xml("operations");
    // Parts that the shell makes get the ids that it gives them elsewhere.
    const made = operations.map((operation) => assignIds(operation, ids, id));
    return { ...element, children: made.length === 0 ? others : [...others, { ...old, children: made }] };
  };
  return change(root);
}

export const operationsOf = (primitive: XmlElement) => childrenOf(childOf(primitive, "operations"), "op");

/** In the metadata of agents of every age. */
const ROLES: Readonly<Record<string, string>> = { Master: "Promoted", Slave: "Unpromoted" };
const roleOf = ({ attributes: { role = "" } }: XmlElement) => entryOf(ROLES, role) ?? role;

/** What the agent advises for it: of several monitors the one of its role. */
function advised(actions: readonly XmlElement[], operation: XmlElement): string | undefined {
  const named = actions.filter(({ attributes }) => attributes["name"] === operation.attributes["name"]);
  const ofRole = named.find((action) => roleOf(action) === roleOf(operation)) ?? named[0];
  return ofRole?.attributes["timeout"];
}

/** What every primitive has, and a promotable one besides, if its agent can do it. */
const ALWAYS = ["start", "stop", "promote", "demote"];

export interface Advised {
  readonly operations: readonly XmlElement[];
  /** What was changed, for people. */
  readonly told: readonly string[];
}

/** The operations with the times that the agent advises; undefined where it advises none. */
export function withAdvisedTimes(configuration: XmlElement, primitive: XmlElement): Advised | undefined {
  const template = findPrimitive(configuration, primitive.attributes["template"] ?? "");
  const { provider = "", type = "" } = template?.attributes ?? primitive.attributes;
  const metadata = provider === "" ? undefined : agentMetadata(provider, type);
  if (metadata === undefined) return undefined;
  const actions = childrenOf(childOf(metadata, "actions"), "action");
  const told: string[] = [];
  const timed = operationsOf(primitive).map((operation) => {
    const timeout = advised(actions, operation);
    const { name = "", interval = "0", timeout: before } = operation.attributes;
    if (timeout === undefined || (before !== undefined && readTimeMs(before) === readTimeMs(timeout))) return operation;
    told.push(
      `${idOf(primitive)}: ${name} ${interval}: timeout ${before === undefined ? "" : `${before} -> `}${timeout}`,
    );
    return { ...operation, attributes: { ...operation.attributes, timeout } };
  });
  const added = ALWAYS.flatMap((name) => {
    const operation = xml("op", { name, interval: "0" });
    const timeout = advised(actions, operation);
    if (timeout === undefined || timed.some(({ attributes }) => attributes["name"] === name)) return [];
    told.push(`${idOf(primitive)}: ${name} 0: timeout ${timeout}`);
    return [{ ...operation, attributes: { name, timeout, interval: "0" } }];
  });
  return { operations: [...timed, ...added], told };
}

/** Which operations a trace means: all without a name, `probe` the monitor that looks once. */
export interface Traced {
  readonly name?: string;
  readonly intervalMs?: number;
  readonly directory?: string;
}

const isTrace = ({ attributes }: XmlElement) => ["trace_ra", "trace_dir"].includes(attributes["name"] ?? "");

function withTrace(operation: XmlElement, directory: string | undefined): XmlElement {
  const pairs = [
    xml("nvpair", { name: "trace_ra", value: "1" }),
    ...(directory === undefined ? [] : [xml("nvpair", { name: "trace_dir", value: directory })]),
  ];
  const bare = withoutTrace(operation);
  const [set, ...sets] = childrenOf(bare, "instance_attributes");
  const traced =
    set === undefined ? xml("instance_attributes", {}, pairs) : { ...set, children: [...set.children, ...pairs] };
  return {
    ...bare,
    children: [...bare.children.filter(({ name }) => name !== "instance_attributes"), traced, ...sets],
  };
}

function withoutTrace(operation: XmlElement): XmlElement {
  const children = operation.children.flatMap((child) => {
    if (child.name !== "instance_attributes") return [child];
    const kept = child.children.filter((pair) => !isTrace(pair));
    return kept.length === 0 ? [] : [{ ...child, children: kept }];
  });
  return { ...operation, children };
}

const intervalOf = ({ attributes }: XmlElement) => readTimeMs(attributes["interval"] ?? "0") ?? 0;
const isMeant =
  ({ name, intervalMs }: Traced) =>
  (operation: XmlElement) =>
    (name === undefined || operation.attributes["name"] === name) &&
    (intervalMs === undefined || intervalOf(operation) === intervalMs);

/** The operations with a trace of those that are meant; one that is not configured is put there for it. */
export function traceOperations(primitive: XmlElement, traced: Traced): readonly XmlElement[] {
  const operations = operationsOf(primitive);
  const wanted = traced.name === undefined ? ["start", "stop"] : [traced.name];
  const absent = wanted.filter((name) => !operations.some(isMeant({ ...traced, name })));
  const interval = String((traced.intervalMs ?? 0) / 1000);
  const added = absent.map((name) => xml("op", { name, interval: interval === "0" ? "0" : `${interval}s` }));
  return [...operations, ...added].map((operation) =>
    isMeant(traced)(operation) ? withTrace(operation, traced.directory) : operation,
  );
}

/** What a trace put there goes again with it. */
export function untraceOperations(primitive: XmlElement, traced: Traced): readonly XmlElement[] {
  return operationsOf(primitive).flatMap((operation) => {
    if (!isMeant(traced)(operation)) return [operation];
    const bare = withoutTrace(operation);
    const { id: _, name: __, interval = "0", ...more } = bare.attributes;
    const isLeft =
      bare !== operation && Object.keys(more).length === 0 && bare.children.length === 0 && interval === "0";
    const hadTrace = childrenOf(operation, "instance_attributes").some(({ children }) => children.some(isTrace));
    return isLeft && hadTrace ? [] : [bare];
  });
}
