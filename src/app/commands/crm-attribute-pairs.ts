/**
 * The name-value pairs that crm_attribute means, in the configuration and in the status: by name, by pattern, by the id
 * of a pair or of its set; and what is made of them, with the ids that the field's tool gives them.
 * Facts: crm_attribute(8); outputs, exit codes and ids of crm_attribute 2.1.5 on CIB files.
 */
import process from "node:process";
import { entryOf } from "../../base/record.ts";
import { childOf, childrenOf, type XmlElement, xml } from "../../base/xml.ts";
import type { ConfigurationOperation } from "../../cluster/core/cib-store/types.ts";
import { nodeState } from "../../cluster/core/controller/cib-read.ts";
import { cibFile } from "../cib-door.ts";
import { askOrTell, changeCib, EXIT, FIELD_EXIT, fetchCib } from "./ask.ts";

/** Where the pairs stand. */
export interface Scope {
  /** As it is told: crm_config, nodes, status, ... */
  readonly name: string;
  readonly setName: string;
  /** What holds the sets, as operations name it; undefined in the status, which is no configuration. */
  readonly target: string | undefined;
  readonly owner: (cib: XmlElement) => XmlElement | undefined;
  /** The set that is made where there is none. */
  readonly newSetId: string;
}

/** Which pairs; what is not given does not narrow them. */
export interface Choice {
  readonly name?: string;
  readonly pattern?: RegExp;
  readonly id?: string;
  readonly set?: string;
}

export interface PairsCall {
  readonly tool: string;
  readonly socketPath: string;
  readonly scope: Scope;
  readonly choice: Choice;
  readonly isQuiet: boolean;
  readonly fallback?: string;
  /** With `--output-as=xml`: takes each value that is told. */
  readonly add?: (element: XmlElement) => void;
}

interface Pair {
  readonly id: string;
  readonly name: string;
  readonly value: string;
}

/** "Multiple items match". */
const AMBIGUOUS = 109;

export const configurationPart = (cib: XmlElement, section: string): XmlElement | undefined =>
  childOf(childOf(cib, "configuration"), section);

const OPTION_SETS: Readonly<Record<string, string>> = { crm_config: "cib-bootstrap-options" };

/** Options of the cluster, and defaults. */
export function optionScope(section: string): Scope {
  return {
    name: section,
    setName: section === "crm_config" ? "cluster_property_set" : "meta_attributes",
    target: section,
    owner: (cib) => configurationPart(cib, section),
    newSetId: entryOf(OPTION_SETS, section) ?? `${section}-options`,
  };
}

/** Attributes that a node keeps, and its capacities; undefined when there is no such node. */
export function nodeScope(cib: XmlElement, node: string, setName: string): Scope | undefined {
  const find = (root: XmlElement) =>
    childrenOf(configurationPart(root, "nodes"), "node").find(({ attributes }) => attributes["uname"] === node);
  const id = find(cib)?.attributes["id"];
  if (id === undefined) return undefined;
  const newSetId = setName === "utilization" ? `nodes-${id}-utilization` : `nodes-${id}`;
  return { name: "nodes", setName, target: `//node[@uname="${node}"]`, owner: find, newSetId };
}

/** Attributes that a node has until it leaves. */
export function statusScope(node: string): Scope {
  return {
    name: "status",
    setName: "instance_attributes",
    target: undefined,
    owner: (cib) => childOf(nodeState(cib, node), "transient_attributes"),
    newSetId: "",
  };
}

function pairsOf(cib: XmlElement, { owner, setName }: Scope, { name, pattern, id, set }: Choice): readonly Pair[] {
  const sets = childrenOf(owner(cib), setName).filter(
    ({ attributes }) => set === undefined || attributes["id"] === set,
  );
  return sets
    .flatMap((each) => childrenOf(each, "nvpair"))
    .map(({ attributes }) => ({
      id: attributes["id"] ?? "",
      name: attributes["name"] ?? "",
      value: attributes["value"] ?? "",
    }))
    .filter(
      (pair) =>
        (name === undefined || pair.name === name) &&
        (pattern === undefined || pattern.test(pair.name)) &&
        (id === undefined || pair.id === id),
    );
}

function complain({ tool }: PairsCall, text: string, code: number): number {
  process.stderr.write(`${tool}: ${text}\n`);
  return code;
}

/** `scope=nodes  name=standby value=on`, or the value alone. */
function tellPair({ scope, choice, isQuiet, add }: PairsCall, name: string, value: string): void {
  const id = choice.id === undefined ? {} : { id: choice.id };
  const told = `scope=${scope.name} ${id.id === undefined ? "" : `id=${id.id}`} name=${name} value=${value}`;
  process.stdout.write(`${isQuiet ? value : told}\n`);
  add?.(xml("attribute", { name, value, scope: scope.name, ...id }));
}

export async function queryPairs(call: PairsCall): Promise<number> {
  const { tool, socketPath, scope, choice, fallback } = call;
  const cib = await fetchCib(tool, socketPath);
  if (typeof cib === "number") return cib;
  const found = pairsOf(cib, scope, choice);
  for (const { name, value } of found) tellPair(call, name, value);
  if (found.length > 0) return EXIT.done;
  if (fallback === undefined)
    return complain(call, "Error performing operation: No such device or address", FIELD_EXIT.notFound);
  tellPair(call, choice.name ?? "", fallback);
  return EXIT.done;
}

/** Which of several was meant nobody can know: they are listed, and nothing is changed. */
function tellAmbiguous(call: PairsCall, found: readonly Pair[]): number {
  process.stdout.write(`Multiple attributes match name=${call.choice.name ?? ""}\n`);
  for (const { value, id } of found) process.stdout.write(`  Value: ${value} \t(id=${id})\n`);
  return complain(call, "choose one of these by its id: -i ID, or by its set: -s SET; nothing was changed", AMBIGUOUS);
}

function adding({ scope, choice }: PairsCall, cib: XmlElement, value: string): readonly ConfigurationOperation[] {
  const { name = "" } = choice;
  const set = choice.set ?? scope.newSetId;
  const element = xml("nvpair", { id: choice.id ?? `${set}-${name.replaceAll(/[^\w.-]/g, "_")}`, name, value });
  const hasSet = childrenOf(scope.owner(cib), scope.setName).some(({ attributes }) => attributes["id"] === set);
  if (hasSet) return [{ kind: "set", parent: set, element }];
  return [{ kind: "set", parent: scope.target ?? "", element: xml(scope.setName, { id: set }, [element]) }];
}

/** Of the configuration; `null` deletes. */
export async function changePairs(call: PairsCall, value: string | null): Promise<number> {
  const { tool, socketPath, scope, choice } = call;
  const cib = await fetchCib(tool, socketPath);
  if (typeof cib === "number") return cib;
  const found = pairsOf(cib, scope, choice);
  if (found.length > 1) return tellAmbiguous(call, found);
  if (value === null && found.length === 0) return EXIT.done;
  const code = await changeCib(tool, socketPath, (now) => {
    const [only] = pairsOf(now, scope, choice);
    if (value === null) return only === undefined ? [] : [{ kind: "delete", target: only.id }];
    if (only === undefined) return adding(call, now, value);
    return [{ kind: "set-attributes", target: only.id, attributes: { value } }];
  });
  if (code === EXIT.done && value === null) tellDeleted(call, found);
  return code;
}

function tellDeleted({ scope, choice }: PairsCall, deleted: readonly Pair[]): void {
  const what = scope.target === scope.name ? "option" : "attribute";
  const set = choice.set === undefined ? "" : ` set=${choice.set}`;
  for (const { id, name } of deleted)
    process.stdout.write(`Deleted ${scope.name} ${what}: id=${id}${set} name=${name}\n`);
}

/** Of the status, where the manager writes; `null` deletes. */
export async function changeTransient(call: PairsCall, node: string, value: string | null): Promise<number> {
  const { tool, socketPath, scope, choice } = call;
  const cib = await fetchCib(tool, socketPath);
  if (typeof cib === "number") return cib;
  const found = pairsOf(cib, scope, choice);
  // A manager may hold what it has not written yet; a file has nothing but what stands there.
  const isWhole = choice.name === undefined || (value === null && cibFile() !== undefined);
  const names = isWhole ? found.map(({ name }) => name) : [choice.name];
  for (const name of names) {
    const asked = await askOrTell(tool, socketPath, {
      kind: "attribute",
      node,
      name,
      lifetime: "reboot",
      ...(value === null ? {} : { value }),
    });
    if (asked.kind === "failed") return asked.exitCode;
  }
  if (value === null) tellDeleted(call, found);
  return EXIT.done;
}
