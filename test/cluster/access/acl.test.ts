/** Rules of access: what may be seen, what may be changed, and that nobody gives himself a right. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { childOf, parseXml, printXml, type XmlElement } from "../../../src/base/xml.ts";
import { applyCrm, emptyConfiguration } from "../../../src/cib/crm-syntax/apply.ts";
import { parseCrm } from "../../../src/cib/crm-syntax/parse.ts";
import { filterCib, hasRules, type Person, refuseChange, wholeRight } from "../../../src/cluster/core/access/acl.ts";
import { applyOperations } from "../../../src/cluster/core/cib-store/operations.ts";
import type { ConfigurationOperation } from "../../../src/cluster/core/cib-store/types.ts";

const BASE = `node srv01
node srv02
primitive web Dummy params secret=s3same
primitive db Dummy params password=hidden
primitive shoot stonith:ipmi-lan params ipaddr=192.0.2.9 passwd=power
location near web 10: srv01
property enable-acl=true
`;
const ROLES = `role look read xpath:/cib
role webmaster write ref:web read xpath:/cib deny type:acls
role blind read xpath:/cib deny xpath:"//nvpair[@name='passwd']"
role everything write xpath:/cib
role constraints write xpath:/cib/configuration/constraints read xpath:/cib
acl_target alice webmaster
acl_target bob blind
acl_target carol everything
acl_target erin constraints
acl_group staff look
`;

const cibOf = (text: string): XmlElement => {
  const { configuration, problems } = applyCrm(emptyConfiguration(), parseCrm(text, "t"));
  expect(problems).toEqual([]);
  return { name: "cib", attributes: {}, children: [configuration, { name: "status", attributes: {}, children: [] }] };
};
const cib = cibOf(BASE + ROLES);
const person = (user: string, groups: readonly string[] = []): Person => ({ uid: 1000, user, groups });

function after(operations: readonly ConfigurationOperation[]): XmlElement {
  const applied = applyOperations(childOf(cib, "configuration") ?? cib, operations);
  if (applied.kind === "invalid") throw new Error(JSON.stringify(applied.problems));
  return { ...cib, children: [applied.value, { name: "status", attributes: {}, children: [] }] };
}
const option = (target: string, name: string, value: string): ConfigurationOperation => ({
  kind: "set-option",
  target,
  setName: "meta_attributes",
  name,
  value,
});
const refusals = (who: Person, operations: readonly ConfigurationOperation[]) =>
  refuseChange(cib, after(operations), who).map(({ reason }) => reason);

test("rules are asked for by name", () => {
  expect(hasRules(cib)).toBe(true);
  expect(hasRules(cibOf(BASE.replace("enable-acl=true", "cluster-name=x")))).toBe(false);
});

describe("seeing", () => {
  test("root and hacluster see all, a stranger an empty frame", () => {
    for (const who of [{ uid: 0, user: "root", groups: [] }, person("hacluster")])
      expect(filterCib(cib, who)).toBe(cib);
    expect(filterCib(cib, person("mallory"))).toEqual({ name: "cib", attributes: {}, children: [] });
  });

  test("a group's role counts, and what is denied below is not there", () => {
    expect(filterCib(cib, person("dave", ["staff"]))).toEqual(cib);
    const text = printXml(filterCib(cib, person("bob")));
    expect(text).toContain("192.0.2.9");
    expect(text).not.toContain("power");
    expect(printXml(filterCib(cib, person("alice")))).not.toContain("webmaster");
  });

  test("a name beside the id is who is meant, and the id then is nobody", () => {
    const text = printXml(cib)
      .replace('<acl_target id="alice">', '<acl_target id="t1" name="alice">')
      .replace('<acl_group id="staff">', '<acl_group id="g1" name="staff">');
    const read = parseXml(text);
    if (read.kind === "not-xml") throw new Error(read.reason);
    expect(filterCib(read.root, person("alice"))).not.toEqual({ name: "cib", attributes: {}, children: [] });
    expect(filterCib(read.root, person("t1"))).toEqual({ name: "cib", attributes: {}, children: [] });
    expect(filterCib(read.root, person("dave", ["staff"]))).toEqual(read.root);
  });

  test("what leads to something that may be seen is a bare frame", () => {
    const only = cibOf(`${BASE}role one read ref:web\nacl_target frank one\n`);
    const text = printXml(filterCib(only, person("frank")));
    expect(text).toContain("s3same");
    expect(text).not.toMatch(/hidden|power|near|srv01/);
  });
});

describe("changing", () => {
  test("the webmaster changes web and nothing else", () => {
    expect(refusals(person("alice"), [option("web", "target-role", "Stopped")])).toEqual([]);
    expect(refusals(person("alice"), [option("db", "target-role", "Stopped")])).toEqual([
      "you may not create meta_attributes db-meta_attributes",
    ]);
    expect(refusals(person("alice"), [{ kind: "delete", target: "near" }])).toEqual([
      "you may not delete rsc_location near",
    ]);
    expect(
      refusals(person("alice"), [{ kind: "set-attributes", target: "db", attributes: { type: "Stateful" } }]),
    ).toEqual(["you may not change primitive db"]);
  });

  test("one thing that may not be done refuses the change, however much of it may", () => {
    const both = [option("web", "target-role", "Stopped"), option("db", "target-role", "Stopped")];
    expect(refusals(person("alice"), both)).toHaveLength(1);
  });

  test("constraints may be made and removed by whom that section is given to", () => {
    const made: XmlElement = {
      name: "rsc_location",
      attributes: { id: "new", rsc: "web", node: "srv02", score: "1" },
      children: [],
    };
    expect(refusals(person("erin"), [{ kind: "set", parent: "constraints", element: made }])).toEqual([]);
    expect(refusals(person("erin"), [{ kind: "delete", target: "near" }])).toEqual([]);
    expect(refusals(person("erin"), [option("web", "target-role", "Stopped")])).not.toEqual([]);
  });

  test("nobody gives himself a right, not even in the change that would use it", () => {
    const target: XmlElement = {
      name: "acl_target",
      attributes: { id: "alice" },
      children: [{ name: "role", attributes: { id: "everything" }, children: [] }],
    };
    const change = [{ kind: "set", parent: "acls", element: target }, option("db", "target-role", "Stopped")] as const;
    expect(refusals(person("alice"), change).join()).toContain("meta_attributes db-meta_attributes");
    expect(refusals(person("alice"), change.slice(0, 1))).not.toEqual([]);
    expect(refusals(person("carol"), change)).toEqual([]);
  });

  test("reading is no writing", () => {
    expect(refusals(person("dave", ["staff"]), [option("web", "target-role", "Stopped")])).not.toEqual([]);
    expect(wholeRight(cib, person("dave", ["staff"]))).toBe("read");
    expect(wholeRight(cib, person("carol"))).toBe("write");
    expect(wholeRight(cib, person("mallory"))).toBe("none");
  });
});

test("a denial by a path that is not understood denies everything; a permission by such a path gives nothing", () => {
  const read = parseXml('<acl_permission id="p" kind="deny" xpath="//nvpair[position() &lt; 3]"/>');
  if (read.kind === "not-xml") throw new Error(read.reason);
  const deep = (element: XmlElement): XmlElement =>
    element.name === "acl_role" && element.attributes["id"] === "everything"
      ? { ...element, children: [...element.children, read.root] }
      : { ...element, children: element.children.map(deep) };
  expect(wholeRight(deep(cib), person("carol"))).toBe("none");
});

test("whatever alice tries, only web has changed when it is allowed (500 changes)", () => {
  const targets = fc.constantFrom("web", "db", "shoot", "near", "everything", "constraints", "resources", "srv01");
  const operation = fc.oneof(
    fc.record({ kind: fc.constant("delete" as const), target: targets }),
    fc.record({
      kind: fc.constant("set-attributes" as const),
      target: targets,
      attributes: fc.dictionary(fc.constantFrom("description", "type", "score"), fc.constantFrom("a", "b")),
    }),
    targets.map((target) => option(target, "target-role", "Stopped")),
  );
  const without = (tree: XmlElement): XmlElement => ({
    ...tree,
    children: tree.children.filter(({ attributes }) => attributes["id"] !== "web").map(without),
  });
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 4 }), (operations) => {
      const applied = applyOperations(childOf(cib, "configuration") ?? cib, operations);
      if (applied.kind === "invalid") return;
      const changed = { ...cib, children: [applied.value, { name: "status", attributes: {}, children: [] }] };
      if (refuseChange(cib, changed, person("alice")).length === 0)
        expect(printXml(without(changed))).toBe(printXml(without(cib)));
    }),
    { numRuns: 500 },
  );
});
