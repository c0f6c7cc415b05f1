/** Strict XML: round trips, hostile input, and where a fault lies. */
import { expect, test } from "vitest";
import { DEPTH_MAX, isXmlName, isXmlText, parseXml, printXml, type XmlElement, xml } from "../../src/base/xml.ts";
import { fc } from "../support/repeatable.ts";

const name = fc.stringMatching(/^[A-Za-z_][-.A-Za-z0-9_]{0,8}$/);
const value = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text));
const element: (depth?: number) => fc.Arbitrary<XmlElement> = fc.memo((depth) =>
  fc
    .tuple(
      name,
      fc.dictionary(name, value, { noNullPrototype: true }),
      depth <= 1 ? fc.constant([]) : fc.array(element(), { maxLength: 4 }),
    )
    .map(([tag, attributes, children]) => xml(tag, attributes, children)),
);

test("what is printed is read back the same", () => {
  fc.assert(
    fc.property(element(4), (root) => {
      expect(parseXml(printXml(root))).toEqual({ kind: "xml", root });
    }),
  );
});

test("never throws, whatever comes", () => {
  const piece = fc.oneof(
    fc.constantFrom("<", ">", "</", "/>", "<!--", "-->", "&", "&amp;", "<?", "<![CDATA[", "]]>", "a", '="', "'"),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      expect(["xml", "not-xml"]).toContain(parseXml(pieces.join("")).kind);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ["<a>\n<b>\n</a>", 3, "</a> closes b"],
  ["<a b='1' b='2'/>", 1, "attribute b stands twice"],
  ["<!DOCTYPE a []><a/>", 1, "document type declarations are refused"],
  ["<a>&bomb;</a>", 1, "undefined entity &bomb;"],
  ["<a/><b/>", 1, "a second root element"],
  ["<a", 1, "the tag <a> is malformed"],
  ["", 1, "there is no element"],
  ["<a/>text", 1, "text outside of the root element"],
])("%j is refused with its line and reason", (source, line, reason) => {
  expect(parseXml(source)).toEqual({ kind: "not-xml", line, reason });
});

test("depth is bounded", () => {
  const deep = "<a>".repeat(DEPTH_MAX + 1) + "</a>".repeat(DEPTH_MAX + 1);
  expect(parseXml(deep)).toMatchObject({ kind: "not-xml", reason: `nested deeper than ${DEPTH_MAX} levels` });
});

test("an attribute may be called __proto__ without touching a prototype", () => {
  const read = parseXml('<a __proto__="x"/>');
  expect(read.kind === "xml" && Object.entries(read.root.attributes)).toEqual([["__proto__", "x"]]);
  expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
});

test("signs that no document may hold are printed as a substitute, and everything else as it is", () => {
  const printed = (text: string) => printXml(xml("a", { b: text }));
  expect(printed("\u001b[1mbold\u0000\u0007\ud800x\uffff")).toBe('<a b="\ufffd[1mbold\ufffd\ufffd\ufffdx\ufffd"/>\n');
  const fine = '\t\n\r <>&" 日本 \u{1f600} \u007f';
  expect(parseXml(printed(fine))).toMatchObject({ kind: "xml", root: { attributes: { b: fine } } });
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(isXmlText(printed(text))).toBe(true);
      expect(printed(text).includes("\ufffd")).toBe(!isXmlText(text) || text.includes("\ufffd"));
    }),
  );
});

test.each([
  ["granted", true],
  ["last-granted", true],
  ["1e309", false],
  ["]]>", false],
  ["", false],
  ["a b", false],
])("a name of XML: %j %s", (text, isName) => {
  expect(isXmlName(text)).toBe(isName);
});
