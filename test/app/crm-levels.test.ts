/**
 * Levels and words of the crm shell beyond configure, resource and node: templates, a configuration tried before it is
 * committed, words that other commands carry out, `-R`, and what is refused with a reason. On a CIB file.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { BORROWED, NOT_HERE } from "../../src/app/crm/borrowed.ts";
import { completions } from "../../src/app/crm/completions.ts";
import { externalCommand } from "../../src/app/crm/external.ts";
import { LEVELS, type LevelName } from "../../src/app/crm/levels.ts";
import { NO_NAMES } from "../../src/app/crm/names.ts";
import { spelledOut } from "../../src/app/crm/shorthand.ts";
import { childOf, parseXml, printXml, xml } from "../../src/base/xml.ts";
import { printCrm } from "../../src/cib/crm-syntax/print.ts";
import { fillTemplate, parametersOfTemplate, TEMPLATES } from "../../src/cib/crm-syntax/templates.ts";
import { loadConfiguration } from "../../src/cib/load.ts";
import { sourceCib } from "../cluster/monitor/source-cib.ts";
import { runHere } from "../support/run-here.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "cmd-levels-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, "cib.xml");
const env = { CIB_file: file, GEMEL_CRM_TEMPLATES: path.join(folder, "templates"), CIB_shadow_dir: folder };
beforeEach(() => writeFileSync(file, printXml(sourceCib({ node01: "running" }))));

const crm = (...words: string[]) => runHere(["crm", ...words], env);

function batch(...lines: string[]) {
  const script = path.join(folder, "batch.crm");
  writeFileSync(script, lines.join("\n"));
  return crm("-f", script);
}

function configuration(): string {
  const read = parseXml(readFileSync(file, "utf8"));
  return printCrm((read.kind === "xml" ? childOf(read.root, "configuration") : undefined) ?? xml("configuration"));
}

describe("templates", () => {
  test.each(Object.keys(TEMPLATES))("%s, filled in, is a configuration that loads", (name) => {
    const values = Object.fromEntries(Object.keys(parametersOfTemplate(name)).map((key) => [key, `/${key}`]));
    const filled = fillTemplate(name, "web", values);
    expect(filled).toHaveProperty("text");
    const text = "text" in filled ? `property stonith-enabled=false\n${filled.text}` : "";
    expect(loadConfiguration(text, { source: name })).toMatchObject({ kind: "valid" });
  });

  test("one is taken up, filled in, looked at, applied and committed when the level is left", async () => {
    const made = await batch(
      "configure template",
      "new web apache params configfile=/etc/apache2/apache2.conf ip=192.0.2.80",
      "list",
      "show",
      "apply",
      "up",
    );
    expect([made.code, made.errors]).toEqual([0, expect.not.stringContaining("error")]);
    expect(made.output).toContain("primitive web-ip ocf:heartbeat:IPaddr2");
    expect(configuration()).toContain("group web web-ip web-apache");
    expect((await crm("template", "delete", "web")).code).toBe(0);
    expect((await crm("template", "show", "web")).code).toBe(1);
  });

  test("what is missing is named, and nothing is changed", async () => {
    const before = configuration();
    const made = await batch("template new ip1 virtual-ip", "configure template apply ip1");
    expect([made.code, made.errors]).toEqual([1, expect.stringContaining("ip1 lacks ip")]);
    expect(configuration()).toBe(before);
    expect((await crm("template", "new", "x", "nothing")).errors).toContain("there is no template nothing");
    expect((await crm("template", "new", "../x", "virtual-ip")).code).toBe(1);
  });
});

test("online takes back a standby until the node leaves, and standby an exemption from it", async () => {
  const stands = async () => (await runHere(["crm_standby", "-G", "-q", "-N", "node01"], env)).output.trim();
  expect((await crm("node", "standby", "node01", "reboot")).code).toBe(0);
  expect(await stands()).toBe("on");
  expect((await crm("node", "online", "node01")).code).toBe(0);
  expect(await stands()).toBe("off");
  expect((await crm("node", "standby", "node01")).code).toBe(0);
  expect((await runHere(["crm_standby", "-v", "off", "-N", "node01", "-l", "reboot"], env)).code).toBe(0);
  expect(await stands()).toBe("off");
  expect((await crm("node", "standby", "node01")).code).toBe(0);
  expect(await stands()).toBe("on");
});

test("simulate tells what would be done with the working copy, and commits nothing", async () => {
  const before = readFileSync(file, "utf8");
  const made = await batch("configure", "primitive extra ocf:pacemaker:Dummy", "simulate", "refresh");
  expect([made.code, made.output]).toEqual([0, expect.stringMatching(/extra.*start|Start +extra/i)]);
  expect(readFileSync(file, "utf8")).toBe(before);
});

test("cibstatus supposes that nodes stand otherwise", async () => {
  const made = await batch(
    "cibstatus node node01 offline",
    "cibstatus show",
    "cibstatus simulate",
    "cibstatus load live",
  );
  expect([made.code, made.output]).toEqual([0, expect.stringContaining("live -d node01")]);
  expect(made.output).toMatch(/OFFLINE: \[ node01 \]/);
  expect((await crm("cibstatus", "node", "node01", "somehow")).code).toBe(64);
});

describe("configure", () => {
  test("members of a group are added and taken out", async () => {
    const made = await batch(
      "configure",
      "primitive extra ocf:pacemaker:Dummy",
      "primitive prmDB ocf:pacemaker:Dummy",
      "group grpDB prmDB",
      "modgroup grpDB add extra before prmDB",
    );
    expect(made.code).toBe(0);
    expect(configuration()).toMatch(/group grpDB .*extra prmDB/);
    expect((await crm("configure", "modgroup", "grpDB", "remove", "extra")).code).toBe(0);
    expect(configuration()).not.toMatch(/group grpDB .*extra/);
    expect((await crm("configure", "modgroup", "grpDB", "remove", "extra")).code).toBe(1);
  });

  test("one value is set, an option asked for with its default, the text filtered", async () => {
    await crm("configure", "primitive", "extra", "ocf:heartbeat:IPaddr2", "params", "ip=192.0.2.1");
    expect((await crm("configure", "set", "extra.ip", "192.0.2.9")).code).toBe(0);
    expect(configuration()).toContain("192.0.2.9");
    expect((await crm("configure", "get_property", "cluster-delay")).output).toBe("60s\n");
    expect((await crm("configure", "filter", "sed s/192.0.2.9/192.0.2.8/")).code).toBe(0);
    expect(configuration()).toContain("192.0.2.8");
    const before = configuration();
    expect((await crm("configure", "filter", "exit 3")).code).toBe(1);
    expect(configuration()).toBe(before);
  });
});

test("a script puts its statements in force, and a cluster is renamed", async () => {
  expect((await crm("script", "run", "virtual-ip", "id=vip", "ip=192.0.2.7")).code).toBe(0);
  expect(configuration()).toMatch(/primitive vip-ip .*IPaddr2/);
  expect((await crm("cluster", "rename", "harbour")).code).toBe(0);
  expect(configuration()).toContain("cluster-name=harbour");
});

test("the beginning of a word stands for it where it can be no other, and never for what destroys", async () => {
  expect(["cf", "conf", "hist", "clu", "c", "cib", "sbd"].map((word) => spelledOut("", word))).toEqual([
    "configure",
    "configure",
    "history",
    "cluster",
    "c",
    "cib",
    "sbd",
  ]);
  expect(["sto", "sta", "del"].map((word) => spelledOut("resource", word))).toEqual(["stop", "sta", "del"]);
  expect(["fen", "del", "stand"].map((word) => spelledOut("node", word))).toEqual(["fen", "del", "standby"]);
  expect(spelledOut("configure", "prim")).toBe("prim");
});

describe("a service that systemd knows", () => {
  const called = path.join(folder, "systemctl.calls");
  const at = (code: number) => {
    const bin = path.join(folder, `bin${code}`);
    mkdirSync(bin, { recursive: true });
    writeFileSync(path.join(bin, "systemctl"), `#!/bin/sh\necho "$*" >> ${called}\nexit ${code}\n`, { mode: 0o755 });
    return { ...env, PATH: `${bin}:/usr/bin:/bin`, GEMEL_RUN: path.join(folder, "nobody") };
  };

  test("is started and stopped by it; an unknown one is told, and nothing is done", async () => {
    expect((await runHere(["crm", "cluster", "stop"], at(0))).code).toBe(0);
    expect(readFileSync(called, "utf8")).toBe("cat gemel.service\nstop gemel.service\n");
    const refused = await runHere(["crm", "cluster", "start"], at(1));
    expect([refused.code, refused.errors]).toEqual([1, expect.stringContaining("does not know gemel.service")]);
    expect((await runHere(["crm", "cluster", "status"], at(1))).code).toBe(69);
  });
});

describe("words that another command carries out", () => {
  test.each([
    [["resource", "locate", "p_ip"], 0, "resource p_ip is running on"],
    [["resource", "constraints", "p_ip"], 0, ""],
    [["resource", "operations", "p_ip"], 0, "p_ip"],
    [["resource", "failcount", "p_ip", "show", "node01"], 0, "value=0"],
    [["resource", "failcount", "p_ip", "set", "node01", "3"], 0, ""],
    [["resource", "maintenance", "p_ip", "on"], 0, "maintenance"],
    [["node", "utilization", "node01", "set", "cpu"], 64, ""],
    [["site", "ticket", "grant", "T1"], 0, ""],
    [["site", "ticket", "show"], 0, ""],
    [["site", "ticket", "lend", "T1"], 64, ""],
    [["status"], 0, "Online"],
    [["st", "bynode"], 0, "Node node01"],
    [["status", "everything"], 64, ""],
    [["rsc", "stat", "p_ip"], 0, "p_ip is running on"],
    [["node", "show"], 0, "node02\n"],
    [["script", "list", "names"], 0, "virtual-ip\n"],
    [["script", "show", "virtual-ip"], 0, "(must be given)"],
    [["script", "verify", "virtual-ip", "id=vip", "ip=192.0.2.7"], 0, "primitive vip"],
    [["script", "run", "virtual-ip", "id=vip", "ip=192.0.2.7", "dry_run=yes"], 0, "primitive vip"],
    [["script", "run", "virtual-ip", "id=vip"], 1, ""],
    [["script", "run", "virtual-ip", "adress=192.0.2.7"], 1, ""],
    [["script", "run", "nothing"], 1, ""],
    [["cluster", "start", "node02"], 64, ""],
    [["cluster", "wait_for_startup", "soon"], 64, ""],
    [["maintenance", "on"], 0, ""],
    [["options", "show"], 0, "editor"],
  ] as const)("crm %j", async (words, code, output) => {
    const ran = await crm(...words);
    expect([ran.code, ran.output]).toEqual([code, expect.stringContaining(output)]);
  });

  test("what is not carried out says why and what instead, with the code of a wrong call", async () => {
    for (const [level, words] of Object.entries(NOT_HERE))
      for (const [word, reason] of Object.entries(words)) {
        const ran = await crm(...[level, word, "x"].filter((each) => each !== ""));
        expect([ran.code, ran.errors]).toEqual([64, expect.stringContaining(reason)]);
      }
  });
});

test("-R tells the command of the field that does the same, as the source documents show it", async () => {
  const moved = externalCommand({ kind: "resource", resource: "dummy", action: "move", node: "srv02", isForced: true });
  expect(moved).toBe("crm_resource -M -r 'dummy' --node='srv02' --force");
  const ran = await crm("-R", "resource", "stop", "p_ip");
  expect(ran.output).toContain(".EXT crm_resource --meta -r 'p_ip' -p 'target-role' -v 'Stopped'\n");
  expect((await crm("-D", "loud", "status")).code).toBe(64);
  expect((await crm("--help")).output).toContain("usage: crm");
});

test("parameters of the agent, operations, and what stands behind a name are completed", () => {
  const names = { all: ["a", "n1"], nodes: ["n1"], resources: ["a"] };
  const after = (line: string) => completions("configure", line, names);
  expect(after("primitive ip ocf:gemel:IPaddr2 params i")).toEqual(expect.arrayContaining(["ip="]));
  expect(after("primitive ip ocf:gemel:IPaddr2 params ip=192.0.2.1 ")).not.toContain("a");
  expect(after("primitive f stonith:fence_ipmilan params us")).toEqual(["username="]);
  expect(after("primitive ip ocf:gemel:IPaddr2 op m")).toContain("monitor");
  expect(after("primitive ip ocf:gemel:IPaddr2 op monitor int")).toContain("interval=");
  expect(completions("", "resource meta a s", names)).toEqual(["set", "show"]);
  expect(completions("", "resource meta a set target", names)).toEqual(["target-role"]);
  expect(completions("", "resource move a ", names)).toEqual(["n1"]);
  expect(completions("", "help configure prim", names)).toEqual(["primitive"]);
  expect(completions("", "status by", names)).toEqual(["bynode"]);
  expect(completions("history", "node ", names)).toEqual(["n1"]);
  expect(completions("", "history resource ", names)).toEqual(["a"]);
  expect(completions("history", "session sa", names)).toEqual(["save"]);
  expect(completions("script", "run virtual-ip i", names)).toEqual(["id=", "ip="]);
  expect(completions("corosync", "status q", names)).toEqual(["quorum"]);
  expect(completions("cluster", "start ", names)).toEqual([]);
});

test("every word of every level is completed, and every borrowed word is a word of its level", () => {
  for (const [level, words] of Object.entries(LEVELS))
    for (const word of words) expect(completions(level as LevelName, word.slice(0, 2), NO_NAMES)).toContain(word);
  for (const [level, words] of Object.entries(BORROWED))
    for (const word of Object.keys(words)) expect(LEVELS[level as LevelName]).toContain(word);
  expect(completions("configure", "template new web ap", NO_NAMES)).toEqual(["apache"]);
  expect(completions("", "site ticket gr", NO_NAMES)).toEqual(["grant"]);
});

describe("words behind a resource are heeded or refused, never passed over", () => {
  test.each([
    [["stop", "p_ip", "nobody"], 1],
    [["unmanage", "p_ip", "PT6S", "P1D"], 0],
    [["unmanage", "PT6S"], 64],
    [["manage"], 64],
    [["clear", "p_ip", "node01"], 64],
    [["cleanup", "p_ip", "node01", "node02"], 64],
    [["ban", "p_ip", "node01", "node02"], 64],
  ] as const)("crm resource %j: exit code %i", async (words, code) => {
    expect((await crm("resource", ...words)).code).toBe(code);
  });

  test("unmanage holds as long as it is told to, and of several all are stopped", async () => {
    expect((await crm("resource", "unmanage", "p_ip", "PT1H", "reason=disk")).code).toBe(0);
    const [, end = "", reason] = /lease\.unmanage\.p_ip="([^|]*)\|[^|]*\|([^"]*)"/.exec(configuration()) ?? [];
    expect(Date.parse(end) - Date.now()).toBeLessThan(3_700_000);
    expect(reason).toBe("disk");
    expect((await crm("configure", "primitive", "p_two", "ocf:heartbeat:Dummy")).code).toBe(0);
    expect((await crm("resource", "stop", "p_ip", "p_two")).code).toBe(0);
    expect(configuration().match(/target-role=Stopped/g)).toHaveLength(2);
  });
});
