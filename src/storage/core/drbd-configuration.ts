/**
 * A DRBD resource's configuration: reads what `drbdadm dump` prints and tells what in it could lose data; and builds a
 * configuration that is as it should be. Without `fencing resource-and-stonith` a Primary goes on alone before its
 * peer is known to be dead, and acknowledged writes are lost (reference/storage.md, run 32): no start without it.
 * Facts: drbd.conf(5) of 8.4 and 9; reference/storage.md, section 5.
 */
import type { Problem } from "../../base/problem.ts";

/** The words of the handler: DRBD runs them through `sh -c`, with the resource in its environment. */
export const FENCE_PEER_COMMAND = "/usr/bin/gemel drbd-handler fence-peer";
const OUR_HANDLER = /(?:^|\/)gemel\S*\s+drbd-handler\s+fence-peer\b/;

/** A statement is words up to `;`, or words with a section in braces. */
export interface DrbdStatement {
  readonly line: number;
  readonly words: readonly string[];
  readonly section?: readonly DrbdStatement[];
}

export type DrbdConfigurationRead =
  | { readonly kind: "configuration"; readonly statements: readonly DrbdStatement[] }
  | { readonly kind: "unreadable"; readonly line: number; readonly reason: string };

interface Token {
  readonly text: string;
  readonly quoted: boolean;
  readonly line: number;
}

const TOKEN = /\s+|#[^\n]*|"((?:[^"\\\n]|\\.)*)"|([{};])|([^\s{};"#]+)|(.)/gy;
/** The format nests four levels; deeper input is no configuration. */
const DEPTH_MAX = 10;

function tokens(text: string): readonly Token[] {
  let line = 1;
  const found: Token[] = [];
  for (const [whole, quoted, sign, word, stray] of text.matchAll(TOKEN)) {
    const value = quoted?.replaceAll(/\\(.)/g, "$1") ?? sign ?? word ?? stray;
    if (value !== undefined) found.push({ text: value, quoted: quoted !== undefined, line });
    line += whole.split("\n").length - 1;
  }
  return found;
}

/** Reads the text of a configuration file without its includes, or of `drbdadm dump`. */
export function parseDrbdConfiguration(text: string): DrbdConfigurationRead {
  const root: DrbdStatement[] = [];
  const open: { statements: DrbdStatement[]; words: Token[] }[] = [{ statements: root, words: [] }];
  for (const token of tokens(text)) {
    const here = open.at(-1);
    if (here === undefined) return { kind: "unreadable", line: token.line, reason: "} closes nothing" };
    const sign = token.quoted ? "" : token.text;
    if (sign === "{") {
      if (here.words.length === 0) return { kind: "unreadable", line: token.line, reason: "{ without a name" };
      if (open.length > DEPTH_MAX) return { kind: "unreadable", line: token.line, reason: "nested too deep" };
      open.push({ statements: [], words: [] });
    } else if (sign === "}") {
      if (here.words.length > 0) return { kind: "unreadable", line: token.line, reason: "; is missing before }" };
      open.pop();
      const parent = open.at(-1);
      if (parent === undefined) return { kind: "unreadable", line: token.line, reason: "} closes nothing" };
      parent.statements.push({ ...statementOf(parent.words), section: here.statements });
      parent.words = [];
    } else if (sign === ";") {
      if (here.words.length > 0) here.statements.push(statementOf(here.words));
      here.words = [];
    } else here.words.push(token);
  }
  const [top] = open;
  if (open.length > 1) return { kind: "unreadable", line: text.split("\n").length, reason: "} is missing at the end" };
  const loose = top?.words[0];
  if (loose !== undefined) return { kind: "unreadable", line: loose.line, reason: "; is missing" };
  return { kind: "configuration", statements: root };
}

function statementOf(words: readonly Token[]): DrbdStatement {
  return { line: words[0]?.line ?? 0, words: words.map(({ text }) => text) };
}

interface Setting {
  readonly value: string;
  readonly line: number;
}

/** The value of `name` in the section, from the resource or else from `common`; the resource's wins. */
function settingOf(
  scopes: readonly (readonly DrbdStatement[])[],
  section: string | undefined,
  name: string,
): Setting | undefined {
  for (const scope of scopes) {
    const inside =
      section === undefined ? scope : scope.filter(({ words }) => words[0] === section).flatMap((s) => s.section ?? []);
    const found = inside.findLast(({ words }) => words[0] === name);
    // A switch may stand without a value: `allow-two-primaries;`.
    if (found !== undefined) return { value: found.words[1] ?? "yes", line: found.line };
  }
  return undefined;
}

interface Demand {
  readonly sections: readonly (string | undefined)[];
  readonly name: string;
  /** What DRBD takes when it is not given. */
  readonly fallback: string;
  readonly allows: (value: string) => boolean;
  readonly write: string;
  readonly because: string;
  readonly severity: Problem["severity"];
}

const demand = (
  sections: readonly (string | undefined)[],
  name: string,
  fallback: string,
  allows: (value: string) => boolean,
  write: string,
  because: string,
  severity: Problem["severity"] = "error",
): Demand => ({ sections, name, fallback, allows, write, because, severity });

const is = (wanted: string) => (value: string) => value === wanted;

const DEMANDS: readonly Demand[] = [
  demand(
    ["net", undefined],
    "protocol",
    "C",
    is("C"),
    "protocol C; in the net section",
    "only with C has a write that was acknowledged reached both disks",
  ),
  demand(
    ["disk", "net"],
    "fencing",
    "dont-care",
    is("resource-and-stonith"),
    "fencing resource-and-stonith; in the disk section (DRBD 9: net)",
    "otherwise a cut node goes on writing before its peer is known to be dead, and writes are lost",
  ),
  demand(
    ["handlers"],
    "fence-peer",
    "",
    (value) => OUR_HANDLER.test(value),
    `fence-peer "${FENCE_PEER_COMMAND}"; in the handlers section`,
    "only our handler answers what is proven",
  ),
  demand(
    ["net"],
    "allow-two-primaries",
    "no",
    is("no"),
    "allow-two-primaries no; in the net section",
    "two Primaries would write to one file system",
  ),
  demand(
    ["disk"],
    "on-io-error",
    "detach",
    is("detach"),
    "on-io-error detach; in the disk section",
    "a disk that gives errors must be left, with the service going on over the peer",
    "warning",
  ),
  demand(
    ["disk"],
    "disk-timeout",
    "0",
    (value) => Number(value) === 0,
    "disk-timeout 0; in the disk section",
    "a hung disk that answers late can corrupt memory",
    "warning",
  ),
  demand(
    ["disk"],
    "disk-flushes",
    "yes",
    is("yes"),
    "disk-flushes yes; in the disk section",
    "a power cut would lose what the disk's cache held",
    "warning",
  ),
  demand(
    ["disk"],
    "md-flushes",
    "yes",
    is("yes"),
    "md-flushes yes; in the disk section",
    "a power cut would lose DRBD's own record",
    "warning",
  ),
  demand(
    ["net"],
    "shared-secret",
    "",
    (value) => value !== "",
    'cram-hmac-alg sha256; shared-secret "..."; in the net section',
    "anybody on the network could become the peer",
    "warning",
  ),
  demand(
    ["options"],
    "auto-promote",
    "no",
    is("no"),
    "auto-promote no; in the options section",
    "an open of the device must not promote it",
  ),
];

/** After a split brain nothing is thrown away without asking: these are the only safe answers. */
const AFTER_SPLIT_BRAIN: Readonly<Record<string, readonly string[]>> = {
  "after-sb-0pri": ["disconnect", "discard-zero-changes"],
  "after-sb-1pri": ["disconnect", "consensus"],
  "after-sb-2pri": ["disconnect"],
  "rr-conflict": ["disconnect", "retry-connect"],
};

export interface DrbdCheck {
  readonly problems: readonly Problem[];
  /** The minor numbers and devices of this node are not looked at: DRBD itself does. */
  readonly found: boolean;
}

/** What sites of `ocf:linbit:drbd` have lived without: told, and no reason to leave their service down. */
const FORGIVEN = new Set(["fencing", "fence-peer"]);

/**
 * All that is wrong with a resource, as far as data are at stake. Errors forbid its start. `isOfField`: configured as
 * the field has it, it runs as it did there (docs/decisions/linbit-drbd.md).
 */
export function checkDrbdResource(
  statements: readonly DrbdStatement[],
  resource: string,
  place: string,
  isOfField = false,
): DrbdCheck {
  const own = statements.find(({ words }) => words[0] === "resource" && words[1] === resource)?.section;
  if (own === undefined) {
    const reason = `there is no resource ${resource}`;
    const remedy = "write it below /etc/drbd.d, or correct drbd_resource";
    return { found: false, problems: [{ severity: "error", place, reason, remedy }] };
  }
  const common = statements.filter(({ words }) => words[0] === "common").flatMap(({ section }) => section ?? []);
  const scopes = [own, common];
  const problems: Problem[] = [];
  const at = (line: number | undefined) => (line === undefined ? place : `${place}:${line}`);
  for (const { sections, name, fallback, allows, write, because, severity } of DEMANDS) {
    const given = sections.map((section) => settingOf(scopes, section, name)).find((setting) => setting !== undefined);
    const value = given?.value ?? fallback;
    if (allows(value)) continue;
    const standing = given === undefined ? `${name} is not set` : `${name} is ${value}`;
    const reason = `resource ${resource}: ${standing}; ${because}`;
    const judged = isOfField && FORGIVEN.has(name) ? "warning" : severity;
    problems.push({ severity: judged, place: at(given?.line), reason, remedy: `write ${write}` });
  }
  for (const [name, safe] of Object.entries(AFTER_SPLIT_BRAIN)) {
    const given = settingOf(scopes, "net", name);
    if (given === undefined || safe.includes(given.value)) continue;
    const reason = `resource ${resource}: ${name} is ${given.value}; it throws written data away without asking`;
    problems.push({ severity: "warning", place: at(given.line), reason, remedy: `write ${name} ${safe.at(-1)};` });
  }
  return { found: true, problems };
}

export interface DrbdNodePlan {
  readonly name: string;
  /** `10.0.0.1:7788` */
  readonly address: string;
  /** Backing disk, with internal metadata. */
  readonly disk: string;
}

export interface DrbdPlan {
  readonly resource: string;
  readonly minor: number;
  readonly nodes: readonly [DrbdNodePlan, DrbdNodePlan];
  readonly secret: string;
  /** Tenths of a second until an answer of the peer is overdue. */
  readonly timeoutTenths: number;
}

/** The file below /etc/drbd.d for a pair. Safe settings throughout: `checkDrbdResource` finds nothing in it. */
export function printDrbdConfiguration({ resource, minor, nodes, secret, timeoutTenths }: DrbdPlan): string {
  const handler = (name: string) => `    ${name} "/usr/bin/gemel drbd-handler ${name}";`;
  const seconds = Math.max(1, Math.ceil(timeoutTenths / 10));
  const lines = [
    `resource ${resource} {`,
    "  net {",
    "    protocol C;",
    "    allow-two-primaries no;",
    "    cram-hmac-alg sha256;",
    `    shared-secret "${secret}";`,
    `    timeout ${timeoutTenths};`,
    `    connect-int ${seconds};`,
    `    ping-int ${seconds};`,
    "    after-sb-0pri discard-zero-changes;",
    "    after-sb-1pri consensus;",
    "    after-sb-2pri disconnect;",
    "  }",
    "  disk {",
    "    fencing resource-and-stonith;",
    "    on-io-error detach;",
    "    disk-flushes yes;",
    "    md-flushes yes;",
    "  }",
    "  handlers {",
    ...["fence-peer", "unfence-peer", "split-brain", "pri-lost-after-sb", "pri-on-incon-degr"].map(handler),
    "  }",
    ...nodes.flatMap(({ name, address, disk }) => [
      `  on ${name} {`,
      `    device /dev/drbd${minor} minor ${minor};`,
      `    disk ${disk};`,
      `    address ipv4 ${address};`,
      "    meta-disk internal;",
      "  }",
    ]),
    "}",
  ];
  return `${lines.join("\n")}\n`;
}
