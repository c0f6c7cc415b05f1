/** Rules of access: what may be seen, what may be changed, and that nobody gives himself a right. */
import { describe, expect, test } from "vitest";
import { childOf, parseXml, printXml, type XmlElement } from "../../../src/base/xml.ts";
import { applyCrm, emptyConfiguration } from "../../../src/cib/crm-syntax/apply.ts";
import { parseCrm } from "../../../src/cib/crm-syntax/parse.ts";
import { filterCib, hasRules, type Person, wholeRight } from "../../../src/cluster/core/access/acl.ts";
import { refuseChange, restoreUnseen } from "../../../src/cluster/core/access/change.ts";
import { applyOperations } from "../../../src/cluster/core/cib-store/operations.ts";
import type { ConfigurationOperation } from "../../../src/cluster/core/cib-store/types.ts";
import { fc } from "../../support/repeatable.ts";

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
      "you may not create nvpair db-meta_attributes-target-role",
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
    expect(refusals(person("alice"), change).join()).toContain("nvpair db-meta_attributes-target-role");
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

/** Pacemaker Explained, "ACL Examples": what a site has copied from there must work. */
const OPERATOR = `role operator write xpath:"//crm_config//nvpair[@name='maintenance-mode']" \\
  write xpath:"//resources//meta_attributes/nvpair[@name='target-role']" \\
  write xpath:"//resources//nvpair[@name='is-managed']" write type:rsc_location
acl_target oscar look operator
`;

describe("the operator of Pacemaker's documentation", () => {
  const site = cibOf(BASE + ROLES + OPERATOR);
  const oscar = person("oscar");
  const change = (operations: readonly ConfigurationOperation[]) => {
    const applied = applyOperations(childOf(site, "configuration") ?? site, operations);
    if (applied.kind === "invalid") throw new Error(JSON.stringify(applied.problems));
    const changed = { ...site, children: [applied.value, ...site.children.slice(1)] };
    return refuseChange(site, changed, oscar).map(({ reason }) => reason);
  };

  test("stops and starts, though the set of the attribute has to be made first", () => {
    expect(change([option("web", "target-role", "Stopped")])).toEqual([]);
    expect(change([option("db", "is-managed", "false")])).toEqual([]);
    expect(change([option("web", "priority", "5")])).toEqual([
      "you may not create nvpair web-meta_attributes-priority",
    ]);
  });

  test("a frame alone is not made, nor one that says something of its own", () => {
    const set = (attributes: Readonly<Record<string, string>>, children: readonly XmlElement[]): XmlElement => ({
      name: "meta_attributes",
      attributes: { id: "m", ...attributes },
      children,
    });
    const pair: XmlElement = {
      name: "nvpair",
      attributes: { id: "p", name: "target-role", value: "Stopped" },
      children: [],
    };
    const make = (element: XmlElement) => change([{ kind: "add", parent: "web", element }]);
    expect(make(set({}, [pair]))).toEqual([]);
    expect(make(set({}, []))).toEqual(["you may not create meta_attributes m"]);
    expect(make(set({ score: "5" }, [pair]))).toEqual(["you may not create meta_attributes m"]);
  });

  test("moves by constraints, and touches nothing else", () => {
    const near: XmlElement = {
      name: "rsc_location",
      attributes: { id: "cli-prefer-web", rsc: "web", node: "srv02", score: "INFINITY" },
      children: [],
    };
    expect(change([{ kind: "set", parent: "constraints", element: near }])).toEqual([]);
    expect(change([{ kind: "delete", target: "web" }])).toEqual(["you may not delete primitive web"]);
  });
});

test("a permission with an attribute is for the elements that have it, and no others", () => {
  const roles = (permission: string) => {
    const read = parseXml(printXml(cibOf(`${BASE}role one read ref:near\nacl_target frank one\n`)));
    if (read.kind === "not-xml") throw new Error(read.reason);
    const text = printXml(read.root).replace(/<acl_permission [^>]*>/, `<acl_permission id="p" ${permission}/>`);
    const changed = parseXml(text);
    if (changed.kind === "not-xml") throw new Error(changed.reason);
    return printXml(filterCib(changed.root, person("frank")));
  };
  expect(roles('kind="read" object-type="primitive" attribute="provider"')).toContain("s3same");
  expect(roles('kind="read" object-type="primitive" attribute="provider"')).not.toContain("192.0.2.9");
});

describe("what was kept from a person when he sends back what he was shown", () => {
  // Hidden: an attribute between others, a whole resource, the only child of a set, a constraint, a node.
  const site = cibOf(`${BASE.replace("passwd=power", "passwd=power login=admin")}role most write xpath:/cib \\
    deny xpath:"//nvpair[@name='passwd']" deny xpath:"//nvpair[@name='secret']" deny ref:db deny ref:near deny ref:srv01
acl_target bob most
`);
  const bob = person("bob");
  const shown = () => childOf(filterCib(site, bob), "configuration") ?? site;
  const whole = (configuration: XmlElement) => ({
    ...site,
    children: [restoreUnseen(site, configuration, bob), ...site.children.slice(1)],
  });
  const edit = (element: XmlElement, change: (element: XmlElement) => readonly XmlElement[]): XmlElement => ({
    ...element,
    children: element.children.flatMap(change).map((child) => edit(child, change)),
  });

  test("nothing is lost, and all stands where it stood", () => {
    expect(printXml(shown())).not.toMatch(/power"|s3same|"hidden"|rsc_location|uname="srv01"/);
    expect(printXml(whole(shown()))).toBe(printXml(site));
  });

  test("his own change is made, and is all that is changed", () => {
    const text = printXml(shown()).replace("192.0.2.9", "192.0.2.7");
    const read = parseXml(text);
    if (read.kind === "not-xml") throw new Error(read.reason);
    const result = whole(read.root);
    expect(printXml(result)).toBe(printXml(site).replace("192.0.2.9", "192.0.2.7"));
    expect(refuseChange(site, result, bob)).toEqual([]);
  });

  test("what holds something hidden cannot be deleted, renamed or replaced unseen", () => {
    const without = edit(shown(), (child) => (child.attributes["id"] === "shoot" ? [] : [child]));
    expect(refuseChange(site, whole(without), bob).map(({ reason }) => reason)).toEqual([
      "you may not delete primitive shoot: it holds what you may not see",
    ]);
    const renamed = edit(shown(), (child) =>
      child.attributes["id"] === "shoot" ? [{ ...child, attributes: { ...child.attributes, id: "other" } }] : [child],
    );
    expect(refuseChange(site, whole(renamed), bob)).not.toEqual([]);
    const guessed = edit(shown(), (child) =>
      child.name === "resources"
        ? [{ ...child, children: [...child.children, { name: "primitive", attributes: { id: "db" }, children: [] }] }]
        : [child],
    );
    expect(refuseChange(site, whole(guessed), bob)).not.toEqual([]);
  });

  test("whatever is kept from whom, what was shown and comes back is what was (300 rules)", () => {
    const ids = ["web", "db", "shoot", "near", "srv01", "srv02", "resources", "constraints", "most"];
    const rule = fc.record({ kind: fc.constantFrom("read", "write", "deny"), id: fc.constantFrom(...ids) });
    fc.assert(
      fc.property(
        fc.array(rule, { minLength: 1, maxLength: 6 }),
        fc.constantFrom("read", "deny", "write"),
        (rules, all) => {
          const said = [
            { kind: all, path: "xpath:/cib" },
            ...rules.map(({ kind, id }) => ({ kind, path: `ref:${id}` })),
          ];
          const words = said.map(({ kind, path }) => `${kind} ${path}`).join(" ");
          const base = cibOf(`${BASE}role most ${words}\nacl_target bob most\n`);
          const view = childOf(filterCib(base, bob), "configuration") ?? {
            name: "configuration",
            attributes: {},
            children: [],
          };
          expect(printXml(restoreUnseen(base, view, bob))).toBe(printXml(childOf(base, "configuration") ?? base));
        },
      ),
      { numRuns: 300 },
    );
  });
});

test("a denial by a path that is not understood denies everything; a permission by such a path gives nothing", () => {
  const read = parseXml('<acl_permission id="p" kind="deny" xpath="//nvpair[@id = $name]"/>');
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
