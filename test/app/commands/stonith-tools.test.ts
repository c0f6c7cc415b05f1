/** stonith, stonith_admin and meatclient by their names and habits: what needs no cluster, and how history is told. */
import { afterEach, expect, test, vi } from "vitest";
import { runCommand } from "../../../src/app/commands/index.ts";
import { historyLines, isRecent, lastDeath, lastFencedLine } from "../../../src/app/commands/stonith-history.ts";
import { fencingAgents, fencingMetadata } from "../../../src/app/fencing-agents.ts";
import type { FencingRecord } from "../../../src/app/fencing-report.ts";
import { parseXml, type XmlElement } from "../../../src/base/xml.ts";
import { printAgentMetadata } from "../../../src/cib/agent-metadata.ts";
import { CATALOGUE, parametersOf } from "../../../src/fencing/drivers/index.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

async function call(program: string, ...argv: readonly string[]) {
  let out = "";
  let err = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += String(text);
    return true;
  });
  const code = await runCommand(`/usr/sbin/${program}`, argv);
  return { code, out, err };
}

test.each([
  ["stonith_admin", ["-M", "-a", "fence_ipmilan"], "ip"],
  ["stonith_admin", ["--metadata", "--agent", "sfex"], "resource"],
  ["stonith", ["-t", "external/ipmi", "-m"], "ipaddr"],
] as const)("%s %j: the metadata is XML, with the agent's own names", async (program, argv, name) => {
  const { code, out } = await call(program, ...argv);
  expect(code).toBe(0);
  const read = parseXml(out);
  expect(read.kind === "xml" ? read.root.name : read.reason).toBe("resource-agent");
  expect(out).toContain(`<parameter name="${name}"`);
});

test("every parameter of every agent of ours says what to write, and what counts when it is not written", () => {
  for (const agent of CATALOGUE.agents.filter((name) => !name.endsWith("*")))
    for (const { name, words } of parametersOf(agent) ?? [])
      expect(`${agent} ${name}: ${words}`).toMatch(/: (write|name) .{6}/);
  const printed = printAgentMetadata(fencingMetadata("fence_ipmilan") as XmlElement, "stonith:fence_ipmilan");
  expect(printed).toContain("ip* (string): write the address of the board (host in the words of gemel)");
  expect(printed).toContain("cipher (string, [3]): write 3 or 17");
});

test("the lists name agents and no patterns; the hosts are those that the parameters name", async () => {
  const listed = fencingAgents();
  expect(listed).toEqual(expect.arrayContaining(["ipmi-lan", "external/ipmi", "fence_ilo5", "meatware"]));
  expect(listed.filter((name) => name.includes("*"))).toEqual([]);
  expect((await call("stonith", "-L")).out).toBe(`${listed.join("\n")}\n`);
  expect((await call("crm", "ra", "list", "stonith")).out).toBe(`${listed.join("\n")}\n`);
  expect((await call("crm_resource", "--list-agents", "stonith")).out).toBe(`${listed.join("\n")}\n`);
  const map = "pcmk_host_map=alpha:a;bravo:b";
  expect(await call("stonith", "-t", "libvirt", map, "-l")).toEqual({ code: 0, out: "alpha\nbravo\n", err: "" });
});

test("stonith_admin -K tells all that is wrong, and 0 when nothing is", async () => {
  const good = ["-o", "ip=192.0.2.1", "-o", "username=admin", "-o", "secret=board"];
  expect(await call("stonith_admin", "-K", "-a", "fence_ipmilan", ...good)).toEqual({
    code: 0,
    out: "Validation of fence_ipmilan succeeded\n",
    err: "",
  });
  const bad = await call("stonith_admin", "-K", "-a", "fence_ipmilan", "-o", "password=calvin");
  expect(bad).toMatchObject({ code: 1, out: "Validation of fence_ipmilan failed\n" });
  expect(bad.err.split("\n").map((line) => line.split(":")[0])).toEqual(["password", "host", "user", "secret", ""]);
  expect(bad.err).not.toContain("calvin");
  vi.stubEnv("OCF_RESKEY_secret", "board");
  const fromEnvironment = [...good.slice(0, 4), "-e", "secret", "-q"];
  expect(await call("stonith_admin", "-K", "-a", "fence_ipmilan", ...fromEnvironment)).toMatchObject({
    code: 0,
    out: "",
  });
});

test.each([
  ["stonith_admin", ["-F", "alpha", "-y", "-2"], 64, /-y|ambiguous/],
  ["stonith_admin", ["-F", "alpha", "-y", "soon"], 64, /write a number of seconds, or -1 for no delay at all/],
  ["stonith_admin", ["-n", "-L"], 64, /-n says that the node of -h is a number/],
  ["stonith_admin", ["-L", "--output-as=html"], 64, /only text is written here/],
  ["stonith_admin", ["-H", "alpha", "--output-as=xml"], 64, /gemel fence history --json/],
  ["stonith_admin", ["-L", "--output-to=/tmp/x"], 64, /let the shell do it/],
  ["stonith_admin", ["-L", "--html-cgi"], 64, /crm_mon --output-as=html/],
  ["stonith_admin", ["-R", "x"], 64, /crm configure primitive NAME stonith:AGENT/],
  ["stonith_admin", ["-r", "alpha", "-i", "1", "-v", "x"], 64, /crm configure fencing_topology/],
  ["stonith_admin", ["-H", "alpha", "-c"], 64, /certificates are evidence/],
  ["stonith_admin", ["-M"], 64, /Please specify an agent to query/],
  ["stonith_admin", ["-M", "-a", "nosuch"], 105, /^Can't get fence agent meta-data: No such device nosuch/],
  // Taken: there is only no manager here to ask.
  ["stonith_admin", ["-F", "alpha", "-y", "-1"], 102, /manager|run/],
  ["stonith_admin", [], 64, /say what to do/],
  ["stonith", ["-t", "nosuch", "-n"], 8, /no type nosuch/],
  ["stonith", ["-t", "external/nosuch", "hostlist=alpha", "-S"], 8, /stonith -L lists them/],
  ["stonith", ["-t", "external/ipmi", "-p", "a b c", "-S"], 3, /write NAME=VALUE words/],
  ["stonith", ["-t", "ipmi-lan", "user=x", "-S"], 1, /host: it is missing.*\n.*secret: it is missing/],
  ["stonith", ["-t", "ipmi-lan", "-F", import.meta.filename, "-S"], 3, /write lines of NAME=VALUE/],
  // The node of the command line is the plug, as the fencer would have it.
  ["stonith", ["-t", "libvirt", "socket=/nowhere", "-T", "off", "alpha"], 5, /there is no socket \/nowhere/],
  ["stonith", ["-t", "libvirt", "socket=/nowhere", "pcmk_host_map=alpha:a;bravo:b", "charlie"], 4, /is not of this/],
  ["stonith", ["-t", "snmp-pdu", "host=192.0.2.1", "version=1", "secret=x", "-S"], 1, /outlets: it is missing/],
  ["meatclient", ["-w"], 64, /say which node/],
] as const)("%s %j ends with %i and says why", async (program, argv, code, words) => {
  const ended = await call(program, ...argv);
  expect([ended.code, ended.out]).toEqual([code, ""]);
  expect(ended.err).toMatch(words);
});

test("every short and long option of stonith_admin's own help is known", async () => {
  for (const word of ["-?", "--help-all", "--help", "--help-queries", "--help-fence"])
    expect((await call("stonith_admin", word)).code).toBe(0);
  expect((await call("stonith_admin", "-$")).out).toMatch(/^(stonith_admin of )?gemel /);
});

const record = (target: string, outcome: FencingRecord["outcome"], atWallMs: number, action = "off") =>
  ({
    target,
    action,
    outcome,
    device: "bmc",
    atWallMs,
    endedWallMs: atWallMs + 500,
    by: "root",
    evidence: "",
  }) as const;

test("history: the last success of each node, all with -V; a failure and an `on` are no deaths", () => {
  const history = [
    record("alpha", "confirmed", 1_000),
    record("alpha", "confirmed", 61_000),
    record("bravo", "confirmed", 90_000),
    record("alpha", "unknown", 120_000),
    record("alpha", "confirmed", 130_000, "on"),
  ].map((each) => ({ ...each, reason: "" }));
  expect(historyLines(history, "alpha", false)).toEqual([
    "1970-01-01T00:01:01.000Z off of alpha: confirmed by bmc, for root",
    "1 event found",
  ]);
  expect(historyLines(history, "*", false).at(-1)).toBe("2 events found");
  expect(historyLines(history, "alpha", true)).toHaveLength(5);
  expect(lastFencedLine(history, "alpha")).toBe("Node alpha last fenced at: 1970-01-01T00:01:01.500Z");
  expect(lastFencedLine(history, "charlie")).toBe("Node charlie has never been fenced");
  const last = lastDeath(history, "alpha");
  expect([isRecent(last, 60_000, 121_000), isRecent(last, 60_000, 121_500), isRecent(undefined, 60_000, 0)]).toEqual([
    true,
    false,
    false,
  ]);
});
