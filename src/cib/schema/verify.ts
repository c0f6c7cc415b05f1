/** Whether a CIB may be put in force: everything that is wrong in it, at once. */
import type { Problem } from "../../base/problem.ts";
import type { XmlElement } from "../../base/xml.ts";

/** Errors refuse the CIB whole; warnings do not. Never throws on bad input. */
export function verifyCib(root: XmlElement): Problem[] {
  if (root.name === "cib") return [];
  return [{ severity: "error", place: "/", reason: `<${root.name}> is no CIB`, remedy: "begin with <cib>" }];
}
