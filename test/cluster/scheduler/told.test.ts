/** How decisions are told: which instance, place and reason, and in what order. Each as crm_simulate tells it. */
import { describe, expect, test } from "vitest";
import { askOurs } from "../../support/scheduler-peer.ts";
import { terseCib } from "../../support/terse-cib.ts";

const linesOf = (text: string) => text.split("\n").map((line) => line.trim().replaceAll(/\s+/g, " "));

function report(cib: string) {
  const [before = "", summary = "", after = ""] = askOurs(terseCib(cib)).report.split(
    /Transition Summary:|Executing Cluster Transition:/,
  );
  return { before: linesOf(before), summary: linesOf(summary), done: linesOf(after) };
}

const changes = (cib: string) => report(cib).summary.filter((line) => /^\* [A-Z]\w+ [\w:-]+ \(/.test(line));

describe("instances of a clone", () => {
  test("where no node can be looked at, they are told in the order in which they were placed", () => {
    const lines = changes(`
nodes alpha=unclean bravo=unclean
option stonith-enabled=true
fencing f
clone c
  Dummy p
rsc_location rsc=c node=alpha score=-INFINITY
p on alpha: start
p on bravo: start`);
    expect(lines.map((line) => line.slice(0, 12))).toEqual(["* Stop p:1 (", "* Stop p:0 ("]);
  });

  test("of two that must leave, the one on a standby node goes on before the one on a node that shuts down", () => {
    const lines = changes(`
nodes alpha bravo charlie
clone c
  Dummy p
node charlie standby=on
status alpha shutdown=1699999990
p on alpha: start
p on charlie: start`);
    expect(lines).toEqual(["* Stop p:0 ( alpha ) due to node availability", "* Move p:1 ( charlie -> bravo )"]);
  });

  test("where a ticket bans them all, what their clone would rather has no say in who comes first", () => {
    const lines = changes(`
nodes alpha bravo
option enable-startup-probes=false
clone c
  Dummy p
rsc_location rsc=c node=bravo score=1000
rsc_ticket rsc=c ticket=T loss-policy=stop
p on alpha: start
p on bravo: start`);
    expect(lines.map((line) => line.slice(0, 12))).toEqual(["* Stop p:0 (", "* Stop p:1 ("]);
  });
});

describe("members of a group that cannot start for one reason", () => {
  const reasons = (runs: string) => {
    const members = Array.from(runs, (_, at) => `  Dummy p${at + 1}`).join("\n");
    const history = Array.from(runs, (one, at) => `p${at + 1} on alpha: ${one === "A" ? "start" : "stop"}`).join("\n");
    const lines = changes(`
nodes alpha
group g
${members}
Dummy s
rsc_location rsc=s node=alpha score=-INFINITY
rsc_order first=s then=g kind=Mandatory
${history}`);
    return lines.map((line) => line.replace(/^\* (\w+) .* due to /, "$1: ").replace(" (blocked)", ""));
  };

  test.each([
    ["AAA", ["Stop: unrunnable s start", "Stop: required p1 start", "Stop: required p2 stop"]],
    ["SAA", ["Start: unrunnable s start", "Stop: unrunnable s start", "Stop: required p2 stop"]],
    ["ASA", ["Stop: unrunnable s start", "Start: unrunnable p1 start", "Stop: required p2 start"]],
    ["AAS", ["Stop: unrunnable s start", "Stop: required p1 start", "Start: unrunnable p2 start"]],
    ["SSA", ["Start: unrunnable s start", "Start: unrunnable s start", "Stop: unrunnable s start"]],
  ])("%s (active, stopped)", (runs, told) => {
    expect(reasons(runs)).toEqual(told);
  });
});

test("what needs no fencing and is in several places is told from where it is well", () => {
  const lines = changes(`
nodes alpha=unclean bravo charlie
option stonith-enabled=true
fencing f
fencing p
f on charlie: start
p on alpha: start
p on bravo: monitor/10=1`);
  expect(lines).toContain("* Recover p ( bravo )");
});

describe("who is placed first by a placement strategy", () => {
  test("a wish about a group is a wish about where its last member is", () => {
    const lines = changes(`
nodes alpha bravo
option placement-strategy=utilization
Dummy r1
Dummy r2
group g
  Dummy g1
  Dummy g2
rsc_location rsc=g2 node=alpha score=1000
rsc_colocation rsc=r1 with-rsc=g score=-100
g1 on alpha: start
g2 on alpha: start`);
    expect(lines.map((line) => line.split(" ")[2])).toEqual(["r2", "r1"]);
  });

  test("what a node in maintenance holds is held there only, not where it runs besides", () => {
    const { done } = report(`
nodes alpha bravo
option placement-strategy=utilization
Dummy p
Dummy r
rsc_location rsc=r node=alpha score=1000
node bravo maintenance=true
p on alpha: start monitor/10=0
p on bravo: start monitor/10=0
r on alpha: start`);
    const at = (line: string) => done.findIndex((each) => each.startsWith(line));
    expect(at("* Resource action: r monitor on bravo")).toBeGreaterThan(0);
    expect(at("* Resource action: r monitor on bravo")).toBeLessThan(at("* Resource action: p cancel=10000 on bravo"));
  });
});

describe("the report of a clone in a cluster that must be opted into", () => {
  const stopped = (history: string) =>
    report(`
nodes alpha bravo charlie
option symmetric-cluster=false
clone c
  Dummy p
rsc_location rsc=c node=charlie score=5
${history}`).done.filter((line) => line.startsWith("* Stopped"));

  test("names the nodes that have told of it", () => {
    expect(stopped("p on alpha: monitor=7")).toEqual(["* Stopped: [ alpha bravo ]"]);
  });

  test("names only those on which it cannot run, when there are such", () => {
    expect(stopped("p on alpha: start=5 stop")).toEqual(["* Stopped: [ alpha ]"]);
  });
});

describe("a recurring monitor that ends", () => {
  const shown = (history: string) =>
    report(`
nodes alpha bravo
Dummy p is-managed=false
p on bravo: monitor=7
p on alpha: ${history}`).done.filter((line) => line.startsWith("* p "));

  test("takes what it found not with it: the resource runs on", () => {
    expect(shown("monitor/10=0")).toEqual(["* p (ocf:pacemaker:Dummy): Started alpha (unmanaged)"]);
  });

  test("says nothing of what was stopped after it", () => {
    expect(shown("monitor/10=0 stop")).toEqual(["* p (ocf:pacemaker:Dummy): Stopped (unmanaged)"]);
  });
});
