/**
 * The digest of an operation's parameters, which tells the scheduler that a definition has changed.
 * It is the MD5 of one XML element in the form that Pacemaker hashes: a blank, the element with its attributes in
 * byte order, a line feed. A recurring operation has its timeout in it. Fact: op-digest in Pacemaker's status sections
 * (f2317cad3d54cec5d7d7aa7d0bf35cf8 is the digest of no parameters), checked by test against recorded ones.
 */
import { entryOf } from "../../../base/record.ts";
import { printXml, xml } from "../../../base/xml.ts";

/** `timeoutMs` counts for recurring operations only. */
export function digestText(
  parameters: Readonly<Record<string, string>>,
  intervalMs: number,
  timeoutMs: number,
): string {
  const all: Record<string, string> = { ...parameters };
  if (intervalMs > 0) all["CRM_meta_timeout"] = String(timeoutMs);
  const names = Object.keys(all)
    .filter((name) => name !== "crm_feature_set" && (name === "CRM_meta_timeout" || !name.startsWith("CRM_meta_")))
    .sort((left, right) => (left < right ? -1 : Number(left > right)));
  return ` ${printXml(xml("parameters", Object.fromEntries(names.map((name) => [name, entryOf(all, name) ?? ""]))))}`;
}
