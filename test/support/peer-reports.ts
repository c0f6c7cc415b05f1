/** Where Debian's crm_simulate 2.1.5 decides as we do, and is known to tell it wrongly or for no reason otherwise. */
import { printXml, type XmlElement } from "../../src/base/xml.ts";
import { cloneIds, withColocations } from "./cib-variants.ts";
import { askOurs, askPeer, compare, type Outputs } from "./scheduler-peer.ts";

/**
 * That the instances of a clone do not hear who would be with it, where it bears on nothing but their numbers, which
 * mean nothing: told without numbers both tell the same lines, and where nobody would be with a clone the very same
 * report.
 */
export function numbersOtherwise(cib: XmlElement, ours: Outputs, theirs: Outputs): boolean {
  const unnumbered = ({ report }: Outputs) =>
    report
      .split("\n")
      .map((line) => line.replaceAll(/(?<=[\w-]):\d+(?= )/g, "").replaceAll(/\s+/g, " "))
      .filter((line) => line.trim() !== "")
      .sort()
      .join("\n");
  if (unnumbered(ours) !== unnumbered(theirs)) return false;
  const clones = new Set(cloneIds(cib));
  const isCompany = ({ attributes }: XmlElement) => clones.has(attributes["with-rsc"] ?? "");
  const text = printXml(withColocations(cib, (each) => (isCompany(each) ? undefined : each)));
  const [mine, other] = text === printXml(cib) ? [] : [askOurs(text), askPeer(text)];
  return mine !== undefined && other !== undefined && compare(text, mine, other) === undefined;
}

const CLONE = /^( +)\* Clone Set: (\S+)/;
const LOST = /\(UNCLEAN, .*(?:unmanaged|maintenance|blocked)/;

/** What the report says of each clone and of all else; a clone is told in what is indented below its head. */
export function clonesApart(report: string): { readonly clones: ReadonlyMap<string, string>; readonly rest: string } {
  const clones = new Map<string, string>();
  const rest: string[] = [];
  let open: { readonly id: string; readonly indent: number } | undefined;
  for (const line of report.split("\n")) {
    const [, indent = "", id] = CLONE.exec(line) ?? [];
    if (id !== undefined) open = { id, indent: indent.length };
    else if (open !== undefined && line.search(/\S/) <= open.indent) open = undefined;
    if (open === undefined) rest.push(line);
    else clones.set(open.id, `${clones.get(open.id) ?? ""}${line}\n`);
  }
  return { clones, rest: rest.join("\n") };
}

/**
 * Of an instance that is not managed, on a node that is lost, 2.1.5 says nothing, or that it is stopped, or that it
 * runs there and is stopped; later versions tell of it like of any other (stop-failure-no-quorum).
 */
export function forgetsWhatIsLost(cib: string, theirs: Outputs, ours: Outputs): boolean {
  const our = clonesApart(ours.report);
  const lost = [...our.clones].filter(([, told]) => LOST.test(told)).map(([id]) => id);
  if (lost.length === 0) return false;
  const without = (outputs: Outputs) => {
    const { clones, rest } = clonesApart(outputs.report);
    const kept = [...clones].filter(([id]) => !lost.includes(id)).map(([, told]) => told);
    return { ...outputs, report: [rest, ...kept].join("\n") };
  };
  return compare(cib, without(ours), without(theirs)) === undefined;
}

/**
 * A stop that has been done beside one that seems under way, as only a simulated stop leaves them: 2.1.5 tells where
 * such a resource is stopped, as if it were somewhere.
 */
export function saysWhereItIsStopped(cib: string, theirs: Outputs, ours: Outputs): boolean {
  const report = theirs.report.replaceAll(/(\(\S+\):\t Stopped) [^\s([]+(?= \((?!LOCKED)|$)/gm, "$1");
  return report !== theirs.report && compare(cib, ours, { ...theirs, report }) === undefined;
}
