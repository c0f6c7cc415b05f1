/**
 * Our commands beside Debian's, on the same CIB files: what is told, the exit code, and what the file holds after a
 * change. Where ours differ on purpose it is said.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { COMMANDS } from "../../../src/app/commands/index.ts";
import { AGENT_TOOLS } from "../../../src/app/manager/agent-tools.ts";
import { childOf, parseXml, printXml, type XmlElement } from "../../../src/base/xml.ts";
import { canon } from "../../cib/canon.ts";
import { sourceCib } from "../../cluster/monitor/source-cib.ts";
import { hasFieldTools, runHere, runTheirs, type Ran as Told } from "../../support/run-here.ts";
import { skips } from "../../support/skip.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "ops-field-"));
afterAll(() => rmSync(folder, { recursive: true }));

const hasJudge = hasFieldTools();

function start(): XmlElement {
  const cib = sourceCib({ node01: "failed" });
  return { ...cib, attributes: { ...cib.attributes, "validate-with": "pacemaker-3.0", crm_feature_set: "3.0.14" } };
}

function configurationIn(file: string): XmlElement {
  const read = parseXml(readFileSync(file, "utf8"));
  const configuration = read.kind === "xml" ? childOf(read.root, "configuration") : undefined;
  if (configuration === undefined) throw new Error("no configuration");
  return configuration;
}

interface Ran {
  readonly output: string;
  readonly code: number | null;
  readonly configuration: XmlElement;
}

type Run = (argv: readonly string[], env: Readonly<Record<string, string>>) => Told | Promise<Told>;

async function run(by: Run, argv: readonly string[], name: string): Promise<Ran> {
  const file = path.join(folder, `${name}.xml`);
  writeFileSync(file, printXml(start()));
  const { output, code } = await by(argv, { CIB_file: file, TZ: "UTC", LC_ALL: "C" });
  return { output, code, configuration: configurationIn(file) };
}

const ours = (tool: string, argv: readonly string[]) => run(runHere, [tool, ...argv], "ours");
const debians = (tool: string, argv: readonly string[]) => run(runTheirs, [tool, ...argv], "theirs");

const LIKE: readonly (readonly [tool: string, ...argv: string[]])[] = [
  ["crm_attribute", "-G", "-n", "stonith-enabled", "-t", "crm_config"],
  ["crm_attribute", "-G", "-n", "stonith-enabled", "-q"],
  ["crm_attribute", "-G", "-n", "nothing", "-t", "crm_config"],
  ["crm_attribute", "-G", "-n", "nothing", "-d", "7"],
  ["crm_attribute", "-G", "-n", "node01-eth0", "-N", "node02", "-l", "reboot"],
  ["crm_attribute", "-n", "place", "-N", "node02", "-v", "here"],
  ["crm_attribute", "-n", "cluster-delay", "-v", "70s"],
  ["crm_failcount", "-G", "-r", "p_ip", "-N", "node01"],
  ["crm_failcount", "-G", "-r", "p_ip", "-N", "node02", "-q"],
  ["crm_resource", "-l"],
  ["crm_resource", "-W", "-r", "p_ip"],
  ["crm_resource", "-W", "-r", "p_ip", "-Q"],
  ["crm_resource", "-W", "-r", "nothing"],
  ["crm_resource", "-q", "-r", "p_ip"],
  ["crm_resource", "-r", "p_ip", "-m", "-g", "migration-threshold"],
  ["crm_resource", "-r", "p_ip", "-p", "ip", "-v", "192.0.2.1"],
  ["crm_resource", "-r", "p_ip", "-m", "-d", "migration-threshold"],
  ["crm_resource", "-D", "-r", "p_ip", "-t", "primitive"],
  ["crmadmin", "-N"],
];

describe.skipIf(skips(!hasJudge, "Debian's tools, the judges, are not installed"))("as Debian's", () => {
  test.each(LIKE)("%s %s %s %s %s %s %s", async (tool, ...words) => {
    const argv = words.filter((word) => word !== undefined);
    const theirs = await debians(tool, argv);
    const mine = await ours(tool, argv);
    expect(mine.output.replaceAll(/[ \t]+$/gm, "").trim()).toBe(theirs.output.replaceAll(/[ \t]+$/gm, "").trim());
    expect(mine.code).toBe(theirs.code);
    expect(canon(mine.configuration, true)).toBe(canon(theirs.configuration, true));
  });

  test("a ban for good is the same constraint; ours has its lease beside it", async () => {
    const argv = ["-B", "-r", "p_ip", "-N", "node01"];
    const theirs = (await debians("crm_resource", argv)).configuration;
    const mine = (await ours("crm_resource", [...argv, "-u", "forever"])).configuration;
    const constraints = (of: XmlElement) => childOf(of, "constraints")?.children;
    expect(constraints(mine)).toEqual(constraints(theirs));
    expect(printXml(mine)).toContain('name="lease.ban.p_ip@node01" value="forever|');
  });
});

test("what Debian's do worse: a node in a list, a section not there yet", async () => {
  expect((await ours("crm_resource", ["-L"])).output).toMatch(/p_ip\t.*Started node02$/m);
  const defaults = await ours("crm_attribute", ["-n", "resource-stickiness", "-t", "rsc_defaults", "-v", "5"]);
  expect(defaults.code).toBe(0);
  expect(printXml(defaults.configuration)).toContain('name="resource-stickiness" value="5"');
});

test("every tool that agents look for is one of the commands", () => {
  const names = Object.values(COMMANDS).flatMap((command) => command.names ?? []);
  for (const tool of AGENT_TOOLS) expect(names).toContain(tool);
});

test.each([
  ["crm_attribute", "-D"],
  ["crm_attribute", "-v", "1", "-P", "x"],
  ["crm_attribute", "-n", "x", "-G", "-D"],
  ["crm_attribute", "-n", "x", "-t", "nowhere"],
  ["crm_attribute", "-n", "x", "-l", "sometimes"],
  ["crm_standby", "-v", "perhaps", "-N", "node01"],
  ["crm_failcount", "-G"],
  ["crm_resource"],
  ["crm_resource", "-r", "p_ip", "-L", "-W"],
  ["crm_resource", "-r", "p_ip", "-p", "x"],
  ["crm_resource", "--nonsense"],
  ["attrd_updater", "-n", "x", "-B", "1"],
  ["attrd_updater", "-n", "x", "-U", "1", "-d", "soon"],
  ["crm_node"],
  ["crm_node", "-R", "node01"],
  ["crmadmin"],
])("a wrong call ends with 64 and changes nothing: %s %s %s %s %s", async (tool, ...words) => {
  const { code, configuration } = await ours(
    tool ?? "",
    words.filter((word) => word !== undefined),
  );
  expect(code).toBe(64);
  expect(canon(configuration)).toBe(canon(childOf(start(), "configuration") ?? start()));
});
