/**
 * How `stonith_admin` answers: lists and errors as text or XML, and its exit codes.
 * Facts: stonith_admin 2.1.5 with its fencer, as a black box.
 */
import process from "node:process";
import { printXml, type XmlElement, xml } from "../../base/xml.ts";
import { API_VERSION } from "../../cluster/core/monitor/xml.ts";
import { EXIT, FIELD_EXIT } from "./ask.ts";

export type Form = "text" | "xml";

/** As crm_error names them; the field's code for "nobody to ask" is another than ours. */
const MEANINGS: Readonly<Record<number, string>> = {
  [EXIT.done]: "OK",
  [EXIT.refused]: "Error occurred",
  [EXIT.wrongCall]: "Incorrect usage",
  [FIELD_EXIT.disconnected]: "Not connected",
  [FIELD_EXIT.notFound]: "No such object",
};

export interface Listing {
  /** As the XML has it: `registered fence devices`. */
  readonly name: string;
  /** What is counted: `fence device`. */
  readonly one: string;
  /** Of each item in XML; undefined: it has none. */
  readonly item: string | undefined;
  readonly words: readonly string[];
}

export interface Answer {
  readonly code: number;
  readonly list?: Listing;
  readonly lines?: readonly string[];
  readonly errors?: readonly string[];
}

const say = (stream: NodeJS.WriteStream, lines: readonly string[]) => {
  for (const line of lines) stream.write(`${line}\n`);
};

function listXml({ name, item, words }: Listing): XmlElement {
  const items = words.map((word) => ({ ...xml("item", item === undefined ? {} : { name: item }), text: word }));
  return xml("list", { name, count: String(words.length) }, items);
}

/** The end of every answer in XML. */
export function statusXml({ code, errors = [] }: Pick<Answer, "code" | "errors">): XmlElement {
  const told = errors.map((error) => ({ ...xml("error"), text: error }));
  const attributes = { code: String(code), message: MEANINGS[code] ?? "" };
  return xml("status", attributes, told.length === 0 ? [] : [xml("errors", {}, told)]);
}

/** Says it, and hands on the exit code. `request`: the command as it was typed. */
export function tell(form: Form, request: string, answer: Answer): number {
  const { code, list, lines = [], errors = [] } = answer;
  if (form === "xml") {
    const body = [...(list === undefined ? [] : [listXml(list)]), statusXml(answer)];
    say(process.stdout, [printXml(xml("pacemaker-result", { "api-version": API_VERSION, request }, body)).trimEnd()]);
    return code;
  }
  if (list !== undefined) {
    const { words, one } = list;
    say(process.stdout, [...words, `${words.length} ${one}${words.length === 1 ? "" : "s"} found`]);
  }
  say(process.stdout, lines);
  say(process.stderr, errors);
  return code;
}

const FENCE_DEVICE = { one: "fence device", item: "device" } as const;

export const installed = (words: readonly string[]): Listing => ({
  name: "installed fence devices",
  ...FENCE_DEVICE,
  words,
});
export const registered = (words: readonly string[]): Listing => ({
  name: "registered fence devices",
  ...FENCE_DEVICE,
  words,
});
export const targets = (words: readonly string[]): Listing => ({
  name: "fence targets",
  one: "fence target",
  item: undefined,
  words,
});
