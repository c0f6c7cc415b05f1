/**
 * What the crm shell does and does not take for done: a wait that ends in a failure says so, what runs is not deleted
 * by the way, and no word is passed over.
 */
import { describe, expect, test, vi } from "vitest";
import type { ControlRequest, FailureStatus, ResourceStatus, StatusReport } from "../../src/app/control-protocol.ts";
import { configureOnce } from "../../src/app/crm/configure-level.ts";
import { newFailures, notReached, roleNotReached } from "../../src/app/crm/reached.ts";
import { asCib, configurationOf, openSession, type Terminal } from "../../src/app/crm/session.ts";
import { runLine } from "../../src/app/crm/shell.ts";
import type { Transport } from "../../src/app/settle.ts";
import { printXml } from "../../src/base/xml.ts";
import { applyCrm, emptyConfiguration } from "../../src/cib/crm-syntax/apply.ts";
import { parseCrm } from "../../src/cib/crm-syntax/parse.ts";
import { printCrm } from "../../src/cib/crm-syntax/print.ts";

const START = `node alpha
node bravo
primitive web Dummy op start timeout=9 op stop timeout=9 op monitor interval=9
primitive ip Dummy op start timeout=9 op stop timeout=9 op monitor interval=9
primitive state ocf:pacemaker:Stateful op start timeout=9 op stop timeout=9 op monitor interval=9
ms mirror state
location near web 10: alpha
tag shown web near
property stonith-enabled=false
`;

const resource = (id: string, ...nodes: string[]): ResourceStatus => ({
  id,
  agent: "ocf:heartbeat:Dummy",
  parents: [],
  isManaged: true,
  isWanted: true,
  active: nodes.map((node) => ({ node, role: "Started" })),
  failCounts: [],
});
const failure = (operation: string, exitReason: string, callId = 7): FailureStatus => ({
  ...{ node: "alpha", resource: "web", operation, code: 1, status: "complete", callId, exitReason },
});
const IDLE = { number: 1, isRunning: false, actionCount: 0, doneCount: 0, inFlight: [], summary: [] };

function statusOf(resources: readonly ResourceStatus[], failures: readonly FailureStatus[] = []): StatusReport {
  return {
    ...{ program: "", self: "alpha", atWallMs: 0, hasQuorum: true, isSettled: true, cibVersion: "0.1.0" },
    ...{ nodes: [], links: [], drbd: [], leases: [], problems: [], transition: IDLE, resources, failures },
    fencing: { isEnabled: false, devices: [], inProgress: [], history: [], proofs: [] },
  } as unknown as StatusReport;
}

function sitDown(status: StatusReport, flags: { readonly isWaiting?: boolean; readonly isForced?: boolean } = {}) {
  let running = applyCrm(emptyConfiguration(), parseCrm(START, "start")).configuration;
  const [out, err, requests]: [string[], string[], ControlRequest[]] = [[], [], []];
  const transport = ((_: string, request: ControlRequest) => {
    requests.push(request);
    if (request.kind === "status") return Promise.resolve({ kind: "answer", value: status });
    if (request.kind === "cib-apply") running = configurationOf(request.xml) ?? running;
    const value = { version: "0.1.7", xml: printXml(asCib(running)), warnings: [], text: "asked" };
    return Promise.resolve({ kind: "answer", value });
  }) as Transport;
  const terminal: Terminal = {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    readText: () => undefined,
    writeText: () => true,
    edit: () => undefined,
  };
  const session = openSession("/nowhere", terminal, flags, transport);
  return {
    ...{ session, out, err, requests },
    line: (text: string) => runLine({ session, level: "", begun: "" }, text),
    running: () => printCrm(running),
  };
}

describe("-w: what has not come about is told, with the reason, and is a failure", () => {
  test.each([
    [
      "stop",
      statusOf([{ ...resource("web", "alpha"), isManaged: false }], [failure("stop_0", "somebody holds it")]),
      "still runs on alpha: stop",
    ],
    ["stop", statusOf([{ ...resource("web", "alpha"), isManaged: false }]), "still runs on alpha: it is unmanaged"],
    [
      "stop",
      statusOf([{ ...resource("web", "alpha"), isManaged: false, heldBy: "no-fencing" }]),
      "still runs on alpha: there is nothing to fence with",
    ],
    [
      "start",
      statusOf([resource("web")], [failure("start_0", "no disk")]),
      "runs nowhere: start failed on alpha: no disk",
    ],
    ["start", statusOf([resource("web")]), "web runs nowhere: gemel why web says what keeps it"],
    ["move web bravo", statusOf([resource("web", "alpha")]), "web does not run on bravo"],
    ["ban web alpha", statusOf([resource("web", "alpha")]), "web still runs on alpha"],
  ])("%s", async (words, status, reason) => {
    const it = sitDown(status, { isWaiting: true });
    expect(await it.line(`resource ${words.includes(" ") ? words : `${words} web`}`)).toEqual({
      kind: "done",
      code: 1,
    });
    expect(it.err.join("")).toContain(reason);
  });

  test("what has come about is done", async () => {
    for (const [words, status] of [
      ["resource stop web", statusOf([resource("web")])],
      ["resource start web", statusOf([resource("web", "bravo")])],
      ["node standby alpha", statusOf([resource("web", "bravo")])],
    ] as const)
      expect(await sitDown(status, { isWaiting: true }).line(words)).toEqual({ kind: "done", code: 0 });
  });

  test("a node that is not emptied, or does not come back", () => {
    const left = statusOf([resource("web", "alpha"), { ...resource("ip", "alpha"), isManaged: false }]);
    const standby = { kind: "node", node: "alpha", action: "standby" } as const;
    expect(notReached(standby, undefined, left)).toEqual([expect.stringContaining("web still runs on alpha")]);
    const away = { ...left, nodes: [{ name: "alpha", state: "maintenance" }] } as unknown as StatusReport;
    expect(notReached({ ...standby, action: "online" }, undefined, away)).toEqual(["alpha is maintenance"]);
  });

  test("only failures that came since count, of a change and of a cleanup", () => {
    const before = statusOf([resource("web")], [failure("start_0", "no disk")]);
    const after = statusOf([resource("web")], [failure("start_0", "no disk"), failure("start_0", "no net", 8)]);
    expect(newFailures(before, statusOf([], [{ ...failure("monitor_0", "", 9), code: 0 }]))).toEqual([]);
    expect(newFailures(before, after)).toEqual(["web: start failed on alpha: no net"]);
    const cleanup = { kind: "resource", resource: "ip", action: "cleanup" } as const;
    expect(notReached(cleanup, before, after)).toEqual([]);
    expect(notReached({ ...cleanup, resource: "web" }, before, after)).toHaveLength(1);
  });

  test("a cleanup waits for what follows from it, with or without -w", async () => {
    for (const isWaiting of [true, false]) {
      const it = sitDown(statusOf([resource("web")]), { isWaiting });
      expect(await it.line("resource cleanup web")).toEqual({ kind: "done", code: 0 });
      const asked = it.requests.map(({ kind }) => kind);
      expect(asked.lastIndexOf("status")).toBeGreaterThan(asked.indexOf("resource"));
    }
  });

  test("promoted nowhere; still promoted", () => {
    const parents = [{ id: "mirror", kind: "promotable" }] as const;
    const role = (word: "Promoted" | "Unpromoted") =>
      statusOf([{ ...resource("state"), parents, active: [{ node: "alpha", role: word }] }]);
    expect(roleNotReached("promote", "mirror", role("Unpromoted"))[0]).toContain("mirror is promoted nowhere");
    expect(roleNotReached("demote", "mirror", role("Promoted"))[0]).toContain("state still runs on alpha");
    expect(roleNotReached("promote", "mirror", role("Promoted"))).toEqual([]);
    expect(roleNotReached("demote", "mirror", role("Unpromoted"))).toEqual([]);
  });

  test("what cannot be stopped is not started again by restart, with or without -w", async () => {
    for (const isWaiting of [true, false]) {
      const it = sitDown(statusOf([resource("web", "alpha")], [failure("stop_0", "held")]), { isWaiting });
      expect(await it.line("resource restart web")).toEqual({ kind: "done", code: 1 });
      expect(it.err.join("")).toContain("web is not started again; when that is mended: crm resource start web");
      expect(it.requests.some((request) => request.kind === "resource" && request.action === "start")).toBe(false);
    }
  });
});

test("what is no promotable clone is not promoted", async () => {
  const it = sitDown(statusOf([]));
  expect(await it.line("resource promote web")).toEqual({ kind: "done", code: 1 });
  expect(it.err.join("")).toContain("web is no promotable clone");
  expect(it.running()).not.toContain("target-role");
  for (const id of ["mirror", "state"]) expect(await it.line(`resource promote ${id}`)).toMatchObject({ code: 0 });
  expect(it.running().match(/target-role=Promoted/g)).toHaveLength(2);
});

describe("what runs is not deleted by the way", () => {
  const runs = statusOf([resource("web", "alpha"), resource("ip")]);
  test.each([
    [["delete", "web"], "what runs is not deleted: web; stop it first: crm -w resource stop web"],
    [["delete", "ip", "web"], "what runs is not deleted: web"],
    [["erase"], "what runs is not deleted: web"],
    [["erase", "nodes"], "what runs is not deleted: web"],
    [["erase", "everything"], "usage: configure erase"],
  ])("%j is refused", async (words, reason) => {
    const it = sitDown(runs);
    const before = it.running();
    expect(await configureOnce(it.session, words)).not.toBe(0);
    expect(it.err.join("")).toContain(reason);
    expect(it.running()).toBe(before);
  });

  test("what stands still is deleted, and by force whatever is named", async () => {
    const it = sitDown(runs);
    expect(await configureOnce(it.session, ["delete", "ip"])).toBe(0);
    expect(await configureOnce(it.session, ["delete", "--force", "web"])).toBe(0);
    expect(it.running()).not.toMatch(/web|ip/);
    const forced = sitDown(runs, { isForced: true });
    expect(await configureOnce(forced.session, ["erase"])).toBe(0);
    expect(forced.running()).toBe("node alpha\nnode bravo\n");
  });

  test("a copy is not what runs", async () => {
    vi.stubEnv("CIB_file", "/a/copy");
    const it = sitDown(runs);
    expect(await configureOnce(it.session, ["delete", "web"])).toBe(0);
    vi.unstubAllEnvs();
  });
});

describe("no word is passed over", () => {
  test.each([
    ["configure show tag:shon", 1, "there is no tag shon"],
    ["configure show type:primitve", 1, "there is no statement primitve; did you mean primitive?"],
    ["configure show related:nobody", 1, "there is no object nobody"],
    ["configure commit fast", 64, "usage: configure commit [force|replace]"],
    ["configure refresh now", 64, "usage: configure refresh"],
    ["configure rename web www wwww", 64, "usage: configure rename"],
    ["configure load update http://site/x.crm", 66, "no address of the network is loaded"],
    ["resource stopp web", 64, "resource has no command stopp; did you mean stop?"],
    ["resource stop", 64, "usage: resource stop RESOURCE..."],
    ["node standbyy", 64, "node has no command standbyy; did you mean standby?"],
    ["confgure show", 64, "there is no command confgure; did you mean configure?"],
    ["configure primitive new ocf:gemel:Dumy", 0, "no agent ocf:gemel:Dumy on this node; did you mean Dummy?"],
  ])("crm %s", async (line, code, told) => {
    const it = sitDown(statusOf([]));
    expect(await it.line(line)).toEqual({ kind: "done", code });
    expect(it.err.join("")).toContain(told);
  });

  test("show chooses by tag, and as XML; help stands behind a level's name, too", async () => {
    const it = sitDown(statusOf([]));
    await it.line("configure show tag:shown");
    expect(it.out.join("")).toMatch(/^primitive web (?:.|\n)*\nlocation near web 10: alpha\n$/);
    it.out.length = 0;
    await it.line("configure show xml near");
    expect(it.out.join("")).toMatch(/^<rsc_location id="near"/);
    it.out.length = 0;
    expect(await it.line("resource help move")).toEqual({ kind: "done", code: 0 });
    expect(it.out.join("")).toContain("move RESOURCE [NODE]");
  });

  test("a warning is told when it is typed, and not again when that is committed", async () => {
    const it = sitDown(statusOf([]));
    expect(await configureOnce(it.session, ["primitive", "late", "ocf:gemel:Dummy"])).toBe(0);
    expect(it.err.join("").match(/late is not monitored/g)).toHaveLength(1);
  });

  test("cd goes to another level, over the top, and back", async () => {
    const { session } = sitDown(statusOf([]));
    const shell = { session, level: "" as const, begun: "" };
    for (const [line, level] of [
      ["cd configure", "configure"],
      ["cd ../resource", "resource"],
      ["back", ""],
      ["node", "node"],
      ["cd", ""],
    ] as const) {
      expect(await runLine(shell, line)).toEqual({ kind: "done", code: 0 });
      expect(shell.level).toBe(level);
    }
    expect(await runLine(shell, "cd nowhere")).toMatchObject({ code: 64 });
  });
});
