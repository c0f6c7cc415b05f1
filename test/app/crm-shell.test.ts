/** The crm shell against a manager that is a few lines: what is committed, what is refused, what is completed. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { describe, expect, test } from "vitest";
import type { ControlRequest } from "../../src/app/control-protocol.ts";
import { completions } from "../../src/app/crm/completions.ts";
import { configureOnce } from "../../src/app/crm/configure-level.ts";
import { findAgent } from "../../src/app/crm/ra-level.ts";
import { asCib, configurationOf, openSession, type Terminal } from "../../src/app/crm/session.ts";
import { promptOf, runBatch, runLine, type Shell } from "../../src/app/crm/shell.ts";
import type { Transport } from "../../src/app/settle.ts";
import { parseXml, printXml, type XmlElement } from "../../src/base/xml.ts";
import { printAgentMetadata } from "../../src/cib/agent-metadata.ts";
import { applyCrm, emptyConfiguration } from "../../src/cib/crm-syntax/apply.ts";
import { parseCrm } from "../../src/cib/crm-syntax/parse.ts";
import { printCrm } from "../../src/cib/crm-syntax/print.ts";

const START = `node alpha
node bravo
primitive web Dummy op start timeout=9 op stop timeout=9 op monitor interval=9
primitive ip Dummy op start timeout=9 op stop timeout=9 op monitor interval=9
group all ip web
location near all 10: alpha
property stonith-enabled=false
`;

interface Bench {
  readonly shell: Shell;
  readonly out: string[];
  readonly err: string[];
  readonly files: Record<string, string>;
  readonly requests: ControlRequest[];
  readonly running: () => string;
  /** Another operator's change, behind our back. */
  readonly meanwhile: () => void;
}

function bench(): Bench {
  let running: XmlElement = applyCrm(emptyConfiguration(), parseCrm(START, "start")).configuration;
  let epoch = 1;
  const [out, err, requests]: [string[], string[], ControlRequest[]] = [[], [], []];
  const files: Record<string, string> = {};
  const answer = (request: ControlRequest): unknown => {
    requests.push(request);
    if (request.kind === "cib-query")
      return { kind: "answer", value: { version: `0.${epoch}.7`, xml: printXml(asCib(running)) } };
    if (request.kind === "status") return { kind: "answer", value: { resources: [] } };
    if (request.kind !== "cib-apply") return { kind: "answer", value: { text: "done" } };
    if (request.base !== undefined && request.base !== `0.${epoch}`) {
      const problem = { severity: "error", place: "CIB", reason: "changed meanwhile", remedy: "fetch it again" };
      return { kind: "refused", problems: [problem] };
    }
    running = configurationOf(request.xml) ?? running;
    epoch += 1;
    return { kind: "answer", value: { version: `0.${epoch}.0`, warnings: [] } };
  };
  const terminal: Terminal = {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    readText: (file) => files[file],
    writeText: (file, text) => {
      files[file] = text;
      return true;
    },
    edit: (text) => text.replace("10: alpha", "20: bravo"),
  };
  const transport = ((_: string, request: ControlRequest) => Promise.resolve(answer(request))) as Transport;
  const session = openSession("/nowhere", terminal, {}, transport);
  return {
    shell: { session, level: "", begun: "" },
    out,
    err,
    files,
    requests,
    running: () => printCrm(running),
    meanwhile: () => {
      epoch += 1;
    },
  };
}

const applied = ({ requests }: Bench) => requests.filter(({ kind }) => kind === "cib-apply").length;

test("show prints the running configuration as it could be loaded again", async () => {
  const it = bench();
  expect(await configureOnce(it.shell.session, ["show"])).toBe(0);
  expect(it.out.join("")).toBe(it.running());
  expect(applied(it)).toBe(0);
});

test.each([
  [["show", "near"], "location near all 10: alpha\n"],
  [["show", "type:node"], "node alpha\nnode bravo\n"],
  [["show", "related:all"], "group all ip web\nlocation near all 10: alpha\n"],
  [["show", "type:ms"], ""],
  [["show", "changed"], ""],
])("%j", async (words, text) => {
  const it = bench();
  expect(await configureOnce(it.shell.session, words)).toBe(0);
  expect(it.out.join("")).toBe(text);
});

test("show xml is a configuration, and secrets can be hidden", async () => {
  const it = bench();
  await configureOnce(it.shell.session, ["show", "xml"]);
  expect(parseXml(it.out.join(""))).toMatchObject({ kind: "xml", root: { name: "configuration" } });
  const other = bench();
  await configureOnce(other.shell.session, ["primitive", "f", "stonith:ipmi-lan", "params", "passwd=a b", "user=me"]);
  await configureOnce(other.shell.session, ["show", "obscure:passw*", "f"]);
  expect(other.out.join("")).toBe('primitive f stonith:ipmi-lan \\\n\tparams passwd="******" user=me\n');
});

describe("changes", () => {
  test("a statement is committed at once, with the version that it was made from", async () => {
    const it = bench();
    expect(
      await configureOnce(it.shell.session, ["property", "no-quorum-policy=ignore", "cluster-name=two words"]),
    ).toBe(0);
    expect(it.running()).toContain('cluster-name="two words"');
    expect(it.requests.at(-1)).toMatchObject({ kind: "cib-apply", mode: "replace", base: "0.1" });
  });

  test("load update merges a file; load replace keeps only the nodes", async () => {
    const it = bench();
    it.files["more.crm"] =
      "primitive web Dummy op start timeout=5 op stop timeout=5 op monitor interval=5\ntag t web\n";
    expect(await configureOnce(it.shell.session, ["load", "update", "more.crm"])).toBe(0);
    expect(it.running()).toContain("op start timeout=5");
    expect(it.running()).toContain("group all ip web");
    it.files["new.crm"] = "property stonith-enabled=false\n";
    expect(await configureOnce(it.shell.session, ["load", "replace", "new.crm"])).toBe(0);
    expect(it.running()).toBe("node alpha\nnode bravo\nproperty cib-bootstrap-options: \\\n\tstonith-enabled=false\n");
  });

  test("a wrong file changes nothing and gives all its errors", async () => {
    const it = bench();
    const before = it.running();
    it.files["bad.crm"] = "primitive x\nproperty stonith-enabled=maybe\n";
    expect(await configureOnce(it.shell.session, ["load", "update", "bad.crm"])).toBe(1);
    expect(it.err.join("")).toContain("bad.crm:1:12: error:");
    expect(it.err.join("")).toContain("bad.crm:2:10: error:");
    expect(it.running()).toBe(before);
    expect(applied(it)).toBe(0);
  });

  test("delete takes along what refers to it, and says so", async () => {
    const it = bench();
    expect(await configureOnce(it.shell.session, ["delete", "ip", "web"])).toBe(0);
    expect(it.out.join("")).toContain("deleted along with web: all, near");
    expect(it.running()).toBe("node alpha\nnode bravo\nproperty cib-bootstrap-options: \\\n\tstonith-enabled=false\n");
  });

  test("delete of a group sets its members free", async () => {
    const it = bench();
    await configureOnce(it.shell.session, ["delete", "all"]);
    expect(it.running()).not.toMatch(/group|location/);
    expect(it.running()).toContain("primitive ip");
  });

  test("rename changes every reference and the ids made from it", async () => {
    const it = bench();
    expect(await configureOnce(it.shell.session, ["rename", "web", "site"])).toBe(0);
    expect(it.running()).toContain("group all ip site");
    expect(it.running()).not.toContain("$id=");
  });

  test("edit takes the text that the editor leaves", async () => {
    const it = bench();
    expect(await configureOnce(it.shell.session, ["edit"])).toBe(0);
    expect(it.running()).toContain("location near all 20: bravo");
  });

  test("another's change in between is never undone", async () => {
    const it = bench();
    await configureOnce(it.shell.session, ["show"]);
    it.meanwhile();
    expect(await configureOnce(it.shell.session, ["property", "cluster-name=x"])).toBe(1);
    expect(it.err.join("")).toContain("changed meanwhile");
    expect(it.running()).not.toContain("cluster-name");
  });

  test("save and load make a round trip", async () => {
    const it = bench();
    const before = it.running();
    await configureOnce(it.shell.session, ["save", "all.crm"]);
    expect(await configureOnce(it.shell.session, ["load", "replace", "all.crm"])).toBe(0);
    expect(it.running()).toBe(before);
    expect(applied(it)).toBe(0);
  });
});

describe("the shell", () => {
  test("a batch collects changes and commits them when it ends", async () => {
    const it = bench();
    const text = "configure\nproperty \\\n  cluster-name=pair\ntag t web\n# a remark\n";
    expect(await runBatch(it.shell, text)).toBe(0);
    expect(it.running()).toContain("cluster-name=pair");
    expect(it.running()).toContain("tag t web");
    expect(applied(it)).toBe(1);
  });

  test("a batch stops at the first wrong line and commits nothing", async () => {
    const it = bench();
    expect(await runBatch(it.shell, "configure\ntag t web\ntga u web\ncommit\n")).toBe(64);
    expect(it.err.join("")).toContain("did you mean tag?");
    expect(it.err.join("")).toContain("stopped at line 3");
    expect(applied(it)).toBe(0);
  });

  test("a site is typed in, statement by statement: the whole is judged when it is committed", async () => {
    const it = bench();
    const site = readFileSync(path.resolve(import.meta.dirname, "../../lab/configuration/site/site.crm"), "utf8");
    expect(await runBatch(it.shell, `configure\n${site}`)).toBe(0);
    expect(applied(it)).toBe(1);

    const half = bench();
    const disk = "primitive disk ocf:linbit:drbd params drbd_resource=r0";
    expect(await runBatch(half.shell, `configure\n${disk}\ncommit\n`)).toBe(1);
    expect(half.err.join("")).toContain("DRBD resource disk is in no promotable clone");
    expect(applied(half)).toBe(0);
  });

  test("operators' words reach the manager", async () => {
    const it = bench();
    await runBatch(it.shell, "resource\nmigrate all bravo\nup\nresource unmigrate all\nnode standby alpha\n");
    expect(it.requests.filter(({ kind }) => kind === "resource" || kind === "node")).toEqual([
      { kind: "resource", resource: "all", action: "move", node: "bravo" },
      { kind: "resource", resource: "all", action: "unmove" },
      { kind: "node", node: "alpha", action: "standby" },
    ]);
  });

  test("meta attributes are set, shown and deleted", async () => {
    const it = bench();
    await runLine(it.shell, "resource meta all set target-role Stopped");
    expect(it.running()).toContain("group all ip web \\\n\tmeta target-role=Stopped");
    await runLine(it.shell, "resource meta all show target-role");
    expect(it.out.join("")).toContain("Stopped\n");
    await runLine(it.shell, "resource meta all delete target-role");
    expect(it.running()).not.toContain("target-role");
  });

  test("a person may drop changes on leaving", async () => {
    const it = bench();
    const shell: Shell = { ...it.shell, confirm: () => Promise.resolve(false) };
    await runLine(shell, "configure");
    await runLine(shell, "property cluster-name=x");
    await runLine(shell, "up");
    expect(shell.level).toBe("");
    expect(applied(it)).toBe(0);
  });

  test.each(["primitive late Dummy \\", "primitive late Dummy \\\n  params a=1 \\"])(
    "a batch whose last line goes on and does not is refused: %j",
    async (text) => {
      const it = bench();
      expect(await runBatch(it.shell, `configure\n${text}`)).toBe(64);
      expect(it.err.join("")).toContain("the last line ends with a backslash");
      expect(applied(it)).toBe(0);
    },
  );

  test("nonsense is answered, never thrown", async () => {
    const it = bench();
    for (const line of [
      "frob",
      "resource",
      "frob x",
      "up",
      "node frob",
      "configure load",
      "configure show nobody",
      '"',
    ])
      expect((await runLine(it.shell, line)).kind).toBe("done");
    expect(it.err.length).toBeGreaterThan(3);
    expect(applied(it)).toBe(0);
  });
});

test.each([
  ["", "conf", ["configure"]],
  ["configure", "prim", ["primitive"]],
  ["configure", "primitive ip ocf:gemel:IPa", ["ocf:gemel:IPaddr2"]],
  ["ra", "info ocf:gemel:IPa", ["ocf:gemel:IPaddr2"]],
  ["configure", "primitive p stonith:ipmi-l", ["stonith:ipmi-lan"]],
  ["configure", "load r", ["replace"]],
  ["configure", "show ty", ["type:"]],
  ["configure", "show al", ["all", "alpha"]],
  ["configure", "property no-q", ["no-quorum-policy="]],
  ["configure", "property no-quorum-policy=i", ["no-quorum-policy=ignore"]],
  ["configure", "primitive ip IPaddr2 op monitor on-fail=b", ["on-fail=block"]],
  ["configure", "primitive ip IPaddr2 me", ["meta"]],
  ["configure", "location l a", ["all", "alpha"]],
  ["", "configure delete w", ["web"]],
  ["resource", "start a", ["all"]],
  ["resource", "move web a", ["alpha"]],
  ["", "node standby a", ["alpha"]],
  ["resource", "help mig", ["migrate"]],
] as const)("at level %j, %j is completed to %j", (level, line, words) => {
  const resources = ["all", "web"];
  expect(completions(level, line, { all: [...resources, "alpha"], nodes: ["alpha"], resources })).toEqual(words);
});

describe("the cib level", () => {
  test("a copy is made, used, changed, compared and thrown away; the cluster knows nothing of it", async () => {
    const it = bench();
    const { shell } = it;
    const before = it.running();
    const folder = mkdtempSync(path.join(os.tmpdir(), "ops-shadow-"));
    process.env["CIB_shadow_dir"] = folder;
    try {
      // The bench stands for the cluster; the copy is a real file that the real door answers for.
      expect(await runLine(shell, "cib new plan")).toEqual({ kind: "done", code: 0 });
      expect(promptOf(shell)).toBe("crm(plan)# ");
      expect(await runLine(shell, "cib new plan")).toEqual({ kind: "done", code: 1 });
      const copy = { ...shell, session: openSession("/nowhere", shell.session.terminal) };
      expect(await runLine(copy, "configure property cluster-name=copied")).toEqual({ kind: "done", code: 0 });
      it.out.length = 0;
      expect(await runLine(shell, "cib diff plan")).toEqual({ kind: "done", code: 0 });
      expect(it.out.join("")).toContain("cluster-name");
      expect(await runLine(shell, "cib list")).toEqual({ kind: "done", code: 0 });
      expect(it.out.at(-1)).toBe("plan\n");
      expect(await runLine(shell, "cib use live")).toEqual({ kind: "done", code: 0 });
      expect(promptOf(shell)).toBe("crm(live)# ");
      expect(await runLine(shell, "cib delete plan")).toEqual({ kind: "done", code: 0 });
      expect(await runLine(shell, "cib use plan")).toEqual({ kind: "done", code: 1 });
      expect(it.running()).toBe(before);
    } finally {
      delete process.env["CIB_shadow"];
      delete process.env["CIB_shadow_dir"];
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the ra level", () => {
  const metadata = `<resource-agent name="Thing"><longdesc lang="en">
It does
a thing.
</longdesc><shortdesc lang="en">A thing</shortdesc><parameters>
<parameter name="where" required="1"><longdesc lang="en">The place.</longdesc><shortdesc lang="en">Place</shortdesc>
<content type="string" default="/tmp"/></parameter>
<parameter name="often"><shortdesc lang="en">How often</shortdesc><content type="integer"/></parameter></parameters>
<actions><action name="start" timeout="20s"/><action name="monitor" timeout="20s" interval="10s" depth="0"/>
<action name="meta-data" timeout="5s"/></actions></resource-agent>`;

  test("what an agent says of itself, in the layout of the field", () => {
    const read = parseXml(metadata);
    expect(read.kind === "xml" && printAgentMetadata(read.root, "ocf:x:Thing")).toBe(
      [
        "A thing (ocf:x:Thing)",
        "",
        "It does",
        "a thing.",
        "",
        "Parameters (*: required, []: default):",
        "",
        "where* (string, [/tmp]): Place",
        "    The place.",
        "",
        "often (integer): How often",
        "",
        "Operations' defaults (advisory minimum):",
        "",
        "    start         timeout=20s",
        "    monitor       timeout=20s interval=10s depth=0",
        "",
      ].join("\n"),
    );
  });

  test.each(["../../bin/sh", "ocf:../..:sh", "NoSuchAgent", ""])("%j is no agent", (name) => {
    expect(findAgent(name)).toBeUndefined();
  });
});
