/**
 * What our commands write as XML is valid by the schemas of Pacemaker 2.1.5, whose readers are the ones in the field:
 * over the scheduler's reference CIBs, every so manieth (`GEMEL_ALL_CASES=1` takes all), and where something is wrong.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { parseXml, type XmlElement } from "../../../src/base/xml.ts";
import { readReferenceCase, referenceCases } from "../../support/reference-cases.ts";
import { faultBy, readSchema } from "../../support/relax-ng.ts";
import { runHere } from "../../support/run-here.ts";
import { skips } from "../../support/skip.ts";

const SCHEMA = "/usr/share/pacemaker/api/api-result-2.25.rng";
const hasSchema = existsSync(SCHEMA);
const schema = hasSchema ? readSchema(SCHEMA) : undefined;
const STRIDE = process.env["GEMEL_ALL_CASES"] === "1" ? 1 : 60;

const folder = mkdtempSync(path.join(os.tmpdir(), "cmd-valid-"));
const file = path.join(folder, "cib.xml");
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string): XmlElement {
  const found = parseXml(text);
  if (found.kind === "not-xml") throw new Error(`${found.reason}: ${text}`);
  return found.root;
}

async function faultOf(...argv: readonly string[]): Promise<string | undefined> {
  const { output } = await runHere([...argv, "--output-as=xml"], { CIB_file: file, TZ: "UTC", GEMEL_RUN: folder });
  if (schema === undefined) throw new Error("no schema");
  return faultBy(schema, read(output));
}

const CALLS = [
  ["crm_mon", "-1"],
  ["crm_mon", "-nr"],
  ["crm_mon", "-Rt"],
  ["crm_mon", "--exclude=all", "--include=resources,bans"],
];

describe.skipIf(skips(!hasSchema, "Pacemaker's schemas of output (pacemaker-cli-utils 2.1.5) are not installed"))(
  "valid by api-result-2.25.rng",
  () => {
    const cases = referenceCases();
    test.skipIf(skips(cases.length === 0, "there are no reference cases")).each(CALLS)(
      "%s %s",
      { timeout: 600_000 },
      async (...argv) => {
        const first = CALLS.findIndex(([, form]) => form === argv[1]) % STRIDE;
        const wrong: string[] = [];
        for (const name of cases.filter((_, index) => index % STRIDE === first)) {
          writeFileSync(file, readReferenceCase(name));
          const fault = await faultOf(...argv);
          if (fault !== undefined) wrong.push(`${name}: ${fault}`);
        }
        expect(wrong).toEqual([]);
      },
    );

    test("a failure of the oldest records, which says when and not how long", async () => {
      const op = `<lrm_rsc_op id="d_start_0" operation="start" interval="0" call-id="3" rc-code="1" op-status="0"
        last-rc-change="1285680567" transition-key="1:1:0:x"/>`;
      const history = `<lrm id="1"><lrm_resources><lrm_resource id="d" class="ocf" provider="p" type="D">${op}
        </lrm_resource></lrm_resources></lrm>`;
      writeFileSync(
        file,
        `<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config/>
        <nodes><node id="1" uname="a"/></nodes><resources><primitive id="d" class="ocf" provider="p" type="D"/>
        </resources><constraints/></configuration><status><node_state id="1" uname="a" in_ccm="true" crmd="online"
        join="member" expected="member">${history}</node_state></status></cib>`,
      );
      const { output } = await runHere(["crm_mon", "--output-as=xml"], { CIB_file: file });
      expect(output).toContain('exitstatus="error"');
      expect(await faultOf("crm_mon")).toBeUndefined();
    });

    test("an error is told in XML, too", async () => {
      expect(await faultOf("crm_mon", "--include=nonsense")).toBeUndefined();
    });

    test("the judge finds what is missing, too much, or no number", () => {
      const judged = (text: string) => (schema === undefined ? "" : faultBy(schema, read(text)));
      const answer = (inside: string) =>
        `<pacemaker-result api-version="2.25" request="x">${inside}<status code="0" message="OK"/></pacemaker-result>`;
      const counts = (number: string) => `<summary><nodes_configured number="${number}"/>
        <resources_configured number="1" disabled="0" blocked="0"/></summary>`;
      expect(judged(answer(counts("2")))).toBeUndefined();
      expect(judged(answer(counts("two")))).toBe('/pacemaker-result/summary/nodes_configured: number="two"');
      expect(judged(answer("<summary/><surplus/>"))).toBe("/pacemaker-result/surplus: not wanted here");
      expect(judged(answer('<summary><stack type="x" kind="y"/></summary>'))).toContain('stack: kind="y"');
      expect(judged(answer("<summary><stack/></summary>"))).toContain("stack: an attribute is missing");
      expect(judged('<pacemaker-result api-version="2" request=""/>')).toContain("something is missing");
    });
  },
);
