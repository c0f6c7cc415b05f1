/** crm syntax: the same tree as crmsh makes, lossless round trips, and all errors at once. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { nearestName } from "../../src/base/nearest.ts";
import { childOf, parseXml, type XmlElement } from "../../src/base/xml.ts";
import { applyCrm, emptyConfiguration } from "../../src/cib/crm-syntax/apply.ts";
import { parseCrm } from "../../src/cib/crm-syntax/parse.ts";
import { printCrm } from "../../src/cib/crm-syntax/print.ts";
import { loadConfiguration } from "../../src/cib/load.ts";
import { fc } from "../support/repeatable.ts";
import { skips } from "../support/skip.ts";
import { canon } from "./canon.ts";

const fixture = (name: string) => readFileSync(path.join(import.meta.dirname, "fixtures", name), "utf8");
const read = (text: string, base = emptyConfiguration()) => applyCrm(base, parseCrm(text, "test"));

function configurationOf(text: string): XmlElement {
  const xml = parseXml(text);
  const configuration = xml.kind === "xml" ? childOf(xml.root, "configuration") : undefined;
  if (configuration === undefined) throw new Error("no configuration");
  return configuration;
}

/** Every id below, in document order. */
const ids = (element: XmlElement): string[] => [
  ...(element.attributes["id"] === undefined ? [] : [`${element.name} ${element.attributes["id"]}`]),
  ...element.children.flatMap(ids),
];

test("every statement of the language gives what crmsh 4.4.1 makes of it, ids too", () => {
  const { configuration, problems } = read(fixture("every-statement.crm"));
  const theirs = configurationOf(fixture("every-statement.crmsh.xml"));
  expect(problems).toEqual([]);
  expect(canon(configuration, true)).toBe(canon(theirs, true));
  expect(ids(configuration).sort()).toEqual(ids(theirs).sort());
});

test("what is printed is read back the same, and printed the same again", () => {
  const { configuration } = read(fixture("every-statement.crm"));
  const text = printCrm(configuration);
  const again = read(text);
  expect(again.problems).toEqual([]);
  expect(again.configuration).toEqual(configuration);
  expect(printCrm(again.configuration)).toBe(text);
  expect(text).not.toMatch(/^xml/m);
});

test("the DRBD and Apache configuration of the source documents", () => {
  const text = readFileSync(path.resolve(import.meta.dirname, "../../lab/configuration/site/site.crm"), "utf8");
  const loaded = loadConfiguration(text, { source: "drbd.crm" });
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  expect(loaded.warnings.map(({ place, reason }) => `${place} ${reason}`)).toEqual(
    expect.arrayContaining([
      'drbd.crm:2:10 no-quorum-policy="Ignore" is read as ignore',
      "drbd.crm:3:10 default-action-timeout is read as op_defaults timeout=240",
      "drbd.crm:4:10 default-resource-stickiness is read as rsc_defaults resource-stickiness=200",
    ]),
  );
  expect(printCrm(loaded.value)).toMatchInlineSnapshot(`
    "primitive res_drbd0 ocf:linbit:drbd \\
    	params drbd_resource=r0 drbdconf=/etc/drbd.conf \\
    	op monitor interval=20s
    ms ms_drbd0 res_drbd0 \\
    	meta master-max=1 master-node-max=1 clone-max=2 clone-node-max=1 notify=true
    primitive res_ip IPaddr2 \\
    	params nic=eth0 ip=192.168.0.200 cidr_netmask=24 \\
    	op monitor interval=20s
    primitive res_fs_drbd0 Filesystem \\
    	params device=/dev/drbd0 fstype=ext3 directory=/var/www/html \\
    	op monitor interval=20s
    primitive res_httpd apache \\
    	params configfile=/etc/httpd/conf/httpd.conf port=80 \\
    	op monitor interval=20s
    group rg_httpd res_ip res_fs_drbd0 res_httpd
    colocation c_rg_httpd_on_drbd0 inf: rg_httpd ms_drbd0:Master
    order o_drbd0_befor_rg_httpd Mandatory: ms_drbd0:promote rg_httpd:start
    property cib-bootstrap-options: \\
    	stonith-enabled=false \\
    	no-quorum-policy=Ignore
    rsc_defaults rsc-options: \\
    	resource-stickiness=200
    op_defaults op-options: \\
    	timeout=240
    "
  `);
  expect(read(printCrm(loaded.value)).configuration).toEqual(loaded.value);
});

test("the address configuration of the source documents, with its continued lines", () => {
  const text = fixture("source-address.crm");
  const loaded = loadConfiguration(text, { source: "ip.crm" });
  expect(loaded).toMatchObject({ kind: "valid" });
  if (loaded.kind === "invalid") return;
  expect(loaded.warnings.map(({ reason }) => reason)).toEqual([
    "quorum is ignored: each part of a split cluster goes on by itself",
    "fencing is switched off: a lost node is taken for dead, and two nodes may come to write",
    "startup-fencing is off: a node that was never heard is taken for switched off, and may run everything",
    "a stop of p_ip that fails leaves it as it is, and the service stays away from every node until somebody cleans up",
  ]);
  expect(read(printCrm(loaded.value)).configuration).toEqual(loaded.value);
});

test("load update replaces an object, merges options, and leaves the rest", () => {
  const base = read("primitive a Dummy params x=1\nprimitive b Dummy\ngroup g a b\nproperty a=1 b=2").configuration;
  const { configuration, problems } = read("primitive a Dummy params y=2\nproperty b=3", base);
  expect(problems).toEqual([]);
  expect(printCrm(configuration)).toBe(
    "primitive a Dummy \\\n\tparams y=2\nprimitive b Dummy\ngroup g a b\n" +
      "property cib-bootstrap-options: \\\n\ta=1 \\\n\tb=3\n",
  );
});

test("load update of XML leaves what the file does not name, as one of statements does", () => {
  const times = "op start timeout=9 op stop timeout=9 op monitor interval=9";
  const base = read(`primitive a Dummy ${times}\nproperty stonith-enabled=false x=1`).configuration;
  const text = `<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">
    <nvpair id="n" name="x" value="2"/></cluster_property_set></crm_config><nodes/><resources>
    <primitive id="b" class="ocf" provider="heartbeat" type="Dummy"/></resources><constraints/></configuration>`;
  const loaded = loadConfiguration(text, { source: "b.xml", mode: "update", base });
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  expect(printCrm(loaded.value)).toMatch(/^primitive a [^\0]*\nprimitive b Dummy\n/);
  expect(printCrm(loaded.value)).toMatch(/property cib-bootstrap-options: \\\n\tstonith-enabled=false \\\n\tx=2\n$/);
  const replaced = loadConfiguration(text, { source: "b.xml", mode: "replace", base });
  expect(replaced.kind).toBe("invalid");
});

test("a group that gives a member up leaves it standing alone", () => {
  const base = read("primitive a Dummy\nprimitive b Dummy\ngroup g a b").configuration;
  expect(printCrm(read("group g b", base).configuration)).toBe("primitive b Dummy\ngroup g b\nprimitive a Dummy\n");
});

test.each([
  ["IPaddr2", "heartbeat", "IPaddr2"],
  ["drbd", "linbit", "ocf:linbit:drbd"],
  ["ping", "pacemaker", "ocf:pacemaker:ping"],
  ["ocf:heartbeat:drbd", "heartbeat", "ocf:heartbeat:drbd"],
  ["ocf::pacemaker:Dummy", "pacemaker", "ocf:pacemaker:Dummy"],
])("the agent %s is %s's, and shown as %s", (written, provider, shown) => {
  const { configuration, problems } = read(`primitive a ${written}`);
  expect(problems).toEqual([]);
  expect(childOf(configuration, "resources")?.children[0]?.attributes["provider"]).toBe(provider);
  expect(printCrm(configuration)).toBe(`primitive a ${shown}\n`);
});

describe("errors", () => {
  test.each([
    ["primitve a Dummy", "1:1", '"primitve" begins no statement', "write primitive"],
    ["primitive a Dummy params", "1:25", "params names no option", "write name=value behind it, or remove the word"],
    ["primitive a Dummy params x=1 x=2", "1:26", "x stands twice in one set", "remove one of the two x"],
    ["primitive a ocff:heartbeat:Dummy", "1:13", '"ocff" is no class of agents', "write one of ocf"],
    ["primitive a Dummy op monitr interval=1", "1:22", '"monitr" is no operation', "write one of monitor"],
    ["primitive a Dummy bogus", "1:19", '"bogus" is not expected here', "write one of params"],
    ["primitive 1a Dummy", "1:11", '"1a" is no id', "begin with a letter"],
    ['primitive a Dummy params x="1', "1:28", "a quote is opened and never closed on this line", "close the quote"],
    ["primitive a Dummy\ngroup g a c", "2:1", "group g holds c, which is not defined", "write a"],
    ["primitive a Dummy\ngroup g a\nclone c a", "2:1", "a is held twice, by c and by g", "name it in one of them only"],
    ["primitive a Dummy\nprimitive a Dummy", "2:1", "a is defined twice, first at test:1:1", "rename or remove"],
    ["location l a 10x: n", "1:14", '"10x" is no score', "write a whole number, inf or -inf, then a colon"],
    ["location l a n", "1:14", "the score is missing", "write it with a colon"],
    ["location l a rule 1: x eq 1 and y eq 2 or z eq 3", "1:40", "and and or are mixed", "write two rules"],
    ["location l a rule 1: x equals 1", "1:24", '"equals" is no comparison', "write one of eq"],
    ["order o inf: a", "1:15", "the constraint names fewer than two resources", "name both"],
    ["order o a:stat b", "1:9", '"stat" is no action', "write one of start"],
    ["colocation c inf: a b:Leader", "1:21", '"Leader" is no role', "write one of Started"],
    ["rsc_ticket t a b", "1:14", "the ticket is missing", "write its name with a colon"],
    ["group g", "1:8", "group g has no resource", "name at least one resource"],
    ["xml <primitive id='a'", "1:1", "the xml is broken in its line 1", "write one whole element"],
    ["xml <frog id='a'/>", "1:1", "<frog> is no object of a configuration", "write a resource"],
  ])("%j", (text, place, reason, remedy) => {
    const [problem] = read(text).problems;
    expect(problem?.place).toBe(`test:${place}`);
    expect(problem?.reason).toContain(reason);
    expect(problem?.remedy).toContain(remedy);
  });

  test("all of a file's errors come at once, in the order of its lines, and nothing is blamed twice", () => {
    const text = `node alpha
primitive ip ocf:heartbeat:IPaddr2 params ip
primitive fs Filesystm:x params device=/dev/drbd0
primitive web Dummy op monitor interval=soon timeout=20s
group all ip fs web
location here all 10: alhpa
order late inf: al web
property stonith-enabled=perhaps no_quorum-policy=ignore
primitive drbd ocf:linbit:drbd params drbd_resource=r0 op monitor interval=10s op monitor interval=10000ms`;
    const loaded = loadConfiguration(text, { source: "bad.crm" });
    expect(loaded.kind).toBe("invalid");
    if (loaded.kind !== "invalid") return;
    const errors = loaded.problems.filter(({ severity }) => severity === "error");
    expect(errors.map(({ place, reason }) => `${place} ${reason}`)).toEqual([
      "bad.crm:2:43 params names no option",
      'bad.crm:3:14 "Filesystm" is no class of agents',
      'bad.crm:4:24 interval="soon" cannot be read',
      "bad.crm:7:1 first names resource al, which does not exist",
      'bad.crm:8:10 stonith-enabled="perhaps" cannot be read',
      "bad.crm:9:1 DRBD resource drbd is in no promotable clone, so nothing decides which node writes",
      "bad.crm:9:83 drbd has two operations monitor with the interval 10 s, which cannot be told apart",
    ]);
    const warnings = loaded.problems.map(({ reason, remedy }) => `${reason}: ${remedy}`);
    expect(warnings).toContain("node alhpa is not configured: write alpha, or add node alhpa");
    expect(warnings).toContain(
      "no_quorum-policy is no cluster option that is known; it has no effect: write no-quorum-policy",
    );
  });

  test("never throws, whatever comes (2,000 texts)", () => {
    const word = fc.constantFrom(
      ..."primitive group clone order location colocation rule property params meta op monitor { } ( ) [ ] inf:".split(
        " ",
      ),
      ..."a b c a=1 $id=x x: date in spec and or defined xml <a> to role read xpath:/ \\\n \n \" ' # tag bundle".split(
        " ",
      ),
    );
    const text = fc
      .array(fc.oneof(word, fc.string({ maxLength: 4 })), { maxLength: 25 })
      .map((words) => words.join(" "));
    fc.assert(
      fc.property(text, (input) => {
        const loaded = loadConfiguration(input, { source: "x" });
        if (loaded.kind === "valid")
          expect(canon(read(printCrm(loaded.value)).configuration)).toBe(canon(loaded.value));
        else expect(loaded.problems.some(({ severity }) => severity === "error")).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

const shared = path.resolve(process.env["GEMEL_SHARED"] ?? path.join(import.meta.dirname, "../../../shared"));
const casesDirectory = path.join(shared, "scheduler-cases/xml");
const cases = ((): string[] => {
  try {
    return readdirSync(casesDirectory);
  } catch {
    return [];
  }
})();

describe("scheduler cases", () => {
  // The cases are not ours to ship: GEMEL_SHARED names the folder that has them.
  test.skipIf(skips(cases.length === 0, "there are no reference cases"))(
    "every CIB makes the round trip through crm syntax",
    () => {
      let raw = 0;
      let statements = 0;
      for (const name of cases) {
        const configuration = configurationOf(readFileSync(path.join(casesDirectory, name), "utf8"));
        const text = printCrm(configuration);
        raw += text.match(/^xml </gm)?.length ?? 0;
        statements += text.match(/^[a-z]/gm)?.length ?? 0;
        const again = read(text);
        expect(again.problems, name).toEqual([]);
        expect(canon(again.configuration), name).toBe(canon(configuration));
      }
      // What the language has no words for (nested rules, expressions on operations) is kept as xml.
      expect(raw / statements).toBeLessThan(0.01);
    },
  );
});

test.each([
  ["no_quorum-policy", "no-quorum-policy"],
  ["migation-threshold", "migration-threshold"],
  ["inteleave", "interleave"],
  ["zebra", undefined],
])("the word nearest to %s", (word, meant) => {
  expect(nearestName(word, ["no-quorum-policy", "migration-threshold", "interleave", "notify"])).toBe(meant);
});
