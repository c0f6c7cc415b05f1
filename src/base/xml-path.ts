/**
 * A small part of XPath over an XML tree: `/a/b`, `//a`, `*`, `[@name="value"]` (several, joined by `and` too). That
 * part is what the commands of operators and the rules of access use; anything else is refused, never guessed.
 * Facts: XPath 1.0, section 2.5 (abbreviated syntax).
 */
import type { XmlElement } from "./xml.ts";

/** Child indexes from the root down to the element. */
export type TreePath = readonly number[];

interface Step {
  readonly deep: boolean;
  readonly name: string;
  readonly tests: readonly (readonly [name: string, value: string | undefined])[];
}

const STEP = /(\/\/?)([\w.-]+|\*)((?:\[[^\]]*\])*)/y;
const TEST = /^\s*@([\w.-]+)\s*(?:=\s*(?:"([^"]*)"|'([^']*)'))?\s*$/;

function readSteps(path: string): Step[] | undefined {
  const steps: Step[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < path.length) {
    const match = STEP.exec(path);
    if (match === null) return undefined;
    const tests: [string, string | undefined][] = [];
    for (const [, body = ""] of (match[3] ?? "").matchAll(/\[([^\]]*)\]/g))
      for (const part of body.split(/\sand\s/)) {
        const test = TEST.exec(part);
        if (test === null) return undefined;
        tests.push([test[1] ?? "", test[2] ?? test[3]]);
      }
    steps.push({ deep: match[1] === "//", name: match[2] ?? "*", tests });
  }
  return steps;
}

function fits({ name, tests }: Step, element: XmlElement): boolean {
  if (name !== "*" && name !== element.name) return false;
  return tests.every(([attribute, value]) =>
    value === undefined ? element.attributes[attribute] !== undefined : element.attributes[attribute] === value,
  );
}

/** Every element from `element` down, each with its path; `path` is that of `element`. */
export function walk(element: XmlElement, path: number[], visit: (element: XmlElement, path: number[]) => void): void {
  visit(element, path);
  element.children.forEach((child, index) => {
    walk(child, [...path, index], visit);
  });
}

/** Whether this language has such a path. */
export function isPath(path: string): boolean {
  return readSteps(path) !== undefined;
}

/** All elements that the path means, in document order; undefined when it is no path of this small language. */
export function findPaths(root: XmlElement, path: string): TreePath[] | undefined {
  const steps = readSteps(path);
  if (steps === undefined) return undefined;
  // The document, above the root, is where an absolute path begins.
  let found: TreePath[] = [[]];
  steps.forEach((step, number) => {
    const next = new Map<string, TreePath>();
    for (const from of found) {
      const element = number === 0 ? { name: "", attributes: {}, children: [root] } : elementAt(root, from);
      if (element === undefined) continue;
      const prefix = number === 0 ? [] : [...from];
      element.children.forEach((child, index) => {
        const below = number === 0 ? [] : [...prefix, index];
        if (step.deep)
          walk(child, below, (visited, at) => {
            if (fits(step, visited)) next.set(at.join("."), at);
          });
        else if (fits(step, child)) next.set(below.join("."), below);
      });
    }
    found = [...next.values()];
  });
  return found;
}

export function elementAt(root: XmlElement, path: TreePath): XmlElement | undefined {
  let element: XmlElement | undefined = root;
  for (const index of path) element = element?.children[index];
  return element;
}
