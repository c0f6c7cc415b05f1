/**
 * Words and statements of the crm shell's configuration language.
 * A statement ends at the end of its line, unless the line ends with a backslash. Quotes of either kind hold spaces
 * together and vanish; inside double quotes a backslash keeps the next quote or backslash. A line that begins with
 * `#` is a comment, also between continued lines. `xml` statements are kept raw: XML has quotes of its own.
 * Source: crm(8), "configure"; behaviour compared with crmsh 4.4.1.
 */
import type { Problem } from "../../base/problem.ts";

export interface Token {
  readonly text: string;
  /** Signs before the first quote: a `=` or `:` beyond them is data. */
  readonly plainLength: number;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

export interface Statement {
  readonly tokens: readonly [Token, ...Token[]];
  /** Only for `xml`: everything behind the keyword. */
  readonly raw?: string;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

type Word = { readonly token: Token; readonly next: number } | { readonly unclosed: Place };

function readWord(text: string, from: number, line: number): Word {
  let word = "";
  let plainLength: number | undefined;
  let at = from;
  while (at < text.length && !/\s/.test(text[at] ?? "")) {
    const sign = text[at] ?? "";
    if (sign !== '"' && sign !== "'") {
      word += sign;
      at += 1;
      continue;
    }
    plainLength ??= word.length;
    const opened = at;
    at += 1;
    while (at < text.length && text[at] !== sign) {
      if (sign === '"' && text[at] === "\\" && /["\\]/.test(text[at + 1] ?? "")) at += 1;
      word += text[at];
      at += 1;
    }
    if (at >= text.length) return { unclosed: { line, column: opened + 1 } };
    at += 1;
  }
  return { token: { text: word, plainLength: plainLength ?? word.length, line, column: from + 1 }, next: at };
}

/** All words of one line; a quote that is never closed ends the line with a problem. */
function readLine(text: string, line: number, source: string, problems: Problem[]): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? "")) at += 1;
    if (at >= text.length) return tokens;
    const word = readWord(text, at, line);
    if ("unclosed" in word) {
      problems.push({
        severity: "error",
        place: `${source}:${word.unclosed.line}:${word.unclosed.column}`,
        reason: "a quote is opened and never closed on this line",
        remedy: "close the quote",
      });
      return tokens;
    }
    tokens.push(word.token);
    at = word.next;
  }
}

/** Splits a text into statements; problems go to `problems` with `source:line:column`. */
export function readStatements(text: string, source: string, problems: Problem[]): Statement[] {
  const statements: Statement[] = [];
  let tokens: Token[] = [];
  let raw: string | undefined;
  const finish = () => {
    const [first, ...rest] = tokens;
    if (first !== undefined)
      statements.push(raw === undefined ? { tokens: [first, ...rest] } : { tokens: [first], raw });
    tokens = [];
    raw = undefined;
  };
  text.split("\n").forEach((whole, index) => {
    const content = whole.replace(/\r$/, "");
    if (/^\s*#/.test(content)) return;
    const continued = /(?:^|\s)\\\s*$/.test(content);
    const part = continued ? content.replace(/\\\s*$/, "") : content;
    const opening = tokens.length === 0 ? /^(\s*)xml\s/.exec(part) : null;
    if (opening !== null) {
      tokens.push({ text: "xml", plainLength: 3, line: index + 1, column: (opening[1]?.length ?? 0) + 1 });
      raw = part.slice(opening[0].length);
    } else if (raw !== undefined) raw += `\n${part}`;
    else tokens.push(...readLine(part, index + 1, source, problems));
    if (!continued) finish();
  });
  finish();
  return statements;
}
