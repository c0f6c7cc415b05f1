/**
 * Refuses look-ups that would find what every object inherits: a record of any words that is asked for a word that is
 * not written there. `TABLE[word]` holds a function for the word `constructor`, `word in TABLE` is true of it, and
 * `record[word] = value` loses the entry for `__proto__`. src/base/record.ts has the steps to take instead. The rule
 * knows the types, so tables of a closed set of words may be read as ever, and lists by their index.
 * Usage: node tools/outside-words.ts [TSCONFIG]   (exit code 1 when something is refused)
 */
import path from "node:path";
import process from "node:process";
import { type Node, type SourceFile, SyntaxKind } from "typescript/unstable/ast";
import {
  isBinaryExpression,
  isBindingElement,
  isCallExpression,
  isComputedPropertyName,
  isDeleteExpression,
  isElementAccessExpression,
  isStringLiteral,
} from "typescript/unstable/ast/is";
import { API, type Project, type Type, TypeFlags } from "typescript/unstable/sync";

/** What may: it is what everything else calls. */
const EXEMPT = "src/base/record.ts";
const ANY_STRING = TypeFlags.String | TypeFlags.TemplateLiteral | TypeFlags.StringMapping | TypeFlags.Any;

/** A place to look at: refused when `word` is any string, and `record`, if there is one, is keyed by any string. */
interface Suspect {
  readonly node: Node;
  readonly word: Node;
  readonly record?: Node;
  readonly remedy: string;
}

/** Known from the text alone; the types decide later. */
function suspectIn(node: Node, parent: Node | undefined): Suspect | undefined {
  if (isElementAccessExpression(node)) {
    const { argumentExpression: word, expression: record } = node;
    if (isStringLiteral(word) || (parent !== undefined && isDeleteExpression(parent))) return undefined;
    const isWritten = parent !== undefined && isBinaryExpression(parent) && parent.left === node;
    const isAssigned = isWritten && parent.operatorToken.kind === SyntaxKind.EqualsToken;
    return { node, word, record, remedy: isAssigned ? "setEntry(RECORD, WORD, VALUE)" : "entryOf(RECORD, WORD)" };
  }
  if (isBinaryExpression(node) && node.operatorToken.kind === SyntaxKind.InKeyword && !isStringLiteral(node.left))
    return { node, word: node.left, remedy: "isKeyOf(TABLE, WORD)" };
  if (isBindingElement(node) && node.propertyName !== undefined && isComputedPropertyName(node.propertyName))
    return { node, word: node.propertyName.expression, remedy: "entryOf(RECORD, WORD), and without(RECORD, WORD)" };
  return undefined;
}

const partsOf = (type: Type): readonly Type[] => (type.isUnionType() ? type.getTypes().flatMap(partsOf) : [type]);
const isAnyString = (type: Type) => partsOf(type).some(({ flags }) => (flags & ANY_STRING) !== 0);

function breachesIn(file: SourceFile, { checker }: Project, shownAs: string): string[] {
  const suspects: Suspect[] = [];
  const found: (readonly [Node, string])[] = [];
  const look = (node: Node, parent: Node | undefined): void => {
    const suspect = suspectIn(node, parent);
    if (suspect !== undefined) suspects.push(suspect);
    if (isCallExpression(node) && node.expression.getText(file) === "Object.assign")
      found.push([node, "merged([RECORD, RECORD])"]);
    node.forEachChild((child) => {
      look(child, node);
      return undefined;
    });
  };
  look(file, undefined);
  const isKeyedByAny = (type: Type): boolean =>
    partsOf(type).some(
      (part) =>
        (part.flags & TypeFlags.StringLike) === 0 &&
        checker.getIndexInfosOfType(part).some(({ keyType }) => (keyType.flags & TypeFlags.String) !== 0),
    );
  const words = checker.getTypeAtLocation(suspects.map(({ word }) => word));
  for (const [at, { node, record, remedy }] of suspects.entries()) {
    const type = words[at];
    if (type === undefined || !isAnyString(type)) continue;
    const keyed = record === undefined ? undefined : checker.getTypeAtLocation(record);
    if (keyed === undefined || isKeyedByAny(keyed)) found.push([node, remedy]);
  }
  return found.map(([node, remedy]) => {
    const line = file.text.slice(0, node.getStart(file)).split("\n").length;
    return `${shownAs}:${line}: ${node.getText(file).replaceAll(/\s+/g, " ")}: write ${remedy}`;
  });
}

/** `FILE:LINE: CODE: what to write` of all sources of that project, without its dependencies. Starts a compiler. */
export function outsideWordBreaches(configFile: string): readonly string[] {
  const api = new API({ cwd: path.dirname(configFile) });
  try {
    const [project] = api.updateSnapshot({ openProjects: [configFile] }).getProjects();
    if (project === undefined) throw new Error(`${configFile}: no project`);
    const own = project.rootFiles.filter((file) => !file.endsWith(EXEMPT));
    return own.flatMap((name) => {
      const file = project.program.getSourceFile(name);
      return file === undefined ? [] : breachesIn(file, project, path.relative(process.cwd(), name));
    });
  } finally {
    api.close();
  }
}

if (import.meta.main) {
  const given = process.argv[2] ?? path.resolve(import.meta.dirname, "outside-words.json");
  const breaches = outsideWordBreaches(path.resolve(given));
  for (const line of breaches) process.stdout.write(`${line}\n`);
  process.exitCode = breaches.length === 0 ? 0 : 1;
}
