/**
 * Where Debian's crm_simulate 2.1.5 is known to decide wrongly. Each explanation is as narrow as it can be said: a
 * shape of its own answer that no right answer has, or a fact that it demonstrably does not hear or hears too loud, so
 * that its answer is ours to the letter once that fact is taken out of the CIB.
 */
import { parseXml, printXml, type XmlElement } from "../../src/base/xml.ts";
import {
  allIn,
  cloneIds,
  withAllGroups,
  withAllJoined,
  withColocations,
  withIdleWishes,
  withMandatoryFirst,
  withOneWayOrders,
  withoutAttributesOfClones,
  withoutClonesWishes,
  withoutContradictions,
  withoutPromotedCompany,
  withoutPromotedGroups,
  withoutPromotion,
  withoutPromotionBeside,
  withoutReluctance,
  withWholeGroups,
} from "./cib-rewrites.ts";
import { askOurs, askPeer, compare, type Outputs } from "./scheduler-peer.ts";
import { tellsOtherTrueReasons } from "./true-reasons.ts";

/** What a line of the Transition Summary says of one instance of a clone. */
interface Motion {
  readonly id: string;
  readonly instance: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

const ROLES = /\b(?:Promoted|Unpromoted|Started|Stopped)\b/g;

function motionsIn(report: string): Motion[] {
  return report.split("\n").flatMap((line) => {
    const [, verb = "", id = "", instance = "", places = ""] =
      /^ +\* (\w[\w-]*) +(\S+):(\d+) +\( (.*?) \)/.exec(line) ?? [];
    if (verb === "") return [];
    const [left = "", right] = places.split("->").map((side) => side.replaceAll(ROLES, "").trim());
    const only = right === undefined || right === "" ? left : right;
    const from = verb === "Start" || (left === "" && /Stopped/.test(places)) ? undefined : left || only;
    return [{ id, instance, from, to: verb === "Stop" ? undefined : only || left }];
  });
}

const isOther = (one: Motion, other: Motion) => one.id === other.id && one.instance !== other.instance;

/** Instances that leave a node only to let another one start where they were: mended after 2.1.5. */
function tradesPlaces(motions: readonly Motion[]): boolean {
  return motions.some(
    (one) =>
      one.from !== undefined &&
      one.from !== one.to &&
      motions.some((other) => isOther(one, other) && other.to === one.from && other.from !== one.from),
  );
}

/**
 * An instance that is sent to a better node although another one, yet to be placed, could have it: 2.1.5 tries but once
 * to leave an instance where it is. We leave it there and give the better node to the other one.
 */
function sendsTheWrongOne(theirs: readonly Motion[], ours: readonly Motion[]): boolean {
  return theirs.some(
    (moved) =>
      moved.from !== undefined &&
      moved.to !== undefined &&
      moved.from !== moved.to &&
      ours.some((other) => isOther(moved, other) && other.to === moved.to && other.from !== other.to) &&
      !ours.some((same) => same.id === moved.id && same.from === moved.from && same.to !== moved.from),
  );
}

/** Two instances on one node although one node takes but one: it asks a cloned group's score, and then its member's. */
function crowds(motions: readonly Motion[], cib: XmlElement, report: string): boolean {
  if (/name="(?:globally-unique|clone-node-max)"/.test(printXml(cib))) return false;
  return motions.some(
    (one) =>
      one.to !== undefined &&
      one.from !== one.to &&
      (motions.some((other) => isOther(one, other) && other.to === one.to) ||
        (activeNow(cib, report, one.id).includes(one.to) &&
          !motions.some((other) => isOther(one, other) && other.from === one.to))),
  );
}

/** The nodes on which the report says, before all, that the clone of a primitive is active. */
function activeNow(cib: XmlElement, report: string, primitive: string): readonly string[] {
  const clone = allIn(cib, "clone").find((each) =>
    allIn(each, "primitive").some(({ attributes }) => attributes["id"] === primitive),
  );
  const [before = ""] = report.split("Transition Summary");
  const told = clonesApart(before).clones.get(clone?.attributes["id"] ?? "") ?? "";
  return [...told.matchAll(/\* (?:Started|Promoted|Unpromoted): \[ (.*) \]/g)].flatMap(([, nodes = ""]) =>
    nodes.split(" "),
  );
}

/** Who would be with, or away from, another one, and has somebody behind itself whose wishes it passes on. */
function passesWishesOn(cib: XmlElement): (each: XmlElement) => boolean {
  const colocations = allIn(cib, "rsc_colocation");
  const groups = allIn(cib, "group");
  return ({ name, attributes: { rsc = "", score = "" } }) => {
    if (name !== "rsc_colocation" || rsc === "" || /INFINITY$/.test(score)) return false;
    const members = groups.find(({ attributes }) => attributes["id"] === rsc)?.children ?? [];
    const isChain = members.filter((member) => member.name === "primitive").length > 1;
    return isChain || colocations.some(({ attributes }) => attributes["with-rsc"] === rsc);
  };
}

function quieted(element: XmlElement, isLoud: (each: XmlElement) => boolean): XmlElement {
  const attributes = isLoud(element) ? { ...element.attributes, influence: "false" } : element.attributes;
  return { ...element, attributes, children: element.children.map((child) => quieted(child, isLoud)) };
}

/**
 * 2.1.5 counts in full what those want that are behind a wish; later versions weigh it by that wish, as the reference
 * cases coloc-dependee-should-move and -stay have it. Where such wishes have no influence, both must agree.
 */
function hearsTooLoud(cib: XmlElement): boolean {
  const told = withColocations(cib, (each) => each);
  return agreeWhenQuiet(told, passesWishesOn(told));
}

/**
 * With 2.1.5 the instances of a clone do not hear who must be with their clone; later versions have them hear it
 * (primitive-with-group-with-promoted). Where nobody wants to move a clone, both must agree.
 */
function isDeafToClonesCompany(cib: XmlElement): boolean {
  const clones = new Set(cloneIds(cib));
  const isMandatory = ({ name, attributes }: XmlElement) =>
    name === "rsc_colocation" && clones.has(attributes["with-rsc"] ?? "") && attributes["score"] === "INFINITY";
  return agreeWhenQuiet(cib, isMandatory);
}

const agreeWhenQuiet = (cib: XmlElement, isLoud: (each: XmlElement) => boolean) => agreeOn(cib, quieted(cib, isLoud));

/** Whether both decide alike what is put otherwise. */
function agreeOn(cib: XmlElement, other: XmlElement): boolean {
  const text = printXml(other);
  if (text === printXml(cib)) return false;
  const theirs = askPeer(text);
  if (theirs === undefined) return false;
  const found = compare(text, askOurs(text), theirs);
  return found === undefined || found.level === "report";
}

/**
 * The same where it bears on nothing but the numbers of instances, which mean nothing: told without numbers both tell
 * the same lines, and where nobody would be with a clone the very same report.
 */
function numbersOtherwise(cib: XmlElement, ours: Outputs, theirs: Outputs): boolean {
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

/** Whether it is only this that tells them apart: put otherwise, ours stays as it is, and the peer says the same. */
function agreesPut(cib: XmlElement, ours: Outputs, other: XmlElement): boolean {
  const text = printXml(other);
  if (text === printXml(cib) || isDecidedOtherwise(text, ours, askOurs(text))) return false;
  const theirs = askPeer(text);
  return theirs !== undefined && !isDecidedOtherwise(text, ours, theirs);
}

function isDecidedOtherwise(cib: string, ours: Outputs, theirs: Outputs): boolean {
  const found = compare(cib, ours, theirs);
  return found !== undefined && found.level !== "report";
}

/**
 * It stops or demotes what a member that cannot be stopped stands on, where the order names the clone or group as a
 * whole; ours tells it as blocked (docs/decisions/blocked-ground.md). With no way back of the orders both do the same.
 */
function takesTheGround(cib: XmlElement, ours: Outputs, theirs: Outputs): boolean {
  const kept = new Set(
    [...ours.picture.matchAll(/"(\S+) (\S+)" \[ style=dashed/g)].map(
      ([, key = "", node = ""]) => `${key.replace(/:\d+(?=_(?:stop|demote)_0$)/, "")} ${node}`,
    ),
  );
  const isTaken = (line: string) => {
    const [, key = "", node = ""] = /^missing action rsc_op\|(?:stop|demote)\|(\S+)\|(\w+)$/.exec(line) ?? [];
    return kept.has(`${key} ${node}`);
  };
  if (compare(printXml(cib), ours, theirs)?.lines.some(isTaken) !== true) return false;
  const oneWay = printXml(withOneWayOrders(cib));
  const other = askPeer(oneWay);
  const left = other === undefined ? "actions" : compare(oneWay, askOurs(oneWay), other)?.level;
  return left !== "actions" && left !== "order";
}

/**
 * What a member that cannot be stopped stands on would stop, and cannot. Whether 2.1.5 tells so in a promotable clone
 * is chance: by the members' roles it comes upon the one or the other step first. In any other clone it always does,
 * and we do in each: what an operator must mend is not kept from him.
 */
function forgetsWhatCannotStop(cib: XmlElement, ours: Outputs, theirs: Outputs): boolean {
  const lines = compare(printXml(cib), ours, theirs)?.lines ?? [];
  if (!lines.every((line) => /^surplus blocked "\S+_(?:start|stop)_0 \w+$/.test(line))) return false;
  const plain = askPeer(printXml(withoutPromotion(cib)));
  const told = new Set(
    [...(plain?.picture ?? "").matchAll(/"(\S+) (\S+)" \[ style=dashed/g)].map(
      ([, key = "", node = ""]) => `surplus blocked "${key.replace(/:\d+(?=_)/, "")} ${node}`,
    ),
  );
  return lines.every((line) => told.has(line));
}

const SISTERS_PROBE = /^ +\* Stop +(\S+):(\d+) +\( +\S+ \) +due to unrunnable (?!\1:\2 )\1:\d+ monitor$/gm;

/**
 * It stops an instance where it runs, on a node that is well, because another one cannot be looked for on a node that
 * is still joining; ours runs on. Once the node has joined both do the same.
 */
function stopsForASistersProbe(cib: XmlElement, ours: Outputs, theirs: Outputs): boolean {
  const stopped = [...theirs.report.matchAll(SISTERS_PROBE)].map(([, id, number]) => `${id}:${number}`);
  const isKept = (instance: string) => !new RegExp(`\\* Stop +${instance} `).test(ours.report);
  return stopped.some(isKept) && agreeOn(cib, withAllJoined(cib));
}

const BLOCKED = /^ +\* (\S+)\t.*\bblocked\)$/gm;

/**
 * Who would be promoted with something that has failed to stop, and so stands where it is banned, it does not promote
 * and even demotes, however weak the wish: the ban counts against the promotion. Ours leaves promoted what is.
 */
function shunsWhatIsBlocked(cib: XmlElement, ours: Outputs): boolean {
  const blocked = new Set([...ours.report.matchAll(BLOCKED)].map(([, id = ""]) => id));
  return blocked.size > 0 && agreeOn(cib, withoutPromotionBeside(cib, blocked));
}

/** A start of what is active elsewhere, and not yet here, that 2.1.5 only pretends. */
function pretendsToStart(cib: XmlElement, ours: Outputs, theirs: Outputs): boolean {
  const text = printXml(cib);
  const lines = compare(text, ours, theirs)?.lines ?? [];
  const ids = allIn(cib, "primitive")
    .filter((each) => /name="multiple-active" value="stop_unexpected"/.test(printXml(each)))
    .map(({ attributes }) => attributes["id"] ?? "");
  const pretended = ids.filter((id) => lines.includes(`missing action pseudo_event|start|${id}_start_0|`));
  return (
    pretended.length > 0 &&
    lines.every((line) => pretended.some((id) => line.includes(`|start|${id}_start_0|`))) &&
    pretended.every((id) => motionOf(id).test(theirs.report))
  );
}

/** It moves: where it is to start, it does not run. */
const motionOf = (id: string) =>
  new RegExp(`^ +\\* Move +${id} +\\( +\\S+ -> \\S+ +\\)  due to being multiply active$`, "m");

/**
 * A monitor whose recorded failure has expired is set up anew by 2.1.5 even where the resource is stopped in the same
 * transition, in no order with that stop.
 */
function watchesWhatLeaves(cib: XmlElement, ours: Outputs, theirs: Outputs): boolean {
  const lines = compare(printXml(cib), ours, theirs)?.lines ?? [];
  const steps = new Set(
    [...theirs.picture.matchAll(/"(\S+) (\S+)" \[/g)].map(([, key = "", node = ""]) => `${key} ${node}`),
  );
  return lines.every((line) => {
    const [, id = "", intervalMs = "", node = ""] =
      /^missing (?:action rsc_op\|monitor\||blocked ")(\S+)_monitor_([1-9]\d*)[ |](\w+)$/.exec(line) ?? [];
    return (
      steps.has(`${id}_stop_0 ${node}`) &&
      !steps.has(`${id}_start_0 ${node}`) &&
      allIn(cib, "lrm_rsc_op").some(
        ({ attributes: { interval, "rc-code": code, ...of } }) =>
          interval === intervalMs && of["operation_key"] === `${id}_monitor_${intervalMs}` && code !== "0",
      )
    );
  });
}

const CLONE = /^( +)\* Clone Set: (\S+)/;
const LOST = /\(UNCLEAN, .*(?:unmanaged|maintenance|blocked)/;

/** What the report says of each clone and of all else; a clone is told in what is indented below its head. */
function clonesApart(report: string): { readonly clones: ReadonlyMap<string, string>; readonly rest: string } {
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
function forgetsWhatIsLost(cib: string, theirs: Outputs, ours: Outputs): boolean {
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
function saysWhereItIsStopped(cib: string, theirs: Outputs, ours: Outputs): boolean {
  const report = theirs.report.replaceAll(/(\(\S+\):\t Stopped) [^\s([]+(?= \((?!LOCKED)|$)/gm, "$1");
  return report !== theirs.report && compare(cib, ours, { ...theirs, report }) === undefined;
}

/** Why the peer may differ here and be wrong; `undefined` when nothing is known to excuse it. */
export function explanationOf(cib: string, theirs: Outputs, ours: Outputs = askOurs(cib)): string | undefined {
  const read = parseXml(cib);
  if (read.kind === "not-xml") return undefined;
  const [their, our] = [motionsIn(theirs.report), motionsIn(ours.report)];
  if (tradesPlaces(their) && !tradesPlaces(our)) return "instances trade places (mended after 2.1.5)";
  if (sendsTheWrongOne(their, our)) return "a settled instance makes room for one that moves anyway";
  if (crowds(their, read.root, theirs.report) && !crowds(our, read.root, ours.report))
    return "two instances of a clone on one node";
  const isDecision = compare(cib, ours, theirs)?.level !== "report";
  const agreesWithout = (cut: XmlElement) => {
    if (printXml(cut) === printXml(read.root)) return false;
    const left = compare(cib, askOurs(printXml(cut)), theirs);
    return left === undefined || (isDecision && left.level === "report");
  };
  const clones = new Set(cloneIds(read.root));
  if (agreesWithout(withoutClonesWishes(read.root, clones)) || agreesWithout(withIdleWishes(read.root, clones)))
    return "an optional colocation of a clone is not heard (mended after 2.1.5)";
  if (isDecision && agreesWithout(withoutPromotedCompany(read.root, clones)))
    return "what must be with a clone to be promoted is not heard (mended after 2.1.5)";
  if (isDecision && agreeOn(read.root, withoutPromotedGroups(read.root)))
    return "what a clone of groups is promoted with is not heard (mended: coloc-cloned-group-promoted-dependent1)";
  if (agreesWithout(withoutAttributesOfClones(read.root, clones)))
    return "the node attribute of a mandatory colocation with a clone is not heard (against the documentation)";
  if (isDecision && pretendsToStart(read.root, ours, theirs))
    return "stop_unexpected, moved to where it does not run, is taken for started there";
  if (isDecision && agreesPut(read.root, ours, withoutReluctance(read.root)))
    return "a wish undoes a must (mended after 2.1.5: group-anticolocation-2, failed-sticky-anticolocated-group)";
  if (isDecision && agreesPut(read.root, ours, withWholeGroups(read.root)))
    return "what a later member must be with binds not its group (mended after 2.1.5: coloc-with-inner-group-member)";
  if (isDecision && agreesPut(read.root, ours, withMandatoryFirst(read.root)))
    return "a wish is followed before a must (mended after 2.1.5: group-anticolocation-2)";
  if (isDecision && hearsTooLoud(read.root)) return "wishes behind a wish are heard in full (mended after 2.1.5)";
  if (isDecision ? isDeafToClonesCompany(read.root) : numbersOtherwise(read.root, ours, theirs))
    return "instances do not hear who would be with their clone";
  if (isDecision && takesTheGround(read.root, ours, theirs))
    return "what stands under a member that cannot be stopped is taken from under it (never ours)";
  if (isDecision && forgetsWhatCannotStop(read.root, ours, theirs))
    return "what cannot stop is told in a clone that is not promotable only";
  if (isDecision && agreeOn(read.root, withoutContradictions(read.root)))
    return "what must always and must never be with another one is decided either way";
  if (isDecision && agreeOn(read.root, withAllGroups(read.root)))
    return "of a clone of groups those that merely begin count for clone-min and require-all";
  if (isDecision && stopsForASistersProbe(read.root, ours, theirs))
    return "an instance is stopped because another one cannot be looked for (never ours)";
  if (isDecision && shunsWhatIsBlocked(read.root, ours))
    return "nobody is promoted beside what has failed to stop (never ours)";
  if (isDecision && watchesWhatLeaves(read.root, ours, theirs))
    return "a monitor whose failure has expired is set up where its resource only stops";
  if (!isDecision && forgetsWhatIsLost(cib, theirs, ours)) return "what is lost and not managed is told as stopped";
  if (!isDecision && saysWhereItIsStopped(cib, theirs, ours)) return "what is stopped is told to be stopped somewhere";
  if (!isDecision && tellsOtherTrueReasons(read.root, theirs.report, ours.report)) return "another true reason is told";
  return undefined;
}
