/**
 * The same blocks as a page: the structure and the classes of crm_mon 2.1.5's, which stylesheets and scrapers of sites
 * go by. Compared with it, as a black box (test/cluster/monitor/html-peer.test.ts).
 * Beyond it, each in an element of its own: what is unclean or pending, which that page only calls offline, and that
 * nothing is managed, which that page tells only among the options.
 */
import type { Node } from "../scheduler/facts/model.ts";
import { nodeTraits } from "../scheduler/print/status-report.ts";
import { escapeText, item, list, type PageElement, printElements, span, textItem, titled } from "./html-tree.ts";
import { narrow } from "./narrow.ts";
import { attributesOf, featureSet, linesBelowNode, sectionsOf } from "./sections.ts";
import { byName, countsOf, dcOf, lastChange, nodeName, optionTexts, plural } from "./summary.ts";
import type { MonitorSource, MonitorWishes, NarrowedSource, Section } from "./wishes.ts";

const STYLE = `.bold { font-weight: bold }
.online { color: green }
.offline { color: red }
.maint { color: blue }
.standby { color: blue }
.health_red { color: red }
.health_yellow { color: GoldenRod }
.rsc-failed { color: red }
.rsc-failure-ignored { color: DarkGreen }
.rsc-managed { color: blue }
.rsc-multiple { color: orange }
.rsc-ok { color: green }
.warning { color: red; font-weight: bold }`;

const BAD = /\b(?:FAILED|UNCLEAN|OFFLINE|lost|could not be executed|returned '|BLOCKED|blocked)\b/;
const WARN = /\b(?:Stopped|standby|maintenance|unmanaged|disabled|degraded|inactive|fail-count)\b/;

/** How a line of a picture stands out, by its words, for whoever draws it elsewhere. */
export function standingOf(text: string): "bad" | "warn" | undefined {
  if (BAD.test(text)) return "bad";
  return WARN.test(text) ? "warn" : undefined;
}

/** `id<TAB>(agent):<TAB> state`; what is counted by its agent has no blank before its state. */
const RESOURCE = /\t\([^()]*\):\t (.*)$/;
const LEFT_ALONE = /\((?:[^()]*, )?(?:unmanaged|maintenance|blocked)(?:, [^()]*)?\)/;

/** The class by the state as told in text. One that is left alone is told as that, whatever else it is. */
function resourceClass(state: string): string {
  if (LEFT_ALONE.test(state)) return "rsc-managed";
  if (/^(?:ORPHANED )?(?:FAILED|Stopped)\b/.test(state)) return "rsc-failed";
  if (state.endsWith(" ]")) return "rsc-multiple";
  return state.includes("failure ignored)") ? "rsc-failure-ignored" : "rsc-ok";
}

function leaf(text: string, whole = text): PageElement {
  const state = RESOURCE.exec(whole)?.[1];
  return state === undefined ? textItem(text) : item(span(text, resourceClass(state)));
}

const LINE = /^( *)\* (.*)$/;
const depthOf = (line: string) => LINE.exec(line)?.[1]?.length ?? 0;

/** Lines `  * x` below one another become lists in lists. */
function itemsOf(lines: readonly string[]): PageElement[] {
  const items: PageElement[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    const next = lines.findIndex((each, index) => index > at && depthOf(each) <= depthOf(line));
    const end = next === -1 ? lines.length : next;
    const text = LINE.exec(line)?.[2] ?? line.trim();
    const inner = lines.slice(at + 1, end);
    const isHead = inner.length > 0 || text.endsWith(":");
    const title = text.startsWith("Node: ") ? text.slice("Node: ".length) : text.replace(/:$/, "");
    items.push(isHead ? item(...titled(title, itemsOf(inner))) : leaf(text));
    at = end;
  }
  return items;
}

const labelled = (label: string, ...rest: readonly PageElement[]) => item(span(`${label}: `, "bold"), ...rest);

/** `3 resource instances configured (1 DISABLED, 2 BLOCKED from further action due to failure)`. */
function countItem(source: NarrowedSource): PageElement {
  const { resources, disabled, blocked } = countsOf(source.whole);
  const text = `${plural(resources, "resource instance")} configured`;
  if (disabled + blocked === 0) return item(span(text));
  const reason = " from further action due to failure)";
  return item(
    span(`${text} (${disabled > 0 ? disabled : blocked} `),
    ...(disabled > 0 ? [span("DISABLED", "bold"), span(blocked > 0 ? `, ${blocked} ` : ")")] : []),
    ...(blocked > 0 ? [span("BLOCKED", "bold"), span(reason)] : []),
  );
}

function summaryItems(source: NarrowedSource, { sections, detail }: MonitorWishes): PageElement[] {
  const { whole, ctime, nowWallMs } = source;
  const dc = dcOf(source, detail);
  const quorum = whole.options.quorate ? span(" with") : span(" WITHOUT", "warning");
  return [
    ...(sections.has("stack")
      ? [labelled("Stack", span(whole.options.all["cluster-infrastructure"] ?? source.stack))]
      : []),
    ...(dc === undefined ? [labelled("Current DC", span("NONE", "warning"))] : []),
    ...(dc !== undefined && sections.has("dc")
      ? [labelled("Current DC", span(`${dc} -`), span(" partition"), quorum, span(" quorum"))]
      : []),
    ...(sections.has("times")
      ? [labelled("Last updated", span(ctime(nowWallMs))), labelled("Last change", span(lastChange(source)))]
      : []),
    ...(sections.has("counts")
      ? [item(span(`${plural(countsOf(whole).nodes, "node")} configured`)), countItem(source)]
      : []),
  ];
}

function optionItems({ whole: { options } }: NarrowedSource, { sections }: MonitorWishes): PageElement[] {
  const management = (word: string, meaning: string) =>
    item(span("Resource management: "), span(word, "bold"), span(` (the cluster will ${meaning})`));
  const held = options.maintenance
    ? management("DISABLED", "not attempt to start, stop, or recover services")
    : options.stopAll
      ? management("STOPPED", "keep all resources stopped")
      : undefined;
  if (!sections.has("options")) return held === undefined || !sections.has("maint-mode") ? [] : [held];
  return [...optionTexts(options).map(textItem), held ?? textItem("Resource management: enabled")];
}

/** Each trait of a node in an element of its own. */
function nodeSpans(source: NarrowedSource, { detail }: MonitorWishes, node: Node): PageElement[] {
  const { online } = node;
  const { health, standby, inMaintenance, unproven } = nodeTraits(source.whole, node);
  const features = detail ? featureSet(source, node) : undefined;
  return [
    online ? span(" online", "online") : span(" OFFLINE", "offline"),
    ...(unproven === undefined ? [] : [span(` (${unproven})`, "warning")]),
    ...(health === undefined ? [] : [span(` (health is ${health})`, `health_${health.toLowerCase()}`)]),
    ...(standby === undefined ? [] : [span(` (in ${standby})`, "standby")]),
    ...(inMaintenance ? [span(" (in maintenance mode)", "maint")] : []),
    ...(features === undefined ? [] : [span(`, feature set ${features}`)]),
  ];
}

function nodeItems(source: NarrowedSource, wishes: MonitorWishes): PageElement[] {
  return byName(source.facts.nodes).map((node) => {
    const name = `${nodeName(node, wishes.detail)}:`;
    const spans = nodeSpans(source, wishes, node);
    if (!wishes.byNode) return item(span(name, "bold"), ...spans);
    const below = linesBelowNode(source, wishes, node).map(({ line, whole }) => leaf(line, whole));
    const resources = below.length === 0 ? [] : [item(...titled("Resources", below))];
    return item(...titled(name, [item(span("Status:"), ...spans), ...resources]));
  });
}

function attributeItems({ facts }: NarrowedSource, { detail }: MonitorWishes): PageElement[] {
  return attributesOf(facts).map(({ node, shown }) => {
    const rows = shown.map(({ name, value, expected }) => {
      const text = `${name}: ${value}`;
      if (expected === undefined) return textItem(text);
      const reached = Number.parseInt(value, 10) || 0;
      if (reached >= expected) return item(span(text));
      const words = reached <= 0 ? "(connectivity is lost)" : `(connectivity is degraded -- expected ${expected})`;
      return item(span(text), span(words, "bold"));
    });
    return item(...titled(`${nodeName(node, detail)}:`, rows));
  });
}

function block(title: string, items: readonly PageElement[]): PageElement[] {
  return [{ tag: "h2", content: title }, list(items)];
}

function blocksOf(whole: MonitorSource, wishes: MonitorWishes): PageElement[] {
  const source = narrow(whole, wishes);
  const options = optionItems(source, wishes);
  const withOptions = options.length === 0 ? [] : block("Config Options", options);
  const summary = summaryItems(source, wishes);
  const told = ({ kind, lines }: Section) => {
    if (kind === "nodes") return nodeItems(source, wishes);
    if (kind === "attributes") return attributeItems(source, wishes);
    // A page sets what a ticket is apart by a tab.
    return itemsOf(kind === "tickets" ? lines.map((line) => line.replace(": ", ":\t")) : lines);
  };
  const rest = sectionsOf(whole, wishes)
    .filter(({ kind }) => kind !== "summary")
    .flatMap((section) => block(section.title, told(section)));
  return [...(summary.length === 0 ? [] : block("Cluster Summary", summary)), ...withOptions, ...rest];
}

export interface Page {
  /** Makes a browser ask again; 0 does not. */
  readonly refreshSeconds: number;
  readonly title?: string | undefined;
  /** Where a browser finds another one; it comes behind ours, and prevails. */
  readonly stylesheet?: string | undefined;
}

const escapeValue = (text: string) => escapeText(text).replaceAll('"', "&quot;");

export function monitorHtml(source: MonitorSource, wishes: MonitorWishes, page: Page): string {
  const { refreshSeconds, title = "Cluster Status", stylesheet } = page;
  const link = stylesheet === undefined ? [] : [`<link rel="stylesheet" href="${escapeValue(stylesheet)}">`];
  const refresh = refreshSeconds > 0 ? [`<meta http-equiv="refresh" content="${refreshSeconds}">`] : [];
  const blocks = printElements(blocksOf(source, wishes));
  return [
    "<!DOCTYPE html>",
    '<html lang="en">',
    "<head>",
    `<title>${escapeText(title)}</title>`,
    '<meta charset="utf-8">',
    ...refresh,
    `<style>${STYLE}</style>`,
    ...link,
    "</head>",
    blocks === "" ? "<body></body>" : `<body>\n${blocks}\n</body>`,
    "</html>",
  ].join("\n");
}
