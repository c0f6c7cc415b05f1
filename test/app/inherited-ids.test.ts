/**
 * Nodes, resources, attributes, parameters, options and tickets that are called as what every object inherits
 * (`constructor`, `__proto__`): whatever is asked of such a CIB, and whatever is changed in it, is as with plain names
 * of the same length and order. The CIBs are generated ones; of each, the names are put in twice.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { parseXml, type XmlElement } from "../../src/base/xml.ts";
import { allIn } from "../support/cib-rewrites.ts";
import { randomCib } from "../support/random-cib/cib.ts";
import { runHere } from "../support/run-here.ts";

/** All that an object inherits; beside each, a name that nothing has, and that stands in its place in every order. */
const NAMES = [
  ...(["__proto__ __protp__", "constructor constructos", "toString toStrinh", "valueOf valueOg"] as const),
  ...(["hasOwnProperty hasOwnPropertz", "isPrototypeOf isPrototypeOg", "toLocaleString toLocaleStrinh"] as const),
  ...(["__lookupGetter__ __lookupGettes__", "__defineSetter__ __defineSettes__"] as const),
].map((pair) => pair.split(" ") as [string, string]);

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-ids-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the CIB itself has names for: nodes, resources, capacities. */
function namesIn(root: XmlElement): readonly string[] {
  const named = ["node", "primitive", "group", "clone", "bundle"].flatMap((kind) => allIn(root, kind));
  const capacities = allIn(root, "utilization").flatMap(({ children }) => children);
  const names = [
    ...named.map(({ attributes }) => attributes["uname"] ?? attributes["id"] ?? ""),
    ...capacities.map(({ attributes }) => attributes["name"] ?? ""),
  ];
  return [...new Set(names)].filter((name) => name.length > 1);
}

const asPattern = (words: readonly string[]) =>
  new RegExp(
    `(?<![A-Za-z0-9])(?:${words.toSorted((one, other) => other.length - one.length).join("|")})(?![A-Za-z0-9])`,
    "g",
  );

/** The text with each of those words changed, wherever it stands by itself. */
function exchanged(text: string, words: ReadonlyMap<string, string>): string {
  return text.replaceAll(asPattern([...words.keys()]), (word) => words.get(word) ?? word);
}

const toPlain = new Map(NAMES);

/** The second in which it was written or shown. */
const MOMENT = /\b\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\b/g;
/** Said once a process, of an interface of Node's own. */
const NODES_OWN = /^\(.*ExperimentalWarning.*\n.*\n/gm;
const timeless = (text: string) => text.replaceAll(MOMENT, "now");

interface Side {
  readonly file: string;
  readonly ask: (line: string) => Promise<string>;
}

/** `which`: 0 the names that are inherited, 1 the plain ones. */
function open(text: string, names: readonly string[], offset: number, which: 0 | 1): Side {
  const taken = names.slice(0, NAMES.length).map((name, index) => {
    const pair = NAMES[(index + offset) % NAMES.length] ?? ["", ""];
    return [name, pair[which]] as const;
  });
  const file = path.join(folder, `${which === 0 ? "inherited" : "plainnames"}.xml`);
  writeFileSync(file, exchanged(text, new Map(taken)));
  const env = { CIB_file: file, CIB_shadow_dir: folder, GEMEL_RUN: folder, HOME: folder };
  const ask = async (line: string) => {
    const argv = (which === 0 ? line : exchanged(line, toPlain)).replaceAll("FILE", file).split(" ");
    const { code, output, errors } = await runHere(argv, env);
    const said = errors.replaceAll(NODES_OWN, "");
    return timeless(exchanged(`${code}\n${output}\n${said}`.replaceAll(file, "FILE"), toPlain));
  };
  return { file, ask };
}

const ASKED = ["__proto__", "constructor", "toString"];
const PART = "constructor";

/** As words of one command each; a name that the CIB does not have is one more thing to ask for. */
function linesFor(node: string, resource: string): readonly string[] {
  return [
    "crm_simulate -x FILE -S -s -U",
    "crm_mon -1 -A -f -o -c -R",
    "crm_mon -1 --output-as=xml",
    "crm_verify -x FILE -V",
    "crm configure show",
    "crm configure save FILE.crm",
    "crm configure load replace FILE.crm",
    "cibadmin -Q -o configuration",
    ...NAMES.flatMap(([name]) => [`why ${name} -x FILE`, `crm configure show ${name}`]),
    ...ASKED.flatMap((name) => [
      `crm_attribute -N ${node} -n ${name} -G`,
      `crm_attribute -N ${node} -n ${name} -v 5`,
      `crm_attribute -N ${node} -n ${name} -G`,
      `crm_attribute -N ${node} -n ${name} -v 7 -l reboot`,
      `crm_attribute -n ${name} -v of-the-cluster`,
      `crm_attribute -n ${name} -G`,
      `crm_resource -r ${resource} -g ${name}`,
      `crm_resource -r ${resource} -p ${name} -v 9`,
      `crm_resource -r ${resource} -g ${name}`,
      `crm_resource -r ${resource} --meta -p ${name} -v 9`,
      `crm_resource -W -r ${name}`,
      `crm_failcount -G -r ${name} -N ${node}`,
      `crm_ticket -t ${name} -G granted`,
      `crm_ticket -t ${name} -S ${PART} -v 3`,
      `crm_ticket -t ${name} -G ${PART}`,
      `crm node attribute ${node} show ${name}`,
      `crm node utilization ${node} set ${name} 4`,
      `crm resource utilization ${resource} set ${name} 1`,
    ]),
    "cibadmin -Q",
    "crm configure show",
    "crm_simulate -x FILE -S -s -U",
    "crm_mon -1 -A -f -o -c -R",
  ];
}

/** GEMEL_FUZZ_RUNS=N tries N CIBs. */
const SEEDS = Array.from({ length: Number(process.env["GEMEL_FUZZ_RUNS"] ?? 2) }, (_, index) => index + 1);

describe("a CIB with such names is decided, shown, written and changed as one with plain names", () => {
  test.each(SEEDS)("generated with seed %i", async (seed) => {
    const text = randomCib(seed);
    const read = parseXml(text);
    if (read.kind !== "xml") throw new Error(read.reason);
    const names = namesIn(read.root);
    expect(names.length).toBeGreaterThan(2);
    const inherited = open(text, names, seed, 0);
    const plain = open(text, names, seed, 1);
    const [node = ""] = NAMES[seed % NAMES.length] ?? [];
    const resource = NAMES[(names.findIndex((name) => name.startsWith("r")) + seed) % NAMES.length]?.[0] ?? "";
    const lines = linesFor(node, resource);
    for (const line of lines) expect(await inherited.ask(line), line).toBe(await plain.ask(line));
    const [one, other] = [inherited, plain].map(({ file }) => timeless(readFileSync(file, "utf8")));
    expect(exchanged(one ?? "", toPlain)).toBe(other);
  });
});
