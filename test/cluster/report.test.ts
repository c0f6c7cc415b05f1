/** What leaves a node: no secret in any of it; and the story of two nodes in one order. */
import { expect, test } from "vitest";
import { printXml, type XmlElement } from "../../src/base/xml.ts";
import { maskText, maskTree, secretsOf } from "../../src/cluster/core/report/mask.ts";
import { type Happening, longestGaps, readLogLine, tellTimeline } from "../../src/cluster/core/report/timeline.ts";
import { fc } from "../support/repeatable.ts";

const pair = (name: string, value: string): XmlElement => ({
  name: "nvpair",
  attributes: { name, value },
  children: [],
});
const tree = (...children: XmlElement[]): XmlElement => ({ name: "instance_attributes", attributes: {}, children });

test.each([
  "passwd",
  "password",
  "login_password",
  "snmp_priv_passwd",
  "secret_key",
  "community",
  "api_key",
  "hostkey_passphrase",
])("%s is a secret", (name) => {
  const root = tree(pair(name, 'p4ssw<>&"ord'));
  expect(secretsOf(root)).toEqual(['p4ssw<>&"ord']);
  expect(printXml(maskTree(root))).not.toContain("p4ssw");
});

test("what we say of a parameter that holds a secret is no secret; a value behind it is", () => {
  const sentence = "primitive f: warning: passwd: it is missing; write it";
  expect(maskText(sentence, [])).toBe(sentence);
  const unknown = "primitive f: warning: passwd: there is no such parameter; remove it";
  expect(maskText(unknown, [])).toBe(unknown);
  expect(maskText("board said passwd: it, and password: there", [])).toBe(
    "board said passwd: ******, and password: ******",
  );
});

test.each(["secret", "secret_option", "passwd_script", "ipaddr", "login", "port", "keepalive", "monitor"])(
  "%s is none",
  (name) => {
    expect(secretsOf(tree(pair(name, "value")))).toEqual([]);
  },
);

test("a known value is masked wherever it stands, also escaped, also within another word", () => {
  const secrets = secretsOf(tree(pair("passwd", 'a&b"c'), pair("community", "mgmt77")));
  const text = 'log: ipmitool -P a&b"c\nxml: value="a&amp;b&quot;c"\njson: "a&b\\"c"\nsnmp: xmgmt77x';
  const masked = maskText(text, secrets);
  expect(masked).not.toMatch(/a&b|a&amp;b|mgmt77/);
  expect(masked.match(/\*{6}/g)).toHaveLength(4);
});

test("what is called a password is masked, known or not; short words of everyday text are left", () => {
  expect(maskText("login admin password=letmein ok", [])).toBe("login admin password=****** ok");
  expect(maskText('Passwd: "two words" next', [])).toBe("Passwd: ****** next");
  expect(maskText("node on line", ["on"])).toBe("node on line");
});

test("whatever the secret is, it is not in what is told of the CIB that holds it", () => {
  const secret = fc
    .string({ minLength: 4, maxLength: 20, unit: "grapheme-ascii" })
    .filter((each) => !/^\*+$/.test(each));
  fc.assert(
    fc.property(secret, fc.string(), (value, around) => {
      const root = tree(pair("passwd", value));
      const text = maskText(`${around}${value}${around} ${printXml(maskTree(root))}`, secretsOf(root));
      // Where the mask itself, or the words around it, spell it anew nothing was given away.
      if (
        !"******".includes(value) &&
        !around.includes(value) &&
        !printXml(tree(pair("passwd", "******"))).includes(value)
      )
        expect(text.replaceAll("******", "\u0000")).not.toContain(value);
    }),
  );
});

const at = (atWallMs: number, node: string, text: string, severity: Happening["severity"] = "info"): Happening => ({
  atWallMs,
  node,
  kind: "log",
  severity,
  text,
});

test("one order for all nodes, once for what two say alike, with the pauses between", () => {
  const story = tellTimeline(
    [
      at(5000, "b", "took over"),
      at(1000, "a", "lost b"),
      at(1200, "b", "lost b"),
      at(900, "a", "before"),
      at(9000, "a", "late"),
    ],
    { fromWallMs: 1000, toWallMs: 8000 },
  );
  expect(
    story.map(({ text, nodes, sinceStartMs, sinceLastMs }) => [text, nodes.join("+"), sinceStartMs, sinceLastMs]),
  ).toEqual([
    ["lost b", "a+b", 0, 0],
    ["took over", "b", 4000, 4000],
  ]);
  expect(longestGaps(story, 3).map(({ text }) => text)).toEqual(["took over"]);
});

test("the same words of one node, or long apart, are two happenings", () => {
  const window = { fromWallMs: 0, toWallMs: 10_000 };
  expect(tellTimeline([at(0, "a", "x"), at(10, "a", "x")], window)).toHaveLength(2);
  expect(tellTimeline([at(0, "a", "x"), at(5000, "b", "x")], window)).toHaveLength(2);
});

test("lines of the manager are read, others left out", () => {
  const line = "2026-11-21T08:00:05.123Z WARNING: the peer is late";
  expect(readLogLine("a", line, Date.parse)).toEqual(
    at(Date.parse("2026-11-21T08:00:05.123Z"), "a", "the peer is late", "warning"),
  );
  expect(readLogLine("a", "Segmentation fault", Date.parse)).toBeUndefined();
});
