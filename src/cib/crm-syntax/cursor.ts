/**
 * Reading one statement from left to right. The first fault of a statement ends that statement; the reader then goes
 * on with the next one, so that a file gets all its faults at once.
 */
import type { Problem } from "../../base/problem.ts";
import type { XmlElement } from "../../base/xml.ts";
import type { Statement, Token } from "./tokens.ts";

/** Thrown inside a statement and caught by the reader of statements; never leaves this room. */
export class SyntaxFault extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.reason);
    this.problem = problem;
  }
}

export interface Cursor {
  tokens: readonly Token[];
  readonly source: string;
  at: number;
  /** Where parts of the statement stand, so that a problem found later can be told with their line. */
  readonly marks: Map<XmlElement, string>;
}

export function openCursor({ tokens }: Statement, source: string): Cursor {
  return { tokens, source, at: 1, marks: new Map() };
}

export function placeOf(cursor: Cursor, token: Token | undefined): string {
  const { source, tokens } = cursor;
  if (token !== undefined) return `${source}:${token.line}:${token.column}`;
  const last = tokens.at(-1);
  return last === undefined ? source : `${source}:${last.line}:${last.column + last.text.length}`;
}

/** Remembers where an element stands, and gives it back. */
export function mark(cursor: Cursor, token: Token, element: XmlElement): XmlElement {
  cursor.marks.set(element, placeOf(cursor, token));
  return element;
}

export function fault(cursor: Cursor, token: Token | undefined, reason: string, remedy: string): SyntaxFault {
  return new SyntaxFault({ severity: "error", place: placeOf(cursor, token), reason, remedy });
}

export function peek({ tokens, at }: Cursor, ahead = 0): Token | undefined {
  return tokens[at + ahead];
}

/** Whether the next word is one of these, unquoted. */
export function nextIs(cursor: Cursor, ...words: readonly string[]): boolean {
  const token = peek(cursor);
  return token !== undefined && token.plainLength === token.text.length && words.includes(token.text);
}

export function take(cursor: Cursor, what: string): Token {
  const token = peek(cursor);
  if (token === undefined) throw fault(cursor, undefined, `${what} is missing at the end`, `add ${what}`);
  cursor.at += 1;
  return token;
}

/** Takes the next word when it is one of these. */
export function takeIf(cursor: Cursor, ...words: readonly string[]): Token | undefined {
  if (!nextIs(cursor, ...words)) return undefined;
  return take(cursor, "a word");
}

/** XML ids are NCNames; a colon would part an id from a role, a blank or quote would break XPath. */
const ID = /^[A-Za-z_\u00c0-\uffff][-.\w\u00b7-\uffff]*$/;

export function takeId(cursor: Cursor, what = "an id"): string {
  const token = take(cursor, what);
  checkId(cursor, token, token.text);
  return token.text;
}

export function checkId(cursor: Cursor, token: Token, id: string): void {
  if (ID.test(id)) return;
  throw fault(cursor, token, `"${id}" is no id`, "begin with a letter, go on with letters, digits, - _ and .");
}

export interface Pair {
  readonly name: string;
  readonly value: string;
  readonly token: Token;
}

/** `name=value`, or undefined (and nothing taken) when the next word has no `=` outside of quotes. */
export function takePair(cursor: Cursor): Pair | undefined {
  const token = peek(cursor);
  const equals = token?.text.indexOf("=") ?? -1;
  if (token === undefined || equals < 1 || equals >= token.plainLength + (token.text.length === 0 ? 0 : 1)) return;
  cursor.at += 1;
  return { name: token.text.slice(0, equals), value: token.text.slice(equals + 1), token };
}

/** `$id=value` and its like, the dollar optional. */
export function takeNamed(cursor: Cursor, ...names: readonly string[]): Pair | undefined {
  const before = cursor.at;
  const pair = takePair(cursor);
  const name = pair?.name.replace(/^\$/, "");
  if (pair !== undefined && name !== undefined && names.includes(name)) return { ...pair, name };
  cursor.at = before;
  return undefined;
}

/** `word:` at the next place: the word without its colon. */
export function takeLabel(cursor: Cursor): Token | undefined {
  const token = peek(cursor);
  if (token === undefined || !token.text.endsWith(":") || token.text.length < 2) return undefined;
  cursor.at += 1;
  return { ...token, text: token.text.slice(0, -1) };
}

export function atEnd({ tokens, at }: Cursor): boolean {
  return at >= tokens.length;
}

/** Nothing may be left. */
export function finish(cursor: Cursor, expected: string): void {
  const token = peek(cursor);
  if (token !== undefined)
    throw fault(cursor, token, `"${token.text}" is not expected here`, `write ${expected}, or remove it`);
}

const SCORE = /^[+-]?(?:inf(?:inity)?|\d+)$/i;

/** A score as the CIB writes it, or undefined when the word is no score. */
export function readScoreWord(word: string): string | undefined {
  if (!SCORE.test(word)) return undefined;
  const sign = word.startsWith("-") ? "-" : "";
  const digits = word.replace(/^[+-]/, "");
  return /^inf/i.test(digits) ? `${sign}INFINITY` : word;
}
