/** What the controller reads of a CIB is what the scheduler reads of it. */
import { describe, expect, test } from "vitest";
import { parseXml } from "../../../src/base/xml.ts";
import {
  clusterOption,
  configuredResources,
  isFencingEnabled,
  raisedCount,
} from "../../../src/cluster/core/controller/cib-read.ts";
import { readFacts } from "../../../src/cluster/core/scheduler/facts/read-facts.ts";

const set = (id: string, pairs: string, score = "") =>
  `<cluster_property_set id="${id}" ${score}>${pairs}</cluster_property_set>`;
const pair = (name: string, value: string) => `<nvpair id="${name}-${value}" name="${name}" value="${value}"/>`;
function cibOf(...sets: readonly string[]) {
  const rest = "<nodes/><resources/><constraints/></configuration><status/>";
  const read = parseXml(`<cib><configuration><crm_config>${sets.join("")}</crm_config>${rest}</cib>`);
  if (read.kind !== "xml") throw new Error(read.reason);
  return read.root;
}

describe("whether fencing is on", () => {
  test.each([
    [cibOf(), true],
    [cibOf(set("a", pair("stonith-enabled", "false"))), false],
    [cibOf(set("a", pair("fencing-enabled", "false"))), false],
    [cibOf(set("a", pair("stonith_enabled", "off"))), false],
    [cibOf(set("a", pair("stonith-enabled", "#default"))), true],
    [
      cibOf(set("a", pair("stonith-enabled", "true")), set("cib-bootstrap-options", pair("stonith-enabled", "false"))),
      false,
    ],
    [cibOf(set("a", pair("stonith-enabled", "true")), set("b", pair("stonith-enabled", "false"), 'score="9"')), false],
  ])("%#", (cib, isOn) => {
    expect(isFencingEnabled(cib)).toBe(isOn);
    expect(readFacts(cib, 0, {}).options.fencingEnabled).toBe(isOn);
  });
});

test("a fencing device by a template is no resource that a node would run", () => {
  const template = '<template id="bmc" class="stonith" type="ipmi-lan"/><primitive id="fence" template="bmc"/>';
  const service = '<template id="t" class="ocf" type="Dummy"/><group id="g"><primitive id="d" template="t"/></group>';
  const read = parseXml(`<cib><configuration><resources>${template}${service}</resources></configuration></cib>`);
  expect(read.kind === "xml" ? configuredResources(read.root) : []).toEqual(["d"]);
});

test("an option answers to each of its names", () => {
  const cib = cibOf(set("a", pair("crmd-transition-delay", "2min")));
  expect(clusterOption(cib, "transition-delay")).toBe("2min");
  expect(clusterOption(cib, "crmd-transition-delay")).toBe("2min");
});

test("a failure more never makes a count smaller, and none of it unreadable", () => {
  expect([undefined, "3", "INFINITY", "+INFINITY", "many", "-4", "1000000"].map(raisedCount)).toEqual([
    ...["1", "4", "INFINITY", "INFINITY", "1", "1", "1000000"],
  ]);
});
