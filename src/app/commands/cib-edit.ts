/**
 * A change of the CIB as a whole, where it is: in a file everything may be changed; in a running cluster the
 * configuration and its version, for the status belongs to those who see it.
 */
import { entryOf } from "../../base/record.ts";
import { childOf, printXml, type XmlElement } from "../../base/xml.ts";
import { changeCibFile, cibFile } from "../cib-door.ts";
import { askControl } from "../control-client.ts";
import { inOperatorsWords, tellProblem } from "../japanese/translate.ts";
import { EXIT, FIELD_EXIT, fetchCib } from "./ask.ts";

export type CibChange =
  | { readonly kind: "changed"; readonly cib: XmlElement }
  | { readonly kind: "refused"; readonly reasons: readonly string[]; readonly exitCode: number };

export interface ChangeCall {
  readonly tool: string;
  readonly socketPath: string;
  /** For the history: the tool and its action. */
  readonly door: string;
  readonly tell: (text: string) => void;
}

const same = (left: XmlElement | undefined, right: XmlElement | undefined) =>
  (left === undefined ? "" : printXml(left)) === (right === undefined ? "" : printXml(right));

const countOf = ({ attributes }: XmlElement, name: string) => Number(entryOf(attributes, name) ?? 0);

/** Versions only grow in a running cluster, one step at a time. */
function raiseOf(before: XmlElement, after: XmlElement): "admin-epoch" | "epoch" | undefined {
  if (countOf(after, "admin_epoch") > countOf(before, "admin_epoch")) return "admin-epoch";
  return countOf(after, "epoch") > countOf(before, "epoch") ? "epoch" : undefined;
}

/** Others may change the configuration between our reading and our writing; then it is made anew. */
const TRIES = 5;

async function changeRunning(call: ChangeCall, make: (cib: XmlElement) => CibChange): Promise<number> {
  const { tool, socketPath, door, tell } = call;
  for (let tries = 1; ; tries += 1) {
    const cib = await fetchCib(tool, socketPath);
    if (typeof cib === "number") return cib;
    const made = make(cib);
    if (made.kind === "refused") {
      for (const reason of made.reasons) tell(reason);
      return made.exitCode;
    }
    const [before, after] = [childOf(cib, "configuration"), childOf(made.cib, "configuration")];
    if (after === undefined) {
      tell("a CIB needs a configuration; nothing was changed");
      return FIELD_EXIT.invalid;
    }
    const raises = raiseOf(cib, made.cib);
    if (same(before, after) && raises === undefined) {
      if (same(childOf(cib, "status"), childOf(made.cib, "status"))) return EXIT.done;
      tell(
        "the status is what the nodes see, and is not written by hand in a running cluster: " +
          "use crm_resource --cleanup, crm_attribute -l reboot or crm_ticket; nothing was changed",
      );
      return EXIT.refused;
    }
    const { admin_epoch = "0", epoch = "0" } = cib.attributes;
    const reply = await askControl(socketPath, {
      kind: "cib-apply",
      mode: "replace",
      xml: printXml(after),
      base: `${admin_epoch}.${epoch}`,
      door,
      ...(raises === undefined ? {} : { raises }),
    });
    if (reply.kind === "answer") {
      for (const caution of reply.cautions ?? []) tell(tellProblem(caution));
      return EXIT.done;
    }
    const isStale = reply.kind === "refused" && reply.problems.some(({ place }) => place === "base");
    if (isStale && tries < TRIES) continue;
    for (const reason of reply.kind === "refused" ? reply.problems.map(tellProblem) : [inOperatorsWords(reply.reason)])
      tell(reason);
    return reply.kind === "refused" ? FIELD_EXIT.invalid : FIELD_EXIT.disconnected;
  }
}

/** Answers the exit code; whatever is refused has changed nothing. */
export async function changeWholeCib(call: ChangeCall, make: (cib: XmlElement) => CibChange): Promise<number> {
  const file = cibFile();
  if (file === undefined) return await changeRunning(call, make);
  const cib = await fetchCib(call.tool, call.socketPath);
  if (typeof cib === "number") return cib;
  const made = make(cib);
  const reasons = made.kind === "refused" ? made.reasons : changeCibFile(file, cib, made.cib).map(tellProblem);
  for (const reason of reasons) call.tell(reason);
  if (made.kind === "refused") return made.exitCode;
  return reasons.length > 0 ? FIELD_EXIT.invalid : EXIT.done;
}
