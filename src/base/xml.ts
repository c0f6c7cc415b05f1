/**
 * Strict XML for the CIB: elements with attributes, in plain data that can be logged, diffed and replayed.
 * Comments, processing instructions and the XML declaration are skipped; a DTD is refused (entity bombs), as are
 * undefined entities, duplicate attributes and anything beyond the limits. Text is kept only where it is not blank.
 * The order of attributes and children is kept, so that parse and print make a round trip.
 * Fact: XML 1.0, section 2 to 4.
 */
import { entryOf, setEntry } from "./record.ts";
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Character data of the element, all pieces joined, when it is not only white space. */
  readonly text?: string;
}

export type XmlRead =
  | { readonly kind: "xml"; readonly root: XmlElement }
  | { readonly kind: "not-xml"; readonly line: number; readonly reason: string };

/** A CIB nests some ten levels; rules may nest further. Deeper input is an attack on the stack. */
export const DEPTH_MAX = 200;
/** Far above the largest CIB seen (0.8 MB); bounds the memory that hostile input can claim. */
export const LENGTH_MAX = 64 * 1024 * 1024;

interface OpenElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
const NAME = "[A-Za-z_:\\u00c0-\\uffff][-.\\w:\\u00b7-\\uffff]*";
const TAG = new RegExp(`<(${NAME})|</(${NAME})\\s*>`, "y");
const ATTRIBUTE = new RegExp(`\\s+(${NAME})\\s*=\\s*(?:"([^"<]*)"|'([^'<]*)')`, "y");
const TAG_END = /\s*(\/?)>/y;
const BLANK = /^\s*$/;
const NO_CHILDREN: readonly XmlElement[] = [];

class XmlFault extends Error {}

function decode(raw: string): string {
  if (!raw.includes("&")) return raw;
  return raw.replaceAll(/&([^;&\s]*);?/g, (whole, name: string) => {
    const code = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
    const value =
      code === null ? undefined : Number.parseInt(code[1] ?? code[2] ?? "", code[1] === undefined ? 10 : 16);
    if (value !== undefined && value > 0 && value <= 0x10ffff && whole.endsWith(";"))
      return String.fromCodePoint(value);
    const entity = entryOf(ENTITIES, name);
    if (entity === undefined || !whole.endsWith(";")) throw new XmlFault(`undefined entity ${whole}`);
    return entity;
  });
}

/** The position after a comment, instruction or CDATA piece at `at`; the text of CDATA goes to `addText`. */
function skipMarkup(source: string, at: number, addText: (text: string) => void): number {
  for (const [open, close] of [
    ["<!--", "-->"],
    ["<?", "?>"],
    ["<![CDATA[", "]]>"],
  ] as const) {
    if (!source.startsWith(open, at)) continue;
    const end = source.indexOf(close, at + open.length);
    if (end < 0) throw new XmlFault(`${open} is never closed`);
    if (open === "<![CDATA[") addText(source.slice(at + open.length, end));
    return end + close.length;
  }
  if (source.startsWith("<!", at)) throw new XmlFault("document type declarations are refused");
  return at;
}

function readAttributes(source: string, from: number, attributes: Record<string, string>): number {
  let at = from;
  for (;;) {
    ATTRIBUTE.lastIndex = at;
    const match = ATTRIBUTE.exec(source);
    if (match === null) return at;
    const name = match[1] ?? "";
    if (Object.hasOwn(attributes, name)) throw new XmlFault(`attribute ${name} stands twice`);
    const value = decode(match[2] ?? match[3] ?? "");
    setEntry(attributes, name, value);
    at = ATTRIBUTE.lastIndex;
  }
}

function close({ name, attributes, children, text }: OpenElement): XmlElement {
  const kept = text.trim();
  if (kept !== "") return { name, attributes, children, text: kept };
  return { name, attributes, children: children.length === 0 ? NO_CHILDREN : children };
}

function parse(source: string, position: { at: number }): XmlElement {
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  const finish = (element: OpenElement) => {
    const parent = open.at(-1);
    if (parent === undefined) root = close(element);
    else parent.children.push(close(element));
  };
  const addText = (text: string) => {
    const parent = open.at(-1);
    // White space before all else is trimmed in the end: what stands between most elements need not be kept until then.
    if (parent !== undefined && parent.text === "" && BLANK.test(text)) return;
    if (parent !== undefined) parent.text += text;
    else if (/[^\s\ufeff]/.test(text)) throw new XmlFault("text outside of the root element");
  };
  while (position.at < source.length) {
    const next = source.indexOf("<", position.at);
    const textEnd = next < 0 ? source.length : next;
    if (textEnd > position.at) addText(decode(source.slice(position.at, textEnd)));
    position.at = textEnd;
    if (next < 0) break;
    const after = skipMarkup(source, next, addText);
    if (after > next) {
      position.at = after;
      continue;
    }
    TAG.lastIndex = next;
    const tag = TAG.exec(source);
    if (tag === null) throw new XmlFault("not a tag");
    position.at = TAG.lastIndex;
    if (tag[1] === undefined) {
      const element = open.pop();
      if (element === undefined || element.name !== tag[2])
        throw new XmlFault(`</${tag[2]}> closes ${element?.name ?? "nothing"}`);
      finish(element);
      continue;
    }
    if (root !== undefined) throw new XmlFault("a second root element");
    const element: OpenElement = { name: tag[1], attributes: {}, children: [], text: "" };
    position.at = readAttributes(source, position.at, element.attributes);
    TAG_END.lastIndex = position.at;
    const end = TAG_END.exec(source);
    if (end === null) throw new XmlFault(`the tag <${element.name}> is malformed`);
    position.at = TAG_END.lastIndex;
    if (end[1] === "/") finish(element);
    else open.push(element);
    if (open.length > DEPTH_MAX) throw new XmlFault(`nested deeper than ${DEPTH_MAX} levels`);
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) throw new XmlFault(`<${unclosed.name}> is never closed`);
  if (root === undefined) throw new XmlFault("there is no element");
  return root;
}

/** Reads one document of at most LENGTH_MAX characters. Never throws on bad input. */
export function parseXml(source: string): XmlRead {
  if (source.length > LENGTH_MAX) return { kind: "not-xml", line: 1, reason: `longer than ${LENGTH_MAX} characters` };
  const position = { at: 0 };
  try {
    return { kind: "xml", root: parse(source, position) };
  } catch (error) {
    if (!(error instanceof XmlFault)) throw error;
    return { kind: "not-xml", line: source.slice(0, position.at).split("\n").length, reason: error.message };
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  '"': "&quot;",
  "\n": "&#10;",
  "\t": "&#9;",
  "\r": "&#13;",
};

/** Signs that no document may hold, not even as a number (XML 1.0, section 2.2). */
const NO_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Whether a document can hold the text as it is. */
export const isXmlText = (value: string): boolean => !NO_XML.test(value);

/** Whether an attribute or element may be called so. */
export const isXmlName = (value: string): boolean => new RegExp(`^(?:${NAME})$`).test(value);

/**
 * As the value of an attribute stands in the document. A sign that no document may hold becomes U+FFFD: what an agent
 * has printed into its reason must not make the whole CIB unreadable.
 */
export function escapeXml(value: string): string {
  // Nothing unusual at all, in one look: neither signs of XML's own, nor controls, nor what takes two units.
  if (/^[ !#-%'-;=?-\ud7ff\ue000-\ufffd]*$/.test(value)) return value;
  const clean = isXmlText(value) ? value : value.replaceAll(new RegExp(NO_XML, "gu"), "\ufffd");
  return clean.replaceAll(/[<>&"\n\t\r]/g, (sign) => entryOf(ESCAPES, sign) ?? sign);
}

function print(element: XmlElement, indent: string, lines: string[]): void {
  let tag = `${indent}<${element.name}`;
  for (const [name, value] of Object.entries(element.attributes)) tag += ` ${name}="${escapeXml(value)}"`;
  if (element.children.length === 0) {
    lines.push(element.text === undefined ? `${tag}/>` : `${tag}>${escapeXml(element.text)}</${element.name}>`);
    return;
  }
  lines.push(element.text === undefined ? `${tag}>` : `${tag}>${escapeXml(element.text)}`);
  for (const child of element.children) print(child, `${indent}  `, lines);
  lines.push(`${indent}</${element.name}>`);
}

/** The document, two spaces a level, ending with a line feed. */
export function printXml(root: XmlElement): string {
  const lines: string[] = [];
  print(root, "", lines);
  return `${lines.join("\n")}\n`;
}

/** A new element; for building trees by hand. */
export function xml(
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  children: readonly XmlElement[] = [],
): XmlElement {
  return { name, attributes, children };
}

/** The first child of that name. */
export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  if (element !== undefined) for (const child of element.children) if (child.name === name) return child;
  return undefined;
}

/** All children of that name, in document order. */
export function childrenOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  if (element === undefined || childOf(element, name) === undefined) return NO_CHILDREN;
  return element.children.filter((child) => child.name === name);
}
