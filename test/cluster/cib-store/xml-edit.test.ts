/** What `modify` takes for the element that is meant. As cibadmin 2.1.5 does; measured with CIB_file. */
import { expect, test } from "vitest";
import { xml } from "../../../src/base/xml.ts";
import { modify } from "../../../src/cluster/core/cib-store/xml-edit.ts";

const CIB = xml("cib", {}, [
  xml("configuration", {}, [xml("resources", {}, [xml("group", { id: "g" }, [xml("primitive", { id: "p" })])])]),
]);

test.each(["group", "primitive"])("a %s without an id is none of those that have one", (name) => {
  expect(modify(CIB, {}, xml(name, { class: "ocf" }), false)).toMatchObject({ kind: "not-found" });
});

test("a section is found by its name, in whatever scope", () => {
  expect(modify(CIB, { scope: "resources" }, xml("configuration", { x: "1" }), false)).toMatchObject({
    kind: "edited",
    root: { children: [{ name: "configuration", attributes: { x: "1" } }] },
  });
});
