/** What rules of access mean, element by element, beside Pacemaker's `cibadmin --show-access`, asked as a black box. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { parseXml, type XmlElement } from "../../../src/base/xml.ts";
import { type Person, type Right, rightAt, rightsIn } from "../../../src/cluster/core/access/acl.ts";
import { fc } from "../../support/repeatable.ts";
import { skips } from "../../support/skip.ts";

/** Pacemaker wants a user that the machine knows. */
const WHO: Person = { uid: 65_534, user: "nobody", groups: [] };
const PEER = "/usr/sbin/cibadmin";
const hasPeer = process.getuid?.() === 0 && spawnSync(PEER, ["--version"]).stdout?.toString().includes("Pacemaker");

function read(text: string): XmlElement {
  const parsed = parseXml(text);
  if (parsed.kind === "not-xml") throw new Error(parsed.reason);
  return parsed.root;
}

const cibWith = (permissions: string) => `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1"
 num_updates="0" admin_epoch="0"><configuration><crm_config><cluster_property_set id="o">
 <nvpair id="o-a" name="enable-acl" value="true"/></cluster_property_set></crm_config>
 <nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><resources>
 <primitive id="a" class="ocf" provider="heartbeat" type="Dummy"><instance_attributes id="a-i">
 <nvpair id="a-p" name="passwd" value="x"/><nvpair id="a-s" name="state" value="y"/></instance_attributes></primitive>
 <primitive id="b" class="lsb" type="sshd"/></resources><constraints>
 <rsc_location id="l" rsc="a" node="n1" score="1"/></constraints><acls><acl_role id="r">${permissions}</acl_role>
 <acl_target id="nobody"><role id="r"/></acl_target></acls></configuration><status/></cib>`;

const WORDS: Readonly<Record<string, Right>> = { writable: "write", readable: "read", denied: "none" };

/** `ID-or-name right`, in document order, of an annotated CIB: what is not marked has the mark of what holds it. */
function marked(element: XmlElement, above: Right): readonly string[] {
  const mark = /^pcmk-access-(\w+):(.*)$/.exec(element.name);
  const right = mark === null ? above : (WORDS[mark[1] ?? ""] ?? above);
  const name = element.attributes["id"] ?? mark?.[2] ?? element.name;
  return [`${name} ${right}`, ...element.children.flatMap((child) => marked(child, right))];
}

function own(cib: XmlElement): readonly string[] {
  const rights = rightsIn(cib, WHO);
  const walk = (element: XmlElement, at: readonly number[]): readonly string[] => [
    `${element.attributes["id"] ?? element.name} ${rightAt(rights, at)}`,
    ...element.children.flatMap((child, index) => walk(child, [...at, index])),
  ];
  return walk(cib, []);
}

const place = fc.constantFrom(
  'xpath="/cib"',
  'xpath="//resources"',
  'xpath="//configuration"',
  "xpath=\"//nvpair[@name='passwd']\"",
  'xpath="/cib/configuration/nodes/node"',
  "xpath=\"//primitive[@id='b' or @class='ocf']\"",
  'xpath="//nvpair[2]"',
  'xpath="//primitive[not(instance_attributes)]"',
  "xpath=\"//nvpair[starts-with(@id,'a-')]\"",
  'xpath="//node[last()]|//rsc_location"',
  'xpath="//primitive/@class"',
  'reference="a"',
  'reference="a-i"',
  'reference="l"',
  'object-type="primitive"',
  'object-type="primitive" attribute="provider"',
  'object-type="nvpair" attribute="value"',
  'object-type="rsc_location" attribute="node"',
  'object-type="primitive" attribute="template"',
);

test.skipIf(skips(hasPeer !== true, "it needs root and Debian's cibadmin"))(
  "60 sets of rules give every element the right that Pacemaker gives it",
  () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-acl-"));
    const file = path.join(folder, "cib.xml");
    const rule = fc.record({ kind: fc.constantFrom("read", "write", "deny"), place });
    try {
      fc.assert(
        fc.property(fc.array(rule, { minLength: 1, maxLength: 5 }), (rules) => {
          const text = cibWith(
            rules.map(({ kind, place: at }, index) => `<acl_permission id="p${index}" kind="${kind}" ${at}/>`).join(""),
          );
          writeFileSync(file, text);
          const env = { ...process.env, CIB_file: file };
          const asked = spawnSync(PEER, ["-Q", "--show-access=namespace", "-U", WHO.user], { env });
          expect(asked.status, asked.stderr.toString()).toBe(0);
          const theirs = marked(read(asked.stdout.toString()), "none");
          const ours = own(read(text));
          // Where its own manual says that the deeper rule counts, Pacemaker lets `write` above go before `read` below.
          const stricter = ours.map((line, index) =>
            theirs[index]?.endsWith(" write") && line.endsWith(" read") ? theirs[index] : line,
          );
          expect(stricter).toEqual(theirs);
        }),
        { numRuns: 60, seed: 6 },
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
