/** The alerts section as the documentation means it: one target for each recipient, with its own word first. */
import { expect, test } from "vitest";
import { selectsAttributes, wants } from "../../../src/cluster/core/alerts/configuration.ts";
import { cib, NOON, targetsOf } from "./scene.ts";

const meta = (id: string, pairs: string) => `<meta_attributes id="${id}">${pairs}</meta_attributes>`;
const pair = (name: string, value: string) => `<nvpair id="${name}-${value}" name="${name}" value="${value}"/>`;

test("an alert without anything has the documented defaults", () => {
  expect(targetsOf('<alert id="a" path="/x"/>')).toEqual([
    {
      name: "a",
      path: "/x",
      recipient: "",
      kinds: ["node", "fencing", "resource"],
      attributes: [],
      timeoutMs: 30_000,
      timestampFormat: "%H:%M:%S.%06N",
      parameters: {},
    },
  ]);
});

test("each recipient is a target; what it says goes before what the alert says, and one can be switched off", () => {
  const targets = targetsOf(`<alert id="a" path="/x">
    ${meta("m", pair("timeout", "15s") + pair("timestamp-format", "%s"))}
    <instance_attributes id="i">${pair("debug", "false")}${pair("from", "me")}</instance_attributes>
    <recipient id="r1" value="one">
      <instance_attributes id="i1">${pair("debug", "true")}</instance_attributes></recipient>
    <recipient id="r2" value="two">${meta("m2", pair("timeout", "1min"))}</recipient>
    <recipient id="r3" value="three">${meta("m3", pair("enabled", "false"))}</recipient></alert>
    <alert id="b" path="/y">${meta("m4", pair("enabled", "no"))}</alert>`);
  expect(targets).toMatchObject([
    { name: "a (one)", timeoutMs: 15_000, timestampFormat: "%s", parameters: { debug: "true", from: "me" } },
    { name: "a (two)", timeoutMs: 60_000, recipient: "two", parameters: { debug: "false", from: "me" } },
  ]);
});

test("a timeout that is none, or 0, is the usual one", () => {
  for (const value of ["0", "soon"])
    expect(targetsOf(`<alert id="a" path="/x">${meta("m", pair("timeout", value))}</alert>`)[0]?.timeoutMs).toBe(
      30_000,
    );
});

test("a rule in a set is judged at the instant of the event", () => {
  const night =
    '<rule id="r"><date_expression id="d" operation="date_spec"><date_spec id="s" hours="18-23"/>' +
    "</date_expression></rule>";
  const alert = `<alert id="a" path="/x">${meta("m", `${night}${pair("enabled", "false")}`)}</alert>`;
  expect(targetsOf(alert)).toHaveLength(1);
  expect(targetsOf(alert, NOON.wallMs + 8 * 3_600_000)).toEqual([]);
});

test("filters: what is named and nothing else; an empty one means the usual", () => {
  const kindsOf = (select: string) => targetsOf(`<alert id="a" path="/x">${select}</alert>`)[0]?.kinds;
  expect(kindsOf("<select><select_nodes/><select_fencing/></select>")).toEqual(["node", "fencing"]);
  expect(kindsOf("<select><select_attributes/></select>")).toEqual(["attribute"]);
  expect(kindsOf("<select/>")).toEqual(["node", "fencing", "resource"]);
});

test("attributes: only those that are named, or all", () => {
  const some =
    '<alert id="a" path="/x"><select><select_attributes><attribute id="n" name="pingd"/></select_attributes>' +
    "</select></alert>";
  const all = '<alert id="a" path="/x"><select><select_attributes/></select></alert>';
  const asked = (alert: string, name: string) => targetsOf(alert).some((target) => wants(target, "attribute", name));
  expect([asked(some, "pingd"), asked(some, "standby"), asked(all, "standby")]).toEqual([true, false, true]);
  expect(asked('<alert id="a" path="/x"/>', "pingd")).toBe(false);
  expect([selectsAttributes(cib(some)), selectsAttributes(cib('<alert id="a" path="/x"/>'))]).toEqual([true, false]);
});
