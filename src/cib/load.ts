/**
 * A configuration text, in crm syntax or as XML, checked whole: either a `<configuration>` that may be put in force,
 * or everything that is wrong with it, with line, reason and remedy. Nothing is applied here.
 */
import type { Problem, Read } from "../base/problem.ts";
import { childOf, parseXml, type XmlElement, xml } from "../base/xml.ts";
import { applyCrm, emptyConfiguration } from "./crm-syntax/apply.ts";
import { parseCrm } from "./crm-syntax/parse.ts";
import { printCrm } from "./crm-syntax/print.ts";
import { type Finding, toProblem } from "./schema/finding.ts";
import { findProblems } from "./schema/verify.ts";
import { upgradeCib } from "./upgrade/to-three.ts";

/** `update` adds to the base as `crm configure load update`; `replace` keeps of it only the nodes, unless named. */
export type LoadMode = "update" | "replace";

export interface LoadOptions {
  /** Names the text in places: a file's name. */
  readonly source: string;
  readonly mode?: LoadMode;
  /** The running `<configuration>`. */
  readonly base?: XmlElement;
  /** One statement of many that are being typed: what is dangerous in the whole is judged when it is committed. */
  readonly isUnfinished?: boolean;
}

const asCib = (configuration: XmlElement, attributes: XmlElement["attributes"] = {}) =>
  xml("cib", attributes, [configuration, xml("status")]);

/** Places of the text instead of paths, for everything that the text itself said. */
function atText(finding: Finding, places: ReadonlyMap<string, string>): Problem {
  const problem = toProblem(finding);
  const place = finding.ids.map((id) => places.get(id)).find((known) => known !== undefined);
  return { ...problem, place: place ?? problem.place };
}

function judge(configuration: XmlElement, problems: readonly Problem[]): Read<XmlElement> {
  if (problems.some(({ severity }) => severity === "error")) return { kind: "invalid", problems };
  return { kind: "valid", value: configuration, warnings: problems };
}

/** Objects of the XML in the base: those of the same id are replaced, options merged, as with statements. */
function joined(base: XmlElement, configuration: XmlElement, source: string): XmlElement {
  // Everything has a statement that says all of it, so there is one way to merge, and one place that knows it.
  return applyCrm(base, parseCrm(printCrm(configuration), source)).configuration;
}

function loadXml(text: string, { source, mode = "update", base }: LoadOptions): Read<XmlElement> {
  const read = parseXml(text);
  const refuse = (place: string, reason: string, remedy: string): Read<XmlElement> => ({
    kind: "invalid",
    problems: [{ severity: "error", place, reason, remedy }],
  });
  if (read.kind === "not-xml") return refuse(`${source}:${read.line}`, `not XML: ${read.reason}`, "mend that line");
  const root = upgradeCib(read.root);
  const configuration = root.name === "configuration" ? root : childOf(root, "configuration");
  if (configuration === undefined || !["cib", "configuration"].includes(root.name))
    return refuse(source, `<${root.name}> holds no configuration`, "give a <cib> or a <configuration>");
  const isJoined = mode === "update" && base !== undefined;
  const whole = isJoined ? joined(base, configuration, source) : configuration;
  const problems = findProblems(root.name === "cib" && !isJoined ? root : asCib(whole))
    .map(toProblem)
    .map((problem) => ({ ...problem, place: `${source}: ${problem.place}` }));
  return judge(whole, problems);
}

/** Order of a list of problems: by line where there is one. */
function byLine(left: Problem, right: Problem): number {
  const [leftAt, rightAt] = [left, right].map(({ place }) => /:(\d+):(\d+)$/.exec(place)?.slice(1).map(Number) ?? []);
  return (leftAt?.[0] ?? 0) - (rightAt?.[0] ?? 0) || (leftAt?.[1] ?? 0) - (rightAt?.[1] ?? 0);
}

/** Far above any configuration seen (0.8 MB as XML), and what one line of the control socket carries. */
const TEXT_MAX = 4 * 1024 * 1024;

/** A configuration as XML is seen from its first sign. */
export const isXmlText = (text: string) => /^\s*</.test(text);

export function loadConfiguration(text: string, options: LoadOptions): Read<XmlElement> {
  if (text.length > TEXT_MAX) {
    const reason = `the text has ${text.length} characters, more than ${TEXT_MAX}`;
    const remedy = "is this the right file? Give a configuration";
    return { kind: "invalid", problems: [{ severity: "error", place: options.source, reason, remedy }] };
  }
  if (isXmlText(text)) return loadXml(text, options);
  const { source, mode = "update", base = emptyConfiguration(), isUnfinished = false } = options;
  const parsed = parseCrm(text, source);
  const namesNodes = parsed.objects.some(({ section }) => section === "nodes");
  const nodes = childOf(base, "nodes");
  const start =
    mode === "update"
      ? base
      : applyCrm(emptyConfiguration(), { objects: [], monitors: [], problems: [], failedIds: [] }).configuration;
  const kept =
    mode === "update" || namesNodes || nodes === undefined
      ? start
      : { ...start, children: start.children.map((section) => (section.name === "nodes" ? nodes : section)) };
  const { configuration, problems, places } = applyCrm(kept, parsed);
  const findings = findProblems(asCib(configuration), isUnfinished)
    // What a faulty statement would have defined is missing because of its fault, which is told already.
    .filter(({ missing }) => missing === undefined || !parsed.failedIds.includes(missing))
    .map((finding) => atText(finding, places));
  return judge(configuration, [...problems, ...findings].sort(byLine));
}
