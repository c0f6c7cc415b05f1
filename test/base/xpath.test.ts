/** XPath over our trees: what the field's tools agree on stands in test/app/commands/field-lines/cibadmin.txt. */
import { expect, test } from "vitest";
import { parseXml, type XmlElement } from "../../src/base/xml.ts";
import { elementAt, findPaths, pathFault, searchPaths } from "../../src/base/xml-path.ts";
import { fc } from "../support/repeatable.ts";

function read(text: string): XmlElement {
  const parsed = parseXml(text);
  if (parsed.kind === "not-xml") throw new Error(parsed.reason);
  return parsed.root;
}

const root =
  read(`<cib><r><p id="a" n="3"><o id="a1"/><o id="a2"/></p><p id="b" n="10"/><g id="g"><p id="c"/><p id="d" n="x"/></g>
  <p id="e">some <b>text</b></p></r></cib>`);

const ids = (path: string) =>
  findPaths(root, path)
    ?.map((at) => elementAt(root, at))
    .map((element) => element?.attributes["id"] ?? element?.name)
    .join(" ");

test.each([
  ["//p[@n]", "a b d"],
  ["//p[@n='3' or @id='c']", "a c"],
  ["//p[@n > 3]", "b"],
  ["//p[@n != '3'][1]", "b d"],
  ["//p[1]", "a c"],
  ["(//p)[2]", "b"],
  ["//g/p[last()]|//p[o]", "a d"],
  ["//p[position() mod 2 = 1]/@id", "a c e"],
  ["//o/..", "a"],
  ["//p[@id='d']/preceding::p[1]", "c"],
  ["//p[@id='d']/ancestor::*[1]", "g"],
  ["//o[2]/following::p", "b c d e"],
  ["//p[not(@n) and not(*)]", "c"],
  ["//*[substring-after(@id, 'a') = 2]", "a2"],
  ["//p[contains(concat(@id, '-', @n), 'a-3')]", "a"],
  ["//p[translate(@n, 'x', 'y') = \"y\"]", "d"],
  ["//r[count(p) = 3 and sum(p/@n) = 13]", "r"],
  ["//p[normalize-space(text()) = 'some']", "e"],
  ["//p[round(@n div 4) = 3 or -@n = - 3]", "a b"],
  ["/", "cib"],
  ["//nothing", ""],
])("%s means %s", (path, meant) => {
  expect(ids(path)).toBe(meant);
});

test.each([
  ["p", "a path begins with / or //"],
  ["count(//p)", "the whole needs elements or attributes"],
  ["//p[", "an operand is missing at the end"],
  ["//p[@id='a'", '"]" is missing at the end'],
  ["//p[@id=$x]", "there are no variables here"],
  ["//x:p", '"x:" is a namespace, of which a CIB has none'],
  ["//p[first()]", "there is no function first()"],
  ["//p[contains(@id)]", "contains() takes 2 arguments"],
  ["//p[count('a')]", "count() needs elements or attributes"],
  ["//p/beside::p", 'there is no axis "beside"'],
  ["//p#", '"#" is not understood'],
  ["//p]", '"]" is not understood there'],
  [`//p[${"(".repeat(60)}`, "brackets stand more than 40 deep"],
  [`//p[${"1+".repeat(3000)}1]`, "it is longer than 4000 characters"],
])("%s is no path", (path, reason) => {
  expect(pathFault(path)).toBe(reason);
  expect(findPaths(root, path)).toBeUndefined();
});

test("an expression that looks at everything for everything is given up", () => {
  const many = read(`<cib>${'<p id="a"/>'.repeat(2000)}</cib>`);
  const found = searchPaths(many, "//p[count(//p[count(//p) > 1]) > 1]");
  expect(found).toEqual({ kind: "not-xpath", reason: expect.stringContaining("looks at more than 1000000 nodes") });
});

test("whatever is written, it is either found or refused", () => {
  const word = fc.constantFrom(
    ..."// / p * @ id [ ] ( ) , . .. | or and = != < 1 'a' not count last :: self $ -".split(" "),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      const text = words.join(" ");
      const found = searchPaths(root, text);
      expect(found.kind === "not-xpath").toBe(pathFault(text) !== undefined);
    }),
  );
});
