/**
 * Secrets out of everything that leaves a node. By name they are found in the CIB; then each of their values is masked
 * wherever it stands: in the CIB, its history, logs, outputs of tools. hb_report masked only what it knew to hold some.
 * Facts: reference crm-tools.md, section 5; names of secret parameters of fence agents and cluster-glue plugins.
 */
import type { XmlElement } from "../../../base/xml.ts";

export const MASK = "******";

/** Names of parameters whose values nobody else may see. */
const SECRET_NAME =
  /passw|passphrase|secret|private_?key|priv_?passwd|auth_?key|api_?key|token|community|^key$|pin_code/i;
/** Shorter ones are words of everyday text: masking those everywhere would leave nothing to read. */
const LENGTH_MIN = 4;
/** What is called so, but names a place: `secret=ENTRY` of the secrets file. */
const REFERENCE = /^(?:secret|secret_option|passwd_script|password_script|identity_file)$/i;

const isSecretName = (name: string) => SECRET_NAME.test(name) && !REFERENCE.test(name);

/** Every secret value of a tree, longest first, so that one within another does not spoil it. */
export function secretsOf(root: XmlElement): readonly string[] {
  const found = new Set<string>();
  const walk = ({ name, attributes, children }: XmlElement): void => {
    const { name: option = "", value = "" } = attributes;
    if (name === "nvpair" && isSecretName(option) && value !== "") found.add(value);
    for (const child of children) walk(child);
  };
  walk(root);
  return [...found].toSorted((left, right) => right.length - left.length);
}

/** The tree with the values of secret parameters masked, also the short ones. */
export function maskTree(element: XmlElement): XmlElement {
  const { name, attributes, children } = element;
  const isSecret = name === "nvpair" && isSecretName(attributes["name"] ?? "") && attributes["value"] !== undefined;
  return {
    ...element,
    attributes: isSecret ? { ...attributes, value: MASK } : attributes,
    children: children.map(maskTree),
  };
}

/**
 * `password=...`, `passwd: ...` in free text, whatever the value is; but not the sentences in which we tell what is
 * wrong with the parameter itself (`passwd: it is missing`), which are what the log is read for.
 */
const ASSIGNED = new RegExp(
  "((?:passw(?:or)?d|passphrase|secret_key|api_?key|auth_?key|token|community)[\"']?\\s*[=:]\\s*)" +
    "(?!(?:it|there) is \\w)" +
    "(\"[^\"]*\"|'[^']*'|[^\\s,;\"'<>]+)",
  "gi",
);
const XML_ESCAPES: readonly (readonly [string, string])[] = [
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
];

const escaped = (text: string) => XML_ESCAPES.reduce((done, [sign, code]) => done.replaceAll(sign, code), text);

/** Free text: known values wherever they stand, and what is said to be a password. */
export function maskText(text: string, secrets: readonly string[]): string {
  let masked = text;
  for (const secret of secrets) {
    if (secret.length < LENGTH_MIN) continue;
    for (const written of new Set([secret, escaped(secret), JSON.stringify(secret).slice(1, -1)]))
      masked = masked.replaceAll(written, MASK);
  }
  return masked.replaceAll(ASSIGNED, `$1${MASK}`);
}
