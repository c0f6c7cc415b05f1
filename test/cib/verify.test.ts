/** What a CIB may not be, and what is dangerous in it. */
import { describe, expect, test } from "vitest";
import { type XmlElement, xml } from "../../src/base/xml.ts";
import { applyCrm, emptyConfiguration } from "../../src/cib/crm-syntax/apply.ts";
import { parseCrm } from "../../src/cib/crm-syntax/parse.ts";
import { CLUSTER_OPTIONS, findOption } from "../../src/cib/schema/options.ts";
import { readBoolean, readScore, readTimeMs } from "../../src/cib/schema/values.ts";
import { verifyCib } from "../../src/cib/schema/verify.ts";
import { fc } from "../support/repeatable.ts";

const FENCED = "primitive shooter stonith:ipmi-lan\n";
const cibOf = (configuration: XmlElement) => xml("cib", {}, [configuration, xml("status")]);
const verify = (text: string) =>
  verifyCib(cibOf(applyCrm(emptyConfiguration(), parseCrm(FENCED + text, "t")).configuration));
const dummy = (id: string) => `primitive ${id} Dummy op start timeout=9 op stop timeout=9 op monitor interval=9\n`;

test("a sound configuration has no problem", () => {
  const text = `node n1
${dummy("a")}${dummy("b")}group g a b
location l g 100: n1
order o Mandatory: g:stop g:start
property no-quorum-policy=stop cluster-recheck-interval=PT15M batch-limit=4`;
  expect(verify(text)).toEqual([]);
});

describe("errors", () => {
  test.each([
    ["location l nobody 1: n", '//rsc_location[@id="l"]', "rsc names resource nobody, which does not exist"],
    [`${dummy("a")}colocation c inf: a nobody`, '//rsc_colocation[@id="c"]', "with-rsc names resource nobody"],
    [`${dummy("a")}order o a b c`, '//resource_ref[@id="b"]', "id names resource b"],
    ["primitive a @none", '//primitive[@id="a"]', "template names template none"],
    ["fencing_topology n: none", '//fencing-level[@id="fencing"]', "device none does not exist"],
    ["acl_target joe none", '//role[@id="none"]', "id names role none"],
    ["primitive a Dummy meta target-role=Run", '//nvpair[@id="a-meta_attributes-target-role"]', "cannot be read"],
    ["primitive a Dummy meta failure-timeout=-5s", '//nvpair[@id="a-meta_attributes-failure-timeout"]', "negative"],
    ["rsc_defaults resource-stickiness=much", '//nvpair[@id="rsc-options-resource-stickiness"]', "cannot be read"],
    ["op_defaults timeout=20lightyears", '//nvpair[@id="op-options-timeout"]', "cannot be read"],
    [`${dummy("a")}${dummy("b")}order o a b\norder p b a`, '//rsc_order[@id="p"]', "an order waits for itself"],
    [`${dummy("a")}order o { a a }`, '//rsc_order[@id="o"]', "an order waits for itself: a start -> a start"],
    ["primitive d ocf:linbit:drbd", '//primitive[@id="d"]', "is in no promotable clone"],
    ["primitive d ocf:linbit:drbd\nclone c d", '//primitive[@id="d"]', "is in no promotable clone"],
    ["primitive d ocf:linbit:drbd\nms m d", '//master[@id="m"]', "without notify=true"],
    [
      "primitive d ocf:linbit:drbd\nclone m d meta promotable=yes notify=off",
      '//clone[@id="m"]',
      "without notify=true",
    ],
    ["xml <primitive id='a' class='ocf' type='x'><operations id='a'/></primitive>", '//operations[@id="a"]', "twice"],
  ])("%j", (text, place, reason) => {
    const errors = verify(text).filter(({ severity }) => severity === "error");
    expect(errors[0]?.place).toBe(place);
    expect(errors[0]?.reason).toContain(reason);
  });

  test("fencing without a device keeps everything stopped, so it is refused", () => {
    const { configuration } = applyCrm(emptyConfiguration(), parseCrm(dummy("a"), "t"));
    expect(verifyCib(cibOf(configuration))).toMatchObject([{ severity: "error", place: "/crm_config" }]);
  });

  test.each([
    [xml("pib"), "<pib> is no CIB"],
    [xml("cib"), "there is no <configuration>"],
    [xml("cib", {}, [xml("configuration")]), "the section <crm_config> is missing"],
  ])("not a CIB (%#)", (root, reason) => {
    expect(verifyCib(root)[0]).toMatchObject({ severity: "error", reason });
  });
});

test("a constraint of a move that has an end goes by itself", () => {
  const over = `location cli-ban-a-on-n1 a rule -inf: #uname eq n1 and date lt "2030-01-01 00:00:00Z"`;
  expect(JSON.stringify(verify(`${dummy("a")}${over}`))).not.toContain("left over");
});

describe("warnings", () => {
  test.each([
    ["property stonith-enabled=false", "fencing is switched off"],
    ["property migation-treshold=1", "migation-treshold is no cluster option that is known"],
    ["property no-quorum-policy=Freeze", 'no-quorum-policy="Freeze" is read as freeze'],
    ["primitive a Dummy op monitor interval=5", "a has no timeout for start and stop"],
    ["primitive a Dummy op start timeout=5 op stop timeout=5", "a is not monitored"],
    [`${dummy("a")}${dummy("b")}colocation c inf: a b\ncolocation d inf: b a`, "colocations go round in a circle"],
    [`${dummy("a")}location cli-prefer-a a inf: n1`, "cli-prefer-a is left over from an earlier move of a"],
    [`node n1\n${dummy("a")}location l a inf: n2`, "node n2 is not configured"],
    [
      `${dummy("a").replace("stop timeout=9", "stop timeout=9 on-fail=stop")}`,
      "on-fail=stop has no effect on a stop of a",
    ],
    [
      `property stonith-enabled=false\n${dummy("a").replace("stop timeout=9", "stop timeout=9 on-fail=fence")}`,
      "on-fail=fence has no effect while fencing is switched off: a is left as it is when stop fails",
    ],
    [`${dummy("a")}rsc_defaults priority=1.0`, 'priority="1.0" is read as 1'],
    ["tag t nobody", "the tag holds nobody, which does not exist"],
    [dummy("a").replace("stop timeout=9", "stop timeout=0s"), "a gives stop no time (timeout of 0); 20 s will be used"],
    ['role r read xpath:"//primitive[newest()]"', "(there is no function newest()): it allows nothing"],
    ['role r deny xpath:"id(1"', 'the path id(1 is not understood ("," is missing at the end): it denies everything'],
    ["xml <acl_role id='r'><acl_permission id='r-1' kind='read'/></acl_role>", "the permission names nothing"],
  ])("%j", (text, reason) => {
    const problems = verify(text);
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(problems.map((problem) => problem.reason).join("\n")).toContain(reason);
  });
});

test.each([
  ["10", 10_000],
  ["10s", 10_000],
  ["10 sec", 10_000],
  ["100ms", 100],
  ["1min", 60_000],
  ["2m", 120_000],
  ["1h", 3_600_000],
  ["2000us", 2],
  ["PT1M", 60_000],
  ["P1DT1S", 86_401_000],
  ["-5s", -5000],
  ["soon", undefined],
  ["", undefined],
  ["P", undefined],
  ["10 parsec", undefined],
])("the time %j is %j ms", (text, ms) => {
  expect(readTimeMs(text)).toBe(ms);
});

test.each([
  ["INFINITY", 1_000_000],
  ["-INFINITY", -1_000_000],
  ["+infinity", 1_000_000],
  // As the scheduler, and Pacemaker: these are 0, so they must be told.
  ["-inf", undefined],
  [" INFINITY", undefined],
  ["5", 5],
  ["-7", -7],
  ["99999999", 1_000_000],
  ["1.5", undefined],
  ["", undefined],
])("the score %j is %j", (text, score) => {
  expect(readScore(text)).toBe(score);
});

test("booleans in all their spellings", () => {
  expect(["true", "YES", "on", "1", "y"].map(readBoolean)).toEqual([true, true, true, true, true]);
  expect(["False", "no", "off", "0", "n"].map(readBoolean)).toEqual([false, false, false, false, false]);
  expect(["", "perhaps", "2"].map(readBoolean)).toEqual([undefined, undefined, undefined]);
});

test("every default fits its own type, and both dialects name the same option", () => {
  for (const option of CLUSTER_OPTIONS) {
    if (option.default === undefined || option.obsolete !== undefined) continue;
    expect(verify(`property ${option.name}="${option.default}"`).map(({ reason }) => reason)).toEqual([]);
  }
  expect(findOption(CLUSTER_OPTIONS, "stonith-enabled")?.name).toBe("fencing-enabled");
});

test("never throws, whatever tree comes", () => {
  const names = "cib configuration crm_config resources constraints primitive group clone op nvpair rule".split(" ");
  const keys = [
    "id",
    "rsc",
    "first",
    "then",
    "with-rsc",
    "name",
    "value",
    "interval",
    "id-ref",
    "score",
    "class",
    "type",
  ];
  const { tree } = fc.letrec<{ tree: XmlElement }>((tie) => ({
    tree: fc.record({
      name: fc.constantFrom(...names, "rsc_order", "rsc_colocation", "resource_set", "resource_ref", "meta_attributes"),
      attributes: fc.dictionary(fc.constantFrom(...keys), fc.constantFrom("a", "b", "", "10s", "drbd", "ocf")),
      children: fc.oneof({ maxDepth: 6 }, fc.constant([]), fc.array(tie("tree"), { maxLength: 4 })),
    }),
  }));
  fc.assert(
    fc.property(tree, (root) => {
      for (const { reason } of verifyCib(cibOf(root))) expect(reason).not.toBe("");
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["the longest that execve(2) takes", "x".repeat(131_072 - "OCF_RESKEY_fake=".length - 1), 0],
  ["one byte more", "x".repeat(131_072 - "OCF_RESKEY_fake=".length), 1],
  ["signs of three bytes", "日".repeat(44_000), 1],
])("a parameter that no agent could be given: %s", (_what, value, count) => {
  const long = verify(
    `primitive p Dummy params fake=${value} op start timeout=9 op stop timeout=9 op monitor interval=9`,
  );
  expect(long.filter(({ severity }) => severity === "error").map(({ place }) => place)).toEqual(
    Array.from({ length: count }, () => '//nvpair[@id="p-instance_attributes-fake"]'),
  );
});
