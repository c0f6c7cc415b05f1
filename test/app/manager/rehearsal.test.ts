/** The rehearsal of a takeover: what it decides upon is the CIB without the peers. */
import { expect, test } from "vitest";
import { withoutPeers } from "../../../src/app/manager/rehearsal.ts";
import { childrenOf, parseXml } from "../../../src/base/xml.ts";

test("every node but ourselves is lost, and nothing else is changed", () => {
  const read = parseXml(`<cib><configuration/><status>
    <node_state uname="alpha" in_ccm="true" crmd="online"/>
    <node_state uname="bravo" in_ccm="true" crmd="online"><lrm id="2"/></node_state>
  </status></cib>`);
  if (read.kind !== "xml") throw new Error(read.reason);
  const rehearsed = withoutPeers(read.root, "alpha");
  expect(rehearsed.children[0]).toEqual(read.root.children[0]);
  const [alpha, bravo] = childrenOf(rehearsed.children[1], "node_state");
  expect(alpha?.attributes).toEqual({ uname: "alpha", in_ccm: "true", crmd: "online" });
  const lost = { uname: "bravo", in_ccm: "false", crmd: "offline", expected: "member" };
  expect(bravo).toMatchObject({ attributes: lost, children: [{ name: "lrm" }] });
});
