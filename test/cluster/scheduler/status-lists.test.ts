/** How a clone is told: who is listed as stopped, which words stand behind its name, and how many are counted. */
import { expect, test } from "vitest";
import { parseXml } from "../../../src/base/xml.ts";
import { readFacts } from "../../../src/cluster/core/scheduler/facts/read-facts.ts";
import { statusReport } from "../../../src/cluster/core/scheduler/print/status-report.ts";
import { terseCib } from "../../support/terse-cib.ts";

const NOW_WALL_MS = 1_700_000_000_000;

function told(text: string): string[] {
  const read = parseXml(terseCib(text));
  if (read.kind === "not-xml") throw new Error(`line ${read.line}: ${read.reason}`);
  const report = statusReport(readFacts(read.root, NOW_WALL_MS, undefined), "Current cluster status", true);
  return report.split("\n").map((line) => line.trim().replaceAll(/\s+/g, " "));
}

test("a cluster that must be opted into lists as stopped only nodes that have told of the clone", () => {
  const cluster = `
    nodes alpha bravo charlie
    clone c
      Dummy p
    p on alpha: start
    p on bravo: monitor=7`;
  expect(told(cluster)).toContain("* Stopped: [ bravo charlie ]");
  expect(told(`${cluster}\n    option symmetric-cluster=false`)).toContain("* Stopped: [ bravo ]");
});

test("disabled is what the clone or the resource inside is", () => {
  const lines = told(`
    nodes alpha bravo
    clone inner
      Dummy p target-role=Stopped
    clone outer target-role=Stopped is-managed=false
      Dummy q target-role=Started
    clone low promotable=true target-role=Unpromoted
      Stateful r`);
  expect(lines).toEqual(
    expect.arrayContaining([
      "* Clone Set: inner [p]:",
      "* Clone Set: outer [q] (unmanaged, disabled):",
      "* Clone Set: low [r] (promotable, disabled):",
    ]),
  );
  expect(lines.filter((line) => line === "* Stopped (disabled): [ alpha bravo ]")).toHaveLength(2);
});

test("a surplus instance counts among the instances while it runs", () => {
  const lines = told(`
    nodes alpha bravo
    clone c clone-max=1 target-role=Stopped
      Dummy p
    p on alpha: start
    p on bravo: start`);
  expect(lines).toContain("2 of 2 resource instances DISABLED and 0 BLOCKED from further action due to failure");
});

test("an instance on a node that is down for sure is not told", () => {
  const cluster = (state: string) => `
    nodes alpha bravo=${state}
    option stonith-enabled=${state === "unclean"}
    option shutdown-lock=true
    fencing f
    clone c promotable=true
      Stateful p
    p on bravo: start`;
  expect(told(cluster("unclean")).filter((line) => line.startsWith("* p ("))).toHaveLength(1);
  expect(told(cluster("offline")).filter((line) => line.startsWith("* p ("))).toEqual([]);
});

test("what could not be asked to stop, on a lost node that nobody may fence now, is blocked", () => {
  const cluster = (result: string, more = "", quorum = "stop") => `
    nodes alpha bravo=unclean
    option stonith-enabled=true no-quorum-policy=${quorum}
    Dummy p
    p on bravo: start stop=${result}${more}`;
  const lineOf = (text: string) => told(text).find((line) => line.startsWith("* p ("));
  expect(lineOf(cluster("5"))).toBe("* p (ocf:pacemaker:Dummy): Started bravo (UNCLEAN, blocked)");
  expect(lineOf(cluster("5").replace("=unclean", "=unclean\n    status bravo shutdown=1699999990"))).toBe(
    "* p (ocf:pacemaker:Dummy): FAILED bravo (UNCLEAN, blocked)",
  );
  // What merely failed may be tried again, and what can be fenced is not beyond help.
  expect(lineOf(cluster("1"))).toBe("* p (ocf:pacemaker:Dummy): Started bravo (UNCLEAN)");
  expect(lineOf(cluster("5", "\n    fencing f", "ignore"))).toBe("* p (ocf:pacemaker:Dummy): Started bravo (UNCLEAN)");
});

test("a remote node that nobody has seen is not known to be down", () => {
  const cluster = (more: string) => `
    nodes alpha far=unseen
    option stonith-enabled=true ${more}
    fencing f
    remote far`;
  expect(told(cluster(""))).toContain("* RemoteNode far: UNCLEAN (offline)");
  expect(told(cluster("startup-fencing=false"))).toContain("* RemoteOFFLINE: [ far ]");
});
