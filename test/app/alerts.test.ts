/** Alerts on a real pair: agents that write down what they are told, one that hangs, one that is missing. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { skips } from "../support/skip.ts";
import { LOSING_TIMES, NODES, type NodeName, openNodePair } from "./node-pair.ts";

const asRoot = test.skipIf(skips(process.getuid?.() !== 0, "it needs root for its network namespaces"));

type Told = Readonly<Record<string, string>>;

/** Writes its environment to a file of its own, whole or not at all. `own` names the node that runs it. */
const WRITER = `#!/bin/sh
own=$(basename "$(dirname "$GEMEL_RUN")")
out="$CRM_alert_recipient/$own"
mkdir -p "$out"
env > "$out/.$CRM_alert_node_sequence"
mv "$out/.$CRM_alert_node_sequence" "$out/$CRM_alert_node_sequence"
`;

function readAlert(file: string): Told {
  const lines = readFileSync(file, "utf8").split("\n");
  return Object.fromEntries(lines.map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)]));
}

/** What has ended, and is only not taken note of yet, has no command line any more. */
function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1") !== "";
  } catch {
    return false;
  }
}

asRoot(
  "agents are told of what happens, by whom it concerns, and who does not obey is killed and told of",
  async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-alerts-"));
    const place = (name: string) => path.join(folder, name);
    const script = (name: string, text: string) => {
      writeFileSync(place(name), text, { mode: 0o755 });
      return place(name);
    };
    mkdirSync(place("all"));
    const told = (whom: string, by: NodeName): readonly Told[] => {
      const directory = path.join(place(whom), by);
      if (!existsSync(directory)) return [];
      const names = readdirSync(directory).filter((name) => /^\d+$/.test(name));
      return names
        .toSorted((left, right) => Number(left) - Number(right))
        .map((name) => readAlert(path.join(directory, name)));
    };
    const find = (whom: string, by: NodeName, wanted: Told) =>
      told(whom, by).find((one) => Object.entries(wanted).every(([name, value]) => one[`CRM_alert_${name}`] === value));
    const writer = script("writer.sh", WRITER);
    const hanging = script("hangs.sh", `#!/bin/sh\nsleep 30 &\necho $! >>${place("hung")}\nwait\n`);
    const configuration = `
primitive dummy ocf:gemel:Dummy op monitor interval=1s op start timeout=20s op stop timeout=20s
primitive person stonith:meatware params hostlist="alpha bravo"
location first dummy 100: alpha
alert all ${writer} attributes colour=blue meta timestamp-format="%Y %3N" to { ${place("all")} }
alert fencings ${writer} select fencing to { ${place("fencings")} }
alert attributes ${writer} select attributes { wanted } to { ${place("attributes")} }
alert hangs ${hanging} select resources meta timeout=1s
alert missing ${place("nowhere.sh")} select nodes
alert off ${script("off.sh", `#!/bin/sh\ntouch ${place("told-off")}\n`)} meta enabled=false
property no-quorum-policy=ignore
`;
    const pair = openNodePair({ times: LOSING_TIMES, configuration });
    const problems = async (node: NodeName) =>
      (await pair.status(node))?.problems.filter(({ code }) => code === "alert-not-told").map(({ what }) => what) ?? [];
    try {
      for (const node of NODES) pair.start(node);
      await pair.until(
        "dummy runs",
        () => find("all", "alpha", { kind: "resource", task: "start", rsc: "dummy" }) !== undefined,
      );

      // The start, by the node that ran it and by no other one; with everything that the interface names.
      const start = find("all", "alpha", { kind: "resource", task: "start", rsc: "dummy" });
      expect(start).toMatchObject({
        CRM_alert_node: "alpha",
        CRM_alert_rc: "0",
        CRM_alert_target_rc: "0",
        CRM_alert_status: "0",
        CRM_alert_desc: "ok",
        CRM_alert_interval: "0",
        CRM_alert_exec_time: expect.stringMatching(/^\d+$/),
        CRM_alert_timestamp: expect.stringMatching(/^20\d\d \d{3}$/),
        CRM_alert_timestamp_epoch: expect.stringMatching(/^\d{10}$/),
        CRM_alert_timestamp_usec: expect.stringMatching(/^\d+$/),
        CRM_alert_version: "2.1.5",
        CRM_alert_recipient: place("all"),
        CRM_notify_rsc: "dummy",
        CRM_notify_task: "start",
        colour: "blue",
      });
      for (const node of NODES)
        await pair.until(`${node} has told of both members`, () =>
          NODES.every((member) => find("all", node, { kind: "node", node: member, desc: "member" }) !== undefined),
        );
      expect(find("all", "alpha", { kind: "node", node: "bravo" })).toMatchObject({ CRM_alert_nodeid: "2" });
      expect(find("all", "bravo", { kind: "resource", rsc: "dummy" })).toBeUndefined();
      expect(told("all", "alpha").filter((one) => one["CRM_alert_task"] === "monitor")).toEqual([]);

      // Neither the one that hangs nor the one that is missing is silent.
      await pair.until("the agent that hangs is told of", async () => {
        const [alpha, bravo] = [await problems("alpha"), await problems("bravo")];
        const hangs = alpha.some((line) =>
          /alert hangs is not told by alpha: \S+ did not end within 1000 ms/.test(line),
        );
        // Whoever looks at the other node sees it as well.
        return (
          hangs &&
          bravo.some((line) => line.startsWith("alert hangs is not told by alpha")) &&
          bravo.some((line) => line.includes("nowhere.sh cannot be run: No such file or directory"))
        );
      });
      // What it started went with it.
      const [slept] = readFileSync(place("hung"), "utf8").split("\n");
      for (const node of NODES) expect(pair.log(node).match(/alert missing is not told/g)).toHaveLength(1);
      expect(Number(slept)).toBeGreaterThan(1);
      await pair.until("its child is gone", () => !isRunning(Number(slept)));

      // A manager that comes after another one tells nothing of what has not changed: what follows is told next.
      const ups = () => pair.log("alpha").match(/manager of alpha is up/g)?.length ?? 0;
      pair.killManager("alpha");
      await pair.until("alpha has a manager again, and all is as it was", async () => {
        const status = await pair.status("alpha");
        const runs = status?.resources.find(({ id }) => id === "dummy")?.active.some(({ node }) => node === "alpha");
        return ups() > 1 && runs === true && status?.transition.isRunning === false;
      });
      // A monitor that fails, and what is done about it.
      rmSync(path.join(pair.runDirectory("alpha"), "resource-agents", "dummy.state"));
      await pair.until(
        "the failed monitor is told",
        () => find("all", "alpha", { kind: "resource", task: "monitor", rsc: "dummy" }) !== undefined,
      );
      // Two agents may run side by side, so that nothing hangs on the order; probes of the new manager are not told.
      const monitors = told("all", "alpha").filter((one) => one["CRM_alert_task"] === "monitor");
      expect(monitors.map((one) => [one["CRM_alert_rsc"], one["CRM_alert_interval"], one["CRM_alert_rc"]])).toEqual([
        ["dummy", "1000", "7"],
      ]);
      expect(monitors[0]).toMatchObject({ CRM_alert_desc: "not running" });

      // An attribute, once in the cluster, and only to whom it was selected for.
      for (const name of ["wanted", "other"]) pair.gemel("bravo", "attrd_updater", "-n", name, "-U", "7");
      const changes = () => NODES.flatMap((node) => told("attributes", node));
      await pair.until("the attribute is told", () => changes().length > 0);
      pair.gemel("bravo", "attrd_updater", "-n", "wanted", "-D");
      await pair.until("its end is told", () => changes().length > 1);
      expect(changes()).toMatchObject([
        {
          CRM_alert_kind: "attribute",
          CRM_alert_node: "bravo",
          CRM_alert_attribute_name: "wanted",
          CRM_alert_attribute_value: "7",
        },
        { CRM_alert_attribute_name: "wanted", CRM_alert_attribute_value: "" },
      ]);
      expect(NODES.flatMap((node) => told("all", node)).some((one) => one["CRM_alert_kind"] === "attribute")).toBe(
        false,
      );

      // A node is lost, and fenced by the word of a person.
      pair.cut("alpha");
      await pair.until(
        "the loss is told",
        () => find("all", "bravo", { kind: "node", node: "alpha", desc: "lost" }) !== undefined,
      );
      await pair.until(
        "the person is asked",
        async () => (await pair.status("bravo"))?.fencing.history.at(-1)?.outcome === "running",
      );
      expect(told("fencings", "bravo")).toEqual([]);
      expect(pair.gemel("bravo", "fence", "confirm", "alpha", "--yes", "alpha").code).toBe(0);
      await pair.until(
        "the fencing is told",
        () => find("fencings", "bravo", { kind: "fencing", node: "alpha" }) !== undefined,
      );
      expect(told("fencings", "bravo")).toMatchObject([
        {
          CRM_alert_rc: "0",
          // Whatever the cluster wanted: what a person has done is to switch it off.
          CRM_alert_task: "off",
          CRM_alert_desc: expect.stringMatching(/^Operation off of alpha by bravo for .*: OK/),
        },
      ]);
      await pair.until(
        "bravo tells of its start",
        () => find("all", "bravo", { task: "start", rsc: "dummy" }) !== undefined,
      );
      const numbers = told("all", "bravo").map((one) => Number(one["CRM_alert_node_sequence"]));
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(existsSync(place("told-off"))).toBe(false);
    } finally {
      await pair.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
