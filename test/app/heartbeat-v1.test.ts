/**
 * A site of Heartbeat's own manager, two nodes started from ha.cf and haresources: each line of it runs at its owner,
 * the commands of old move it by their names, and what was never monitored there is monitored here.
 */
import process from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { importSite } from "../../src/cib/heartbeat/import-site.ts";
import { skips } from "../support/skip.ts";
import { ADDRESS, type NodePair, openNodePair } from "./node-pair.ts";

const HA_CF = `keepalive 200ms
warntime 500ms
deadtime 20
initdead 60
udpport 694
ucast heart 198.18.1.1
ucast heart 198.18.1.2
node alpha bravo
auto_failback off
`;
const HARESOURCES = `alpha ${ADDRESS}/24/service\nbravo 198.18.3.101/24/service\n`;

function imported() {
  const owners = { "198.18.1.1": "alpha", "198.18.1.2": "bravo" };
  const knowledge = { self: undefined, interfaces: {}, owners, scripts: [] };
  const texts = { folder: "ha.d", haCf: HA_CF, authkeys: undefined, haresources: HARESOURCES };
  return importSite(texts, knowledge, "0123456789abcdef0123456789abcdef");
}

const isRoot = process.getuid?.() === 0;
const missing = skips(!isRoot, "two nodes need root, for their network namespaces");

describe.skipIf(missing)("a site from haresources", () => {
  let pair: NodePair | undefined;
  afterAll(async () => await pair?.close());

  test("runs as it did, and obeys the commands it had", async () => {
    const site = imported();
    expect(site.problems.filter(({ severity }) => severity === "error")).toEqual([]);
    const times = site.nodeConfig.split("\n").filter((line) => /^(?:keepalive|warntime|deadtime|initdead) /.test(line));
    expect(times).toHaveLength(4);
    expect(site.nodeConfig).toContain("link heart udp alpha=198.18.1.1:694 bravo=198.18.1.2:694");
    expect(site.crm?.match(/op monitor interval=20s/g)).toHaveLength(2);
    const nodes = openNodePair({ times, configuration: site.crm ?? "" });
    pair = nodes;
    const heldAt = async (node: "alpha" | "bravo", id: string) => {
      const found = (await nodes.status(node))?.resources.find((resource) => resource.id.includes(id));
      return found?.active.map((active) => active.node) ?? [];
    };
    const runsOn = (id: string, node: string) => async () => (await heldAt("alpha", id)).join() === node;
    nodes.start("alpha");
    nodes.start("bravo");
    await nodes.until("each line at its owner", async () => {
      // In flux hb_standby is refused.
      const isQuiet = (await nodes.status("alpha"))?.transition.isRunning === false;
      return isQuiet && (await runsOn("100", "alpha")()) && (await runsOn("101", "bravo")());
    });
    expect(nodes.gemel("alpha", "cl_status", "rscstatus", "-m")).toEqual({ code: 0, output: "local\n" });
    expect(nodes.gemel("alpha", "cl_status", "nodestatus", "bravo")).toEqual({ code: 0, output: "active\n" });
    expect(nodes.gemel("alpha", "cl_status", "hblinkstatus", "bravo", "heart")).toEqual({ code: 0, output: "up\n" });
    expect(nodes.gemel("alpha", "cl_status", "nodestatus", "charlie").code).toBe(11);
    expect(nodes.gemel("alpha", "cl_status", "hbparameter", "-p", "deadtime")).toEqual({ code: 0, output: "20\n" });
    expect(nodes.gemel("alpha", "cl_status", "hbparameter", "-p", "keepalive").output).toBe("200ms\n");
    expect(nodes.gemel("alpha", "cl_status", "hbparameter", "-p", "udpport").code).toBe(11);

    expect(nodes.gemel("alpha", "hb_standby", "all").code).toBe(0);
    await nodes.until("alpha has given up its address", runsOn("100", "bravo"));
    expect(nodes.hasAddress("alpha")).toBe(false);
    await nodes.until(
      "the transition is over",
      async () => (await nodes.status("bravo"))?.transition.isRunning === false,
    );
    expect(nodes.gemel("bravo", "cl_status", "rscstatus", "-m").output).toBe("all\n");

    expect(nodes.gemel("alpha", "hb_takeover", "local").code).toBe(0);
    await nodes.until("alpha has it again", runsOn("100", "alpha"));
    expect(await heldAt("alpha", "101")).toEqual(["bravo"]);

    // By the key of its line, as scripts of Heartbeat call it.
    expect(nodes.gemel("alpha", "req_resource", "198.18.3.101/24/service").code).toBe(0);
    await nodes.until("alpha was given the other's line", runsOn("101", "alpha"));
    expect(nodes.gemel("alpha", "req_resource", "nothing").code).toBe(1);
    expect(nodes.gemel("alpha", "hb_standby", "everything").code).toBe(64);
    expect((await nodes.status("alpha"))?.leases.map(({ kind }) => kind)).toContain("move");
  });
});
