/**
 * The words of an XPath expression. A star or a name behind an operand is an operator (`* and or div mod`),
 * elsewhere it is a test of names.
 * Fact: XPath 1.0, section 3.7 (lexical structure).
 */

export interface Token {
  readonly kind: "literal" | "number" | "name" | "operator" | "mark";
  readonly text: string;
}

/** Why a text is no expression; told to whoever wrote it. */
export class XpathFault extends Error {}

/** A literal in either quotes, a number, a name, or a sign. */
const WORD = new RegExp(
  String.raw`\s*(?:"([^"]*)"|'([^']*)'|(\d+(?:\.\d*)?|\.\d+)` +
    String.raw`|([A-Za-z_\u00c0-\uffff][-.\w\u00b7-\uffff]*)` +
    String.raw`|(::|\/\/|\.\.|!=|<=|>=|[-+=<>|/*()[\],.@$:]))`,
  "y",
);

const OPERATORS = ["+", "-", "=", "!=", "<", "<=", ">", ">=", "|", "/", "//"];
/** Behind these, and behind operators, an operand begins. */
const OPENING = ["@", "::", "(", "[", ","];

function isOperandNext(before: Token | undefined): boolean {
  return (
    before === undefined || before.kind === "operator" || (before.kind === "mark" && OPENING.includes(before.text))
  );
}

export function readTokens(text: string): Token[] {
  const tokens: Token[] = [];
  const source = text.trimEnd();
  WORD.lastIndex = 0;
  while (WORD.lastIndex < source.length) {
    const at = WORD.lastIndex;
    const match = WORD.exec(source);
    if (match === null) throw new XpathFault(`"${source.slice(at).trimStart().slice(0, 20)}" is not understood`);
    const [, double, single, number, name, mark = ""] = match;
    const isOperand = isOperandNext(tokens.at(-1));
    const literal = double ?? single;
    if (literal !== undefined) tokens.push({ kind: "literal", text: literal });
    else if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (name !== undefined) tokens.push({ kind: isOperand ? "name" : "operator", text: name });
    else if (mark === "*") tokens.push({ kind: isOperand ? "name" : "operator", text: mark });
    else tokens.push({ kind: OPERATORS.includes(mark) ? "operator" : "mark", text: mark });
  }
  return tokens;
}
