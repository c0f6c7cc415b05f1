/** Whether a CIB may be put in force: everything that is wrong in it, at once. */
import type { Problem } from "../../base/problem.ts";
import type { XmlElement } from "../../base/xml.ts";

/** A problem with the ids of the elements around it, innermost first, and the id that is missing, if one is. */
export interface Finding extends Problem {
  readonly ids: readonly string[];
  readonly missing?: string;
}

export function findProblems(root: XmlElement): Finding[] {
  if (root.name === "cib") return [];
  const reason = `<${root.name}> is no CIB`;
  return [{ severity: "error", place: "/", reason, remedy: "begin with <cib>", ids: [] }];
}

/** Errors refuse the CIB whole; warnings do not. Never throws on bad input. */
export function verifyCib(root: XmlElement): Problem[] {
  return findProblems(root).map(({ ids: _, missing: __, ...problem }) => problem);
}
