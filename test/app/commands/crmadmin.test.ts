/** `crmadmin` on a CIB file: remote nodes and guests stand among the resources; a file is no service. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { runHere } from "../../support/run-here.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "crmadmin-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, "cib.xml");
writeFileSync(
  file,
  `<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config/>
  <nodes><node id="1" uname="n1"/></nodes><resources>
  <primitive id="far" class="ocf" provider="pacemaker" type="remote"/>
  <primitive id="vm" class="ocf" provider="heartbeat" type="VirtualDomain"><meta_attributes id="vm-m">
  <nvpair id="vm-m-r" name="remote-node" value="inside"/></meta_attributes></primitive></resources><constraints/>
  </configuration><status/></cib>`,
);
const crmadmin = (...words: string[]) => runHere(["crmadmin", ...words], { CIB_file: file, GEMEL_RUN: folder });

test.each([
  ["--nodes", "cluster node: n1 (1)\nremote node: far (far)\nguest node: inside (inside)\n"],
  ["--nodes=remote", "remote node: far (far)\n"],
  ["-Nguest", "guest node: inside (inside)\n"],
  ["--nodes=cluster,guest", "cluster node: n1 (1)\nguest node: inside (inside)\n"],
])("%s", async (option, told) => {
  expect(await crmadmin(option)).toMatchObject({ code: 0, output: told });
});

test("a file is no service that runs", async () => {
  expect(await crmadmin("-P")).toMatchObject({ code: 102, output: "" });
  expect((await crmadmin("--nodes=nonsense")).code).toBe(64);
});
