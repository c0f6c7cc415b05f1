/**
 * Whether a CIB may be put in force: everything that is wrong in it, at once. Errors refuse it, warnings do not.
 * What is checked stands in one file each; they are independent, so that a hole in one place hides nothing elsewhere.
 */
import type { Problem } from "../../base/problem.ts";
import { childOf, type XmlElement } from "../../base/xml.ts";
import { checkAccess } from "./check-access.ts";
import { checkLengths } from "./check-lengths.ts";
import { checkLoops } from "./check-loops.ts";
import { checkOperations } from "./check-operations.ts";
import { checkConstraintValues, checkOptions } from "./check-options.ts";
import { checkIds, checkNames, checkReferences } from "./check-references.ts";
import { checkSafety } from "./check-safety.ts";
import { checkRoot, checkShape } from "./check-shape.ts";
import { checkVersion } from "./check-version.ts";
import { checkVocabulary } from "./check-vocabulary.ts";
import { type Finding, finding, toProblem } from "./finding.ts";

const STRUCTURAL = [checkShape, checkIds, checkNames, checkReferences, checkConstraintValues];
const MEANING = [checkVocabulary, checkOptions, checkOperations, checkLengths, checkLoops, checkAccess];
const OF_PARTS = [...STRUCTURAL, ...MEANING];

/**
 * The findings, with the ids around each. Never throws on bad input. Of a configuration that is still being typed
 * (`isUnfinished`) only what is wrong with its parts: what it lacks as a whole the next statement may bring.
 */
export function findProblems(root: XmlElement, isUnfinished = false): Finding[] {
  if (root.name !== "cib")
    return [finding("error", { element: root, above: [] }, `<${root.name}> is no CIB`, "begin with <cib>")];
  const configuration = childOf(root, "configuration");
  if (configuration === undefined)
    return [finding("error", { element: root, above: [] }, "there is no <configuration>", "add one")];
  const missing = ["crm_config", "nodes", "resources", "constraints"].flatMap((name) => {
    if (childOf(configuration, name) !== undefined) return [];
    const seen = { element: configuration, above: [root] };
    return [finding("error", seen, `the section <${name}> is missing`, `add <${name}/>`)];
  });
  const checks = isUnfinished ? OF_PARTS : [...OF_PARTS, checkSafety];
  return [...missing, ...checkRoot(root), ...checkVersion(root), ...checks.flatMap((check) => check(configuration))];
}

/**
 * Errors for which no decision can be trusted: an unknown schema, what has no place or is not whole, ids that stand
 * twice, references to nothing, constraints in words that nobody knows. A CIB that forgoes validation (`validate-with`
 * missing or "none") is taken as it is, as Pacemaker takes it.
 */
export function findStructuralErrors(root: XmlElement): Problem[] {
  const { "validate-with": schema = "none" } = root.attributes;
  const configuration = childOf(root, "configuration");
  if (schema === "none" || configuration === undefined) return [];
  return [...checkRoot(root), ...checkVersion(root), ...STRUCTURAL.flatMap((check) => check(configuration))]
    .filter(({ severity }) => severity === "error")
    .map(toProblem);
}

export function verifyCib(root: XmlElement): Problem[] {
  return findProblems(root).map(toProblem);
}

export type { Finding } from "./finding.ts";
