/** The schema that a CIB says it follows: one of those that the field has had, in either dialect. */
import { nearestName } from "../../base/nearest.ts";
import type { XmlElement } from "../../base/xml.ts";
import { type Finding, finding } from "./finding.ts";

const numbered = (major: number, last: number, first = 0) =>
  Array.from({ length: last - first + 1 }, (_, index) => `pacemaker-${major}.${first + index}`);

/** 0.6 and 0.7 were the first; `next` is what a release tries out. All are read into one model. */
const SCHEMAS = [
  "none",
  "pacemaker-0.6",
  "transitional-0.6",
  "pacemaker-0.7",
  "pacemaker-next",
  ...numbered(1, 3),
  ...numbered(2, 10),
  ...numbered(3, 10),
];

export function checkVersion(root: XmlElement): Finding[] {
  const schema = root.attributes["validate-with"];
  if (schema === undefined || SCHEMAS.includes(schema)) return [];
  const near = nearestName(schema, SCHEMAS) ?? "pacemaker-3.10";
  return [
    finding("error", { element: root, above: [] }, `validate-with names no known schema: ${schema}`, `write ${near}`),
  ];
}
