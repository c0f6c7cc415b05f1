/** `gemel verify` and crm_verify: what is wrong is told with its XPath; the exit codes are crm_verify's. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runHere } from "../../support/run-here.ts";
import { skips } from "../../support/skip.ts";

const work = mkdtempSync(path.join(os.tmpdir(), "gemel-verify-"));
afterAll(() => rmSync(work, { recursive: true }));

const primitive = (id: string, meta = "") =>
  `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy">${meta}</primitive>`;
const cib = (resources: string, constraints = "", schema = "pacemaker-3.8") =>
  `<cib validate-with="${schema}" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config>` +
  '<cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set>' +
  `</crm_config><nodes/><resources>${resources}</resources><constraints>${constraints}</constraints>` +
  "</configuration><status/></cib>";
const target = (value: string) =>
  `<meta_attributes id="x-m"><nvpair id="x-t" name="target-role" value="${value}"/></meta_attributes>`;

const CASES: readonly (readonly [string, string, number, RegExp])[] = [
  ["a sound CIB", cib(primitive("x", target("Stopped"))), 0, /0 errors/],
  ["not XML", "<cib", 78, /not XML/],
  ["not a CIB", "<foo/>", 76, /<foo> holds no configuration/],
  ["an id that stands twice", cib(primitive("x") + primitive("x")), 78, /\/\/primitive\[@id="x"\]: error: the id x/],
  ["a dangling order", cib(primitive("x"), '<rsc_order id="o9" first="x" then="y"/>'), 78, /\/\/rsc_order\[@id="o9"\]/],
  ["a dangling template", cib('<primitive id="x" template="t"/>'), 78, /template names template t/],
  ["an unknown schema", cib(primitive("x"), "", "pacemaker-9.9"), 78, /validate-with names no known schema/],
];

const device = (type: string, values: Readonly<Record<string, string>>) => {
  const pairs = Object.entries(values).map(
    ([name, value]) => `<nvpair id="f-${name}" name="${name}" value="${value}"/>`,
  );
  return (
    `<primitive id="f" class="stonith" type="${type}">` +
    `<instance_attributes id="f-i">${pairs.join("")}</instance_attributes></primitive>`
  );
};
const FENCING: typeof CASES = [
  [
    "a board without a password",
    cib(device("ipmi-lan", { host: "192.0.2.1" })),
    0,
    /f: warning: secret: it is missing/,
  ],
  [
    "a password in the CIB",
    cib(device("fence_ipmilan", { passwd: "calvin" })),
    0,
    /f: warning: passwd: .*secrets file/,
  ],
  [
    "an agent that is not installed",
    cib(device("fence_nosuch", { pcmk_host_list: "a" })),
    0,
    /agent fence_nosuch is not/,
  ],
  ["a driver that there is not", cib(device("nosuch", {})), 0, /f: warning: there is no driver for stonith:nosuch/],
];

const group = (name: string) =>
  '<group id="g"><meta_attributes id="g-m">' +
  `<nvpair id="g-o" name="${name}" value="false"/></meta_attributes>${primitive("x")}</group>`;
const withStatus = (states: string) =>
  cib(primitive("x"))
    .replace("<nodes/>", '<nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>')
    .replace("<status/>", `<status>${states}</status>`);
const member = 'in_ccm="true" crmd="online" join="member" expected="member"';
const gone =
  '<lrm id="1"><lrm_resources><lrm_resource id="old" class="ocf" provider="pacemaker" type="Dummy">' +
  '<lrm_rsc_op id="old_last_0" operation="start" operation_key="old_start_0" call-id="1" rc-code="0" op-status="0" ' +
  'interval="0" transition-key="1:1:0:11111111-1111-1111-1111-111111111111"/></lrm_resource></lrm_resources></lrm>';
/** What only the status, or Debian's scheduler, tells: a script that looks at the exit code learns of it. */
const STATUS: typeof CASES = [
  ["a node that is well", withStatus(`<node_state id="1" uname="n1" ${member}/>`), 0, /0 errors/],
  [
    "a node that is to be fenced",
    withStatus(
      `<node_state id="1" uname="n1" ${member}/>` +
        '<node_state id="2" uname="n2" in_ccm="false" crmd="offline" join="down" expected="member"/>',
    )
      .replace('"false"', '"true"')
      .replace("<cib ", '<cib have-quorum="1" crm_feature_set="3.16.1" ')
      .replace("</resources>", `${device("fence_x", { pcmk_host_list: "n2" })}</resources>`),
    78,
    /node n2: warning: it will be fenced/,
  ],
  [
    "what runs and is no longer configured",
    withStatus(`<node_state id="1" uname="n1" ${member}>${gone}</node_state>`),
    78,
    /resource old: warning: it runs on n1 and is no longer configured/,
  ],
  ["a group that is not ordered", cib(group("ordered")), 78, /group g: warning: ordered=false of a group is given up/],
  [
    "an order that needs one instance",
    cib(
      `<clone id="c">${primitive("x")}</clone>${primitive("y")}`,
      '<rsc_order id="o9" first="c" then="y" require-all="false"/>',
    ),
    78,
    /constraint o9: warning: require-all=false/,
  ],
];

for (const [what, text, exitCode, message] of [...CASES, ...FENCING, ...STATUS])
  test(`${what}: exit code ${exitCode}`, async () => {
    writeFileSync(path.join(work, "cib.xml"), text);
    const { code, output } = await runHere(["verify", "-x", path.join(work, "cib.xml")]);
    expect(output).toMatch(message);
    expect(code).toBe(exitCode);
  });

test("what is no configuration at all is told in one line that a terminal survives", async () => {
  const file = path.join(work, "letter");
  for (const text of ["Dear Sir,\nour pair is down.\n", `\x7fELF\0\x1b[2J ${"x".repeat(9000)}\nnode n1\n`]) {
    writeFileSync(file, text);
    const { code, output } = await runHere(["verify", file]);
    expect(output.split("\n")[0]).toMatch(/letter: error: the text is neither XML nor crm syntax/);
    expect(output.split("\n")).toHaveLength(3);
    expect(code).toBe(78);
  }
  writeFileSync(file, `\x1b[2J${"x".repeat(9000)}\n`);
  const { output } = await runHere(["verify", file]);
  expect(output).toMatch(/"\\x1b\[2Jx+\.\.\. begins no statement/);
  expect(output.length).toBeLessThan(900);
});

test("an alert whose program is missing, or cannot be run, is a warning", async () => {
  writeFileSync(path.join(work, "plain"), "");
  const alerts = [
    `here ${process.execPath}`,
    "gone /nowhere/agent",
    `plain ${path.join(work, "plain")}`,
    `room ${work}`,
  ];
  const text = [...alerts.map((alert) => `alert ${alert}`), "property stonith-enabled=false"].join("\n");
  writeFileSync(path.join(work, "alerts.crm"), `${text}\n`);
  const { code, output } = await runHere(["verify", path.join(work, "alerts.crm")]);
  expect(output.match(/alert \w+: warning: there is no program \S+/g)).toEqual([
    "alert gone: warning: there is no program /nowhere/agent",
    `alert plain: warning: there is no program ${path.join(work, "plain")}`,
    `alert room: warning: there is no program ${work}`,
  ]);
  expect(code).toBe(0);
});

const isInstalled = spawnSync("crm_verify", ["--version"], { stdio: "ignore" }).status === 0;
describe.skipIf(skips(!isInstalled, "crm_verify, the judge, is not installed"))(
  "crm_verify (skipped when it is not installed)",
  () => {
    for (const [what, text, exitCode] of [...CASES, ...STATUS])
      test(`${what}: the peer answers ${exitCode}, too`, () => {
        writeFileSync(path.join(work, "cib.xml"), text);
        expect(spawnSync("crm_verify", ["-x", path.join(work, "cib.xml")], { stdio: "ignore" }).status).toBe(exitCode);
      });
  },
);
