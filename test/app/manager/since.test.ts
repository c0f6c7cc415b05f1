/** Since when a resource stands in its state, as status reads it from the CIB. */
import { expect, test } from "vitest";
import { sinceWallMs } from "../../../src/app/manager/status.ts";
import { parseXml } from "../../../src/base/xml.ts";

function since(id: string, more: string, operation: string, names: readonly string[]): number | undefined {
  const read = parseXml(
    `<cib><status><node_state uname="alpha"><lrm><lrm_resources><lrm_resource id="${id}" ${more}>
     <lrm_rsc_op id="${id}_last_0" operation="${operation}" last-rc-change="900"/></lrm_resource></lrm_resources></lrm>
     </node_state></status></cib>`,
  );
  if (read.kind === "not-xml") throw new Error(read.reason);
  return sinceWallMs(read.root, "alpha", names);
}

test.each([
  ["its start", "ip", "", "start", ["ip"], 900_000],
  [
    "what the node knows of its start, where it was probed since",
    "ip",
    'active-since="100"',
    "monitor",
    ["ip"],
    100_000,
  ],
  ["that of the very instance", "web:1", "", "start", ["web:1", "web"], 900_000],
  ["that of the name that all instances share", "web", "", "start", ["web:1", "web"], 900_000],
  ["nothing", "other", "", "start", ["ip"], undefined],
])("%s", (_name, id, more, operation, names, told) => {
  expect(since(id, more, operation, names)).toBe(told);
});
