/** `gemel simulate`: changes to a CIB, runs with failures, what is written, exit codes; beside crm_simulate. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { helpText } from "../../../src/app/commands/simulate-options.ts";
import { printXml } from "../../../src/base/xml.ts";
import { ACTIVE, pairCib, STANDBY } from "../../cluster/scheduler/pair-cib.ts";
import { randomCib } from "../../support/random-cib/cib.ts";
import { runHere } from "../../support/run-here.ts";
import { isPeerInstalled } from "../../support/scheduler-peer.ts";
import { skips } from "../../support/skip.ts";
import { terseCib } from "../../support/terse-cib.ts";

const work = mkdtempSync(path.join(os.tmpdir(), "gemel-simulate-"));
const file = (name: string) => path.join(work, name);
const from = process.cwd();
beforeAll(() => process.chdir(work));
afterAll(() => {
  process.chdir(from);
  rmSync(work, { recursive: true });
});
writeFileSync(file("pair.xml"), printXml(pairCib(ACTIVE, STANDBY)));

async function gemel(...argv: string[]) {
  const { code, output, errors } = await runHere(["simulate", ...argv]);
  return { status: code, stdout: output, stderr: errors };
}

test("a node that fails is fenced, its service taken over, and the result can be saved and asked again", async () => {
  const first = await gemel("-x", "pair.xml", "-S", "--node-fail", "alpha", "-O", "after.xml");
  expect(first.status).toBe(0);
  expect(first.stdout).toContain("Performing Requested Modifications:\n  * Failing node alpha\n");
  expect(first.stdout).toContain("  * Fencing alpha (off)");
  const [, revised = ""] = first.stdout.split("Revised Cluster Status:");
  expect(revised).toContain("* OFFLINE: [ alpha ]");
  expect(revised).toMatch(/http\s+\(ocf:gemel:http\):\s+Started bravo/);
  expect((await gemel("-x", "after.xml", "-R")).stdout.trimEnd()).toMatch(/Transition Summary:$/);
});

test("an option that nobody knows is no obstacle, but does not go by unheard", async () => {
  const cib = pairCib(ACTIVE, STANDBY);
  writeFileSync(file("odd.xml"), printXml(cib).replace('name="stonith-enabled"', 'name="stonith-enabeld"'));
  const { status, stderr } = await gemel("-x", "odd.xml", "-S");
  expect(status).toBe(0);
  expect(stderr).toMatch(/^gemel simulate: doubtful in this CIB: \d+ errors?, \d+ warnings?; -V tells them\n$/);
  expect((await gemel("-x", "odd.xml", "-SQ")).stderr).toBe("");
  expect((await gemel("-x", "odd.xml", "-V")).stderr).toContain("stonith-enabeld is no cluster option that is known");
  const { problems } = JSON.parse((await gemel("-x", "odd.xml", "--json")).stdout) as {
    problems: { reason: string }[];
  };
  expect(problems.map(({ reason }) => reason).join()).toContain("stonith-enabeld");
});

test("a failed stop in simulation ends the run and is written into the status", async () => {
  const asked = ["--op-inject", "http_monitor_5000@alpha=7", "--op-fail", "http_stop_0@alpha=1"];
  const { stdout, status } = await gemel("-x", "pair.xml", "-S", ...asked, "-O", "stuck.xml");
  expect(status).toBe(0);
  expect(stdout).toContain("  * Injecting http_monitor_5000@alpha=7 into the configuration\n");
  expect(stdout).toContain("  * Injecting attribute fail-count-http#monitor_5000=value++ into /node_state '1'");
  expect(stdout).toMatch(/stop on alpha\nPretending action \d+ failed with rc=1\n/);
  expect(readFileSync(file("stuck.xml"), "utf8")).toContain('name="fail-count-http#stop_0" value="1"');
  expect((await gemel("-x", "stuck.xml", "-R")).stdout).toContain("Fence (off) alpha 'http failed there'");
});

test("tickets, quorum and watchdog are told and set", async () => {
  const wishes = ["-q", "0", "-w", "1", "-g", "a", "-r", "b", "-b", "c", "-e", "d"];
  const { stdout } = await gemel("-x", "pair.xml", ...wishes, "-I", "-");
  const told = ["Setting quorum: 0", "Setting watchdog: 1", "Granting ticket a", "Revoking ticket b"];
  const block = [...told, "Making ticket c standby", "Activating ticket d"].map((line) => `  * ${line}\n`).join("");
  expect(stdout).toContain(`Performing Requested Modifications:\n${block}`);
  expect(stdout).toContain('<ticket_state id="c" standby="true"/>');
  expect(stdout).toContain('have-quorum="0"');
});

test("in place, the file itself holds the result", async () => {
  writeFileSync(file("here.xml"), printXml(pairCib({ ...ACTIVE, online: false }, STANDBY)));
  expect((await gemel("-x", "here.xml", "-X")).status).toBe(0);
  expect((await gemel("-x", "here.xml", "-S")).stdout).toContain("OFFLINE: [ alpha ]");
});

test("JSON holds every action with its reason, and what was played through", async () => {
  const { stdout } = await gemel("-x", "pair.xml", "-S", "-f", "alpha", "--json");
  const told: unknown = JSON.parse(stdout);
  expect(told).toMatchObject({ injected: ["Failing node alpha"], failed: false });
  expect(told).toHaveProperty("transition.actions.0.reason.code");
});

test("XML holds what the text holds, element by element", async () => {
  const asked = ["-x", "pair.xml", "-S", "-s", "-U", "-A", "-c", "-f", "alpha", "--output-as=xml"];
  const { stdout, status } = await gemel(...asked, "--output-to=report.xml");
  expect([stdout, status]).toEqual(["", 0]);
  const report = readFileSync(file("report.xml"), "utf8");
  const names = [...report.matchAll(/^ {2}<(\w+)/gm)].map(([, name]) => name);
  expect(names).toEqual([
    ...["cluster_status", "modifications", "allocations_utilizations", "actions", "transition"],
    ...["revised_cluster_status", "status"],
  ]);
  expect(report).toContain('<modify_node action="Failing" node="alpha"/>');
  expect(report).toMatch(/<node_action task="Fence \(off\)" node="alpha" reason="[^"]+"\/>/);
  expect(report).toContain('<rsc_action action="move" resource="http" source="alpha" dest="bravo"/>');
  expect(report).toContain('<fencing_action target="alpha" op="off"/>');
  expect(report).toMatch(/<rsc_action resource="http" op="start" node="bravo"\/>/);
  expect(report).toMatch(/<node_weight function="pcmk__primitive_assign" id="http" node="bravo" score="\S+"\/>/);
});

const wrongs: readonly (readonly [string, string, readonly string[], number, RegExp])[] = [
  ["no XML", "<cib", [], 78, /wrong\.xml:1: error: not XML: /],
  ["no CIB", "<foo/>", [], 66, /\/foo: error: this is no CIB; /],
  ["a dangling reference", "DANGLING", [], 78, /\/\/rsc_order\[@id="o"\]: error: then names resource gone/],
  ["an id that stands twice", "TWICE", [], 78, /error: the id x stands twice/],
  ["an unknown schema", "SCHEMA", [], 78, /validate-with names no known schema: pacemaker-9\.9; write pacemaker-/],
  ["an unknown option", "GOOD", ["--bogus"], 64, /--bogus/],
  ["an unknown node", "GOOD", ["-d", "nowhere"], 68, /there is no node nowhere/],
  ["an unreadable operation", "GOOD", ["-i", "garbage"], 64, /Invalid operation spec: garbage/],
  ["no time", "GOOD", ["-t", "soon"], 64, /soon is no time; write it as/],
  ["an unknown element", "FROB", [], 78, /\/\/frob\[@id="f"\]: error: <frob> has no place in <resources>/],
  ["an empty group", "EMPTY", [], 78, /\/\/group\[@id="g"\]: error: <group> is not whole; add <primitive>/],
  [
    "a resource without an agent",
    "AGENTLESS",
    [],
    78,
    /\/\/primitive\[@id="y"\]: error: .* add class and type, or template/,
  ],
  ["a kind of order that nobody knows", "KIND", [], 78, /\/\/rsc_order\[@id="o"\]: error: kind="foo" cannot be read/],
  ["a score that is none", "SCORE", [], 78, /\/\/rsc_location\[@id="l"\]: error: score="lots" cannot be read/],
  ["a set that borrows from itself", "BORROWS", [], 78, /\/\/meta_attributes\[@id="m"\]: error: .* both id and id-ref/],
  ["an order behind itself", "SELF", [], 78, /\/\/rsc_order\[@id="o"\]: error: an order waits for itself/],
  [
    "orders in a circle",
    "CIRCLE",
    ["-S"],
    1,
    /\/\/rsc_order\[@id="o"\], \/\/rsc_order\[@id="p"\]: error: .* itself: y_start_0 n -> x_start_0 n -> y/,
  ],
  [
    "a group's own order against a constraint",
    "GROUP",
    ["-S"],
    1,
    /\/\/rsc_order\[@id="o"\]: error: .* none of it can/,
  ],
  ["a directory that is not there", "GOOD", ["--profile", "/nowhere"], 66, /\/nowhere: error: cannot be read/],
  ["a picture that cannot be written", "GOOD", ["-D", "/nowhere/x"], 74, /\/nowhere\/x/],
  ["a format that nobody knows", "GOOD", ["--output-as=foo"], 105, /--output-as=foo: write text or xml/],
];
const primitive = '<primitive id="x" class="ocf" provider="pacemaker" type="Dummy"/>';
const cibWith = (resources: string, constraints = "", schema = "pacemaker-3.8") =>
  `<cib validate-with="${schema}"><configuration><crm_config/><nodes/><resources>${resources}</resources>` +
  `<constraints>${constraints}</constraints></configuration><status/></cib>`;
const two = primitive + primitive.replace('"x"', '"y"');
/** One node is up, so that there is something to be done. */
const runningWith = (resources: string, constraints: string) =>
  cibWith(resources, constraints)
    .replace("<cib", '<cib have-quorum="1"')
    .replace(
      "<crm_config/><nodes/>",
      '<crm_config><cluster_property_set id="p1"><nvpair id="p2" name="stonith-enabled" value="false"/>' +
        '</cluster_property_set></crm_config><nodes><node id="1" uname="n"/></nodes>',
    )
    .replace(
      "<status/>",
      '<status><node_state id="1" uname="n" in_ccm="true" crmd="online" join="member" expected="member"/></status>',
    );
const SOURCES: Readonly<Record<string, string>> = {
  GOOD: cibWith(primitive),
  TWICE: cibWith(primitive + primitive),
  DANGLING: cibWith(primitive, '<rsc_order id="o" first="x" then="gone"/>'),
  SCHEMA: cibWith(primitive, "", "pacemaker-9.9"),
  FROB: cibWith(`${primitive}<frob id="f"/>`),
  EMPTY: cibWith('<group id="g"/>'),
  AGENTLESS: cibWith('<primitive id="y"/>'),
  KIND: cibWith(two, '<rsc_order id="o" first="x" then="y" kind="foo"/>'),
  SCORE: cibWith(primitive, '<rsc_location id="l" rsc="x" node="n" score="lots"/>'),
  BORROWS: cibWith(primitive.replace("/>", '><meta_attributes id="m" id-ref="m"/></primitive>')),
  SELF: cibWith(primitive, '<rsc_order id="o" first="x" then="x"/>'),
  CIRCLE: runningWith(two, '<rsc_order id="o" first="x" then="y"/><rsc_order id="p" first="y" then="x"/>'),
  GROUP: runningWith(`<group id="g">${two}</group>`, '<rsc_order id="o" first="y" then="x"/>'),
};
for (const [what, source, options, exitCode, message] of wrongs)
  test(`${what} is said with its place, exit code ${exitCode}`, async () => {
    writeFileSync(file("wrong.xml"), SOURCES[source] ?? source);
    const { status, stderr } = await gemel("-x", "wrong.xml", ...options);
    expect(stderr).toMatch(message);
    expect(status).toBe(exitCode);
  });

test("a file that is not there: exit code 66; without validation the same CIB is taken as it is", async () => {
  expect((await gemel("-x", "nowhere.xml")).status).toBe(66);
  writeFileSync(file("free.xml"), (SOURCES["TWICE"] ?? "").replace("pacemaker-3.8", "none"));
  expect((await gemel("-x", "free.xml", "-S")).status).toBe(0);
});

test("the help names every option once, within the width of a terminal page", async () => {
  const lines = helpText().split("\n");
  expect(lines.filter((line) => line.includes("--op-inject=OP"))).toHaveLength(1);
  expect(lines.filter((line) => line.length > 120)).toEqual([]);
});

/** What may differ: the layout's spaces, the time of an injected failure, the number of an action. */
function plain(report: string): string[] {
  return report
    .split("\n")
    .map((line) =>
      line
        .replaceAll(/\s+/g, " ")
        .replace(/(last-failure-[^=]*)=\d+/, "$1=T")
        .replace(/action \d+ failed/, "action N failed")
        .replace("maintenance", "unmanaged")
        .trim(),
    )
    .filter(Boolean);
}

describe.skipIf(skips(!isPeerInstalled(), "crm_simulate is not installed"))(
  "beside crm_simulate (skipped when it is not installed)",
  () => {
    for (const options of [
      [],
      ["-R"],
      ["-S"],
      ["-Q"],
      ["-S", "-d", "bravo"],
      ["-S", "-f", "bravo"],
      ["-S", "-u", "delta"],
      ["-S", "-F", "r3_stop_0@bravo=1"],
      ["-S", "-F", "r2-rsc_start_0@alpha=1"],
      ["-S", "-i", "r3_start_0@alpha=5"],
      ["-S", "-i", "r3_monitor_0@alpha=5"],
      ["-S", "-i", "r3_stop_0@alpha=7"],
      ["-q", "0", "-w", "1", "-g", "tA", "-r", "tB", "-b", "tC", "-e", "tD", "-t", "2020-01-01"],
      ["-A"],
      ["-c"],
    ])
      test(`the same report with ${options.join(" ") || "no options"}`, async () => {
        writeFileSync(file("seed.xml"), randomCib(3));
        const peer = spawnSync("crm_simulate", ["-x", "seed.xml", ...options], { encoding: "utf8", cwd: work });
        expect(plain((await gemel("-x", "seed.xml", ...options)).stdout)).toEqual(plain(peer.stdout));
      });

    test.each([[["--output-as", "bogus"]], [["-P", ".", "-N", "often"]], [["--no-such-option"]], [["-d"]]])(
      "a wrong call ends with the same code: %j",
      async (options) => {
        writeFileSync(file("seed.xml"), randomCib(3));
        const peer = spawnSync("crm_simulate", ["-x", "seed.xml", ...options], { encoding: "utf8", cwd: work });
        const ours = await gemel("-x", "seed.xml", ...options);
        expect(ours.status).toBe(peer.status);
        expect(ours.stderr).not.toBe("");
      },
    );

    test("promotion scores are attributes of a node like any other", async () => {
      writeFileSync(file("seed.xml"), terseCib("nodes alpha\nDummy a\nstatus alpha master-a=10 fail-count-b=1\n"));
      const peer = spawnSync("crm_simulate", ["-x", "seed.xml", "-A"], { encoding: "utf8", cwd: work });
      expect(peer.stdout).toContain("master-a");
      expect(plain((await gemel("-x", "seed.xml", "-A")).stdout)).toEqual(plain(peer.stdout));
    });
  },
);
