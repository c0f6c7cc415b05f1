/** Shutdown locks: a node that leaves for a while keeps its resources, and for how long. Pacemaker Explained. */
import { expect, test } from "vitest";
import { parseXml, type XmlElement } from "../../../src/base/xml.ts";
import { advise } from "../../../src/cluster/core/advice/advise.ts";
import { textOf } from "../../../src/cluster/core/advice/texts.ts";
import { readFacts } from "../../../src/cluster/core/scheduler/facts/read-facts.ts";
import { statusReport } from "../../../src/cluster/core/scheduler/print/status-report.ts";
import { transitionXml } from "../../../src/cluster/core/scheduler/print/transition-xml.ts";
import { schedule, work } from "../../../src/cluster/core/scheduler/schedule.ts";
import { prove } from "../../../src/cluster/core/scheduler/why/prove.ts";
import { proofText } from "../../../src/cluster/core/scheduler/why/why-text.ts";
import { terseCib } from "../../support/terse-cib.ts";
import { situationOf } from "../advice/scene.ts";

const LOCKED_AT_SECONDS = 1_700_000_000;

function lockedAway(limit: string): XmlElement {
  const read = parseXml(`<cib have-quorum="1" validate-with="pacemaker-3.8"><configuration><crm_config>
    <cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/>
    <nvpair id="o2" name="shutdown-lock" value="true"/><nvpair id="o3" name="shutdown-lock-limit" value="${limit}"/>
    </cluster_property_set></crm_config><nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>
    <resources><primitive id="x" class="ocf" provider="pacemaker" type="Dummy"/></resources><constraints/>
    </configuration><status>
    <node_state id="1" uname="alpha" in_ccm="false" crmd="offline" join="down" expected="down"><lrm id="1">
    <lrm_resources><lrm_resource id="x" class="ocf" provider="pacemaker" type="Dummy"
      shutdown-lock="${LOCKED_AT_SECONDS}"/></lrm_resources></lrm></node_state>
    <node_state id="2" uname="bravo" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>`);
  if (read.kind === "not-xml") throw new Error(read.reason);
  return read.root;
}

const nextNode = (limit: string, seconds: number) =>
  schedule(lockedAway(limit), (LOCKED_AT_SECONDS + seconds) * 1000).resources.find(({ id }) => id === "x")?.nextNode;

test("without a limit the resource waits for its node for ever, and the report says so", () => {
  expect(nextNode("0", 1_000_000)).toBeUndefined();
  const report = statusReport(readFacts(lockedAway("0"), LOCKED_AT_SECONDS * 1000, undefined), "Status", false);
  expect(report).toMatch(/x\t\(ocf:pacemaker:Dummy\):\t Stopped alpha \(LOCKED\)/);
});

test("with a limit it is free after that time, and the scheduler wants to be asked again then", () => {
  expect(nextNode("60s", 59)).toBeUndefined();
  expect(nextNode("60s", 60)).toBe("bravo");
  const waiting = schedule(lockedAway("60s"), (LOCKED_AT_SECONDS + 10) * 1000);
  expect(waiting.transition.recheckAtWallMs).toBe((LOCKED_AT_SECONDS + 60) * 1000);
});

/** What ran again after it had been locked, and the record of the lock that is still there. */
function backOn(node: string): XmlElement {
  const text = `nodes alpha bravo\noption shutdown-lock=true\nDummy a\na on ${node}: start
a on alpha: ${node === "alpha" ? "start" : "stop"}`;
  const read = parseXml(
    terseCib(text).replace(`<lrm_resource id="a"`, `<lrm_resource id="a" shutdown-lock="${LOCKED_AT_SECONDS}"`),
  );
  if (read.kind === "not-xml") throw new Error(read.reason);
  return read.root;
}

test("a lock ends as soon as the resource runs again: its record is deleted, and it stays where it is", () => {
  for (const node of ["alpha", "bravo"]) {
    const { transition, resources } = schedule(backOn(node), LOCKED_AT_SECONDS * 1000);
    expect(resources[0]?.nextNode).toBe(node);
    expect(transition.actions.map(({ key }) => key)).toContain("a_lrm_delete_0");
  }
});

/** As crm_simulate 2.1.5 -G writes the orders; the `lrm_delete` of an expired lock is not asked of the absent node. */
test("every order to the node that a resource is locked to carries the lock", () => {
  const orders = (cib: XmlElement) => {
    const { facts, graph } = work(cib, (LOCKED_AT_SECONDS + 10) * 1000);
    const all = transitionXml(facts, graph).children.flatMap(({ children }) => children[0]?.children ?? []);
    return all.flatMap(({ attributes: { operation_key: key, on_node: node, mode, "shutdown-lock": lock } }) =>
      node === undefined ? [] : [[key, node, mode ?? lock ?? ""].join(" ").trim()],
    );
  };
  const leaving = parseXml(
    terseCib("nodes alpha=leaving bravo\noption shutdown-lock=true\nDummy a\na on alpha: start"),
  );
  if (leaving.kind === "not-xml") throw new Error(leaving.reason);
  // When it wanted to leave, by its attribute `shutdown`; not now, and not when the stop was ordered.
  expect(orders(leaving.root)).toEqual(["a_stop_0 alpha 1699999990", "a_monitor_0 bravo", "do_shutdown-alpha alpha"]);
  expect(orders(lockedAway("5s"))).toContain("x_lrm_delete_0 alpha cib");
});

test("it is told: by gemel why, with its end as what would move it, by gemel status, and in crm_mon's XML", () => {
  const proof = prove(lockedAway("0"), LOCKED_AT_SECONDS * 1000, "x");
  expect(proof === undefined ? "" : proofText(proof, "en")).toContain(
    "* x is locked to node alpha, which was shut down while it ran there (shutdown-lock)",
  );
  const nowWallMs = (LOCKED_AT_SECONDS + 90) * 1000;
  const told = (limit: string) => {
    const live = { facts: readFacts(lockedAway(limit), nowWallMs, undefined), nowWallMs };
    return advise(situationOf({ live })).map(({ code, values }) => `${code}: ${textOf("en", code, values).what}`);
  };
  const waits = "held-by-lock: x runs nowhere: it waits for alpha, which was shut down (shutdown-lock)";
  expect(told("0")).toContain(`${waits}, without a limit`);
  expect(told("10min")).toContain(`${waits}, for 9 min more`);
  expect([...told("0"), ...told("10min")].filter((line) => line.startsWith("runs-nowhere"))).toEqual([]);
});
