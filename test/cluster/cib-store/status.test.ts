/** Shutdown locks in the status section: what writes them, what leaves them alone, what takes them off. */
import { expect, test } from "vitest";
import { printXml, xml } from "../../../src/base/xml.ts";
import { applyStatus, coalesce, EMPTY_STATUS } from "../../../src/cluster/core/cib-store/status.ts";
import type { StatusChange } from "../../../src/cluster/core/cib-store/types.ts";

const ip = { id: "ip", class: "ocf", type: "Dummy" };
const operation = (id: string) => xml("lrm_rsc_op", { id });
const stop: StatusChange = {
  kind: "set-operation",
  node: "alpha",
  resource: { ...ip, "shutdown-lock": "1700000000" },
  operation: operation("ip_last_0"),
};
const probe: StatusChange = { kind: "set-operation", node: "alpha", resource: ip, operation: operation("ip_probe") };
const end: StatusChange = { kind: "end-lock", node: "alpha", resource: "ip" };
const bare: StatusChange = {
  kind: "replace-history",
  node: "alpha",
  lrm: xml("lrm", {}, [xml("lrm_resources", {}, [xml("lrm_resource", { ...ip, "shutdown-lock": "1700000000" })])]),
};

const after = (...changes: readonly StatusChange[]) =>
  printXml(changes.reduce((status, change) => applyStatus(status, change, () => "1"), EMPTY_STATUS).tree);

test("a lock comes with the record of the stop, stays with what is recorded next, and ends alone", () => {
  expect(after(stop, probe)).toContain('shutdown-lock="1700000000"');
  expect(after(stop, probe, end)).not.toContain("shutdown-lock");
  expect(after(stop, probe, end)).toContain('id="ip_probe"');
});

test("a record that was kept for its lock alone goes with it; one that was none is left as it is", () => {
  expect(after(bare, end)).not.toContain("lrm_resource ");
  expect(after(probe, end)).toBe(after(probe));
});

test("what locks again after an end is not taken for what locked before it", () => {
  expect(coalesce([stop, end], stop)).toEqual([stop, end, stop]);
});
