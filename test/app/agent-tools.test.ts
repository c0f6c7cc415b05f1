/** Debian's own agents on a real node: they find our tools, and what they say through them is in the status. */
import { existsSync } from "node:fs";
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import { skips } from "../support/skip.ts";
import { NODES, type NodePair, openNodePair, PATIENT_TIMES } from "./node-pair.ts";

const AGENTS = "/usr/lib/ocf/resource.d/pacemaker";
const isReady = process.getuid?.() === 0 && existsSync(`${AGENTS}/ping`) && existsSync(`${AGENTS}/Stateful`);
if (!isReady) process.stderr.write("agent-tools: not root, or pacemaker-resource-agents is not installed\n");

let open: NodePair | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

const CONFIGURATION = `primitive reach ocf:pacemaker:ping \\
  params host_list=198.18.3.9 multiplier=100 dampen=1s name=default_ping_set attempts=1 timeout=1 \\
  op start timeout=120 op monitor interval=1s timeout=120 op stop timeout=120
clone reach-clone reach
primitive state ocf:pacemaker:Stateful op monitor interval=5s role=Promoted op monitor interval=6s role=Unpromoted \\
  op start timeout=120 op stop timeout=120
clone state-clone state meta promotable=true
property no-quorum-policy=ignore stonith-enabled=false
`;

test.skipIf(skips(!isReady, "what it needs is not installed"))(
  "ping and Stateful speak through attrd_updater and crm_attribute",
  async () => {
    const pair = openNodePair({
      times: PATIENT_TIMES,
      configuration: CONFIGURATION,
    });
    open = pair;
    for (const node of NODES) pair.start(node);
    const attribute = async (name: string) => {
      const status = await pair.status("alpha");
      return status?.nodes.map((node) => node.attributes[name]);
    };
    await pair.until("both nodes reach the client", async () => {
      return (await attribute("default_ping_set"))?.every((value) => value === "100") === true;
    });
    await pair.until("one is promoted by its score", async () => {
      const status = await pair.status("alpha");
      const roles = status?.resources.find(({ id }) => id === "state")?.active.map(({ role }) => role);
      return roles?.toSorted().join() === "Promoted,Unpromoted";
    });

    const told = (...argv: string[]) => pair.gemel("alpha", ...argv);
    expect(told("crm-node", "-n").output.trim()).toBe("alpha");
    expect(told("crm-node", "-q").output.trim()).toBe("1");
    expect(told("crm-node", "-p").output.trim()).toBe("alpha bravo");
    expect(told("attrd-updater", "-Q", "-n", "default_ping_set", "-A").output).toContain('host="bravo" value="100"');
    expect(told("crm-mon", "-1", "-A").output).toMatch(/default_ping_set\s+: 100/);

    // Private ones are known everywhere and written nowhere.
    expect(told("attrd-updater", "-n", "secret", "-U", "7", "-p").code).toBe(0);
    await pair.until("bravo knows it", () =>
      pair.gemel("bravo", "attrd-updater", "-Q", "-n", "secret", "-N", "alpha").output.includes('value="7"'),
    );
    expect(told("cibadmin", "-Q").output).not.toContain("secret");

    // Fail, and be recovered, with --wait for the end of it.
    const before = (await pair.status("alpha"))?.resources.find(({ id }) => id === "reach")?.active[0]?.sinceWallMs;
    expect(told("crm-resource", "--fail", "-r", "reach", "-N", "alpha", "--wait")).toMatchObject({ code: 0 });
    expect(told("crm-failcount", "-G", "-r", "reach", "-N", "alpha").output).toContain("value=1");
    await pair.until("it was restarted", async () => {
      const now = (await pair.status("alpha"))?.resources.find(({ id }) => id === "reach")?.active;
      return now?.length === 2 && now[0]?.sinceWallMs !== before;
    });
    expect(told("crm-failcount", "-D", "-r", "reach", "-N", "alpha").code).toBe(0);
    await pair.until("it is forgotten", () =>
      told("crm-failcount", "-G", "-r", "reach", "-N", "alpha").output.includes("value=0"),
    );

    // A lease ends by itself, and a node takes back what it held.
    expect(told("crm", "node", "standby", "bravo", "12s").output).toContain("until 2");
    await pair.until(
      "bravo stands by",
      async () =>
        (await pair.status("alpha"))?.nodes.some(({ name, state }) => name === "bravo" && state === "standby") === true,
    );
    expect(told("status").output).toMatch(/Manual overrides:\n {2}standby bravo: for another \d+ s, by root/);
    await pair.until("bravo is back by itself", async () => {
      const status = await pair.status("alpha");
      return status?.leases.length === 0 && status.nodes.every(({ state }) => state === "online");
    });

    // The word said last counts, though a standby until the node leaves would win over it.
    const stateOfBravo = async () => (await pair.status("alpha"))?.nodes.find(({ name }) => name === "bravo")?.state;
    expect(told("crm", "node", "standby", "bravo", "reboot").code).toBe(0);
    await pair.until("bravo stands by again", async () => (await stateOfBravo()) === "standby");
    expect(told("crm", "node", "online", "bravo").code).toBe(0);
    await pair.until("bravo is back by order", async () => (await stateOfBravo()) === "online");
  },
);
