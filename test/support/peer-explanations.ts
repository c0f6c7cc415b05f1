/**
 * Where Debian's crm_simulate 2.1.5 is known to decide wrongly. Each explanation is as narrow as it can be said: a
 * shape of its own answer that no right answer has, or a fact that it demonstrably does not hear, so that its answer is
 * ours to the letter once that fact is taken out of the CIB.
 */
import { parseXml, printXml, type XmlElement } from "../../src/base/xml.ts";
import { askOurs, compare, type Outputs } from "./scheduler-peer.ts";

/** Anonymous instances that the peer moves only to start another one where they were: mended after 2.1.5. */
function tradesPlaces(report: string): boolean {
  const lines = report.split("\n");
  return lines.some((line) => {
    const move = /\* (?:Move|Recover|Restart|Stop|Promote|Demote) +(\S+):\d+ +\( *(?:\w+ )?([\w-]+) -> /.exec(line);
    if (move === null) return false;
    const [, id = "", from = ""] = move;
    return lines.some(
      (other) =>
        other.includes("* ") &&
        other.includes(` ${id}:`) &&
        new RegExp(`(?:Start|Promote) .*[( ]${from} \\)`).test(other) &&
        other !== line,
    );
  });
}

/** Two instances on one node although one node takes but one: it asks a cloned group's score, and then its member's. */
function crowds(report: string, cib: XmlElement): boolean {
  if (/name="(?:globally-unique|clone-node-max)"/.test(printXml(cib))) return false;
  const places = report.split("\n").flatMap((line) => {
    const [, action = "", id = "", instance = "", node = ""] =
      /\* (\w+) +(\S+):(\d+) +\( .*?([\w-]+) \)/.exec(line) ?? [];
    return action === "" || action === "Stop" ? [] : [{ place: `${id} ${node}`, instance }];
  });
  return places.some(({ place, instance }) =>
    places.some((other) => other.place === place && other.instance !== instance),
  );
}

const isOptional = (score: string | undefined) => Number(score) > 0;

/** Without what a clone would merely like to be with: mended after 2.1.5 (bundle-promoted-colocation-4). */
function withoutClonesWishes(element: XmlElement, clones: ReadonlySet<string>): XmlElement {
  const children = element.children.filter(
    ({ name, attributes }) =>
      name !== "rsc_colocation" || !clones.has(attributes["rsc"] ?? "") || !isOptional(attributes["score"]),
  );
  return { ...element, children: children.map((child) => withoutClonesWishes(child, clones)) };
}

function cloneIds(element: XmlElement): string[] {
  const own = element.name === "clone" ? [element.attributes["id"] ?? ""] : [];
  return [...own, ...element.children.flatMap(cloneIds)];
}

/** Why the peer may differ here and be wrong; `undefined` when nothing is known to excuse it. */
export function explanationOf(cib: string, theirs: Outputs): string | undefined {
  const read = parseXml(cib);
  if (read.kind === "not-xml") return undefined;
  if (tradesPlaces(theirs.report)) return "instances trade places (mended after 2.1.5)";
  if (crowds(theirs.report, read.root)) return "two instances of a clone on one node";
  const unheard = printXml(withoutClonesWishes(read.root, new Set(cloneIds(read.root))));
  if (unheard !== printXml(read.root) && compare(cib, askOurs(unheard), theirs) === undefined)
    return "an optional colocation of a clone is not heard (mended after 2.1.5)";
  return undefined;
}
