/**
 * Digests of a CIB as the tools of the field calculate them, so that a copy can be compared with one of theirs.
 * Facts: cibadmin(8), --md5-sum, --md5-sum-versioned; outputs of cibadmin 2.1.5: the plain digest is that of the
 * document on one line between a blank and a line feed; the versioned one, for what names a feature set, is that of
 * the bare document without what tells who wrote it.
 */
import { escapeXml, type XmlElement } from "../../../base/xml.ts";
import { md5 } from "../scheduler/facts/md5.ts";

/** Who wrote it, and when: no part of the content. */
const NO_CONTENT = new Set(["cib-last-written", "crm-debug-origin", "update-origin", "update-client", "update-user"]);

/** On one line, in the order of the document; apostrophes are escaped here, and nowhere else. */
function compact(element: XmlElement, ignored: ReadonlySet<string>): string {
  const attributes = Object.entries(element.attributes)
    .filter(([name]) => !ignored.has(name))
    .map(([name, value]) => ` ${name}="${escapeXml(value).replaceAll("'", "&apos;")}"`)
    .join("");
  const tag = `${element.name}${attributes}`;
  const inner = escapeXml(element.text ?? "") + element.children.map((child) => compact(child, ignored)).join("");
  return inner === "" ? `<${tag}/>` : `<${tag}>${inner}</${element.name}>`;
}

export function diskDigest(root: XmlElement): string {
  return md5(` ${compact(root, new Set())}\n`);
}

export function versionedDigest(root: XmlElement): string {
  return root.attributes["crm_feature_set"] === undefined ? diskDigest(root) : md5(compact(root, NO_CONTENT));
}
