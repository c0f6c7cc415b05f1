/** Two real nodes that share nothing but a disk once their cables are cut: one of them dies, and is proven dead. */
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import { createPoisonDisk } from "../../src/hw/edge/poison-disk.ts";
import { ADDRESS, NODES, type NodePair, openNodePair } from "../app/node-pair.ts";
import { attachLoopDisk, type LoopDisk } from "../support/loop-disk.ts";
import { skips } from "../support/skip.ts";

let pair: NodePair | undefined;
let disk: LoopDisk | undefined;
afterEach(async () => {
  await pair?.close();
  disk?.detach();
  [pair, disk] = [undefined, undefined];
});

test.skipIf(skips(process.getuid?.() !== 0, "it needs root for its network namespaces"))(
  "a pair cut in two: the disk leaves exactly one, which takes over",
  {
    timeout: 150_000,
  },
  async () => {
    disk = attachLoopDisk();
    await createPoisonDisk(disk.path, 2_000);
    const configuration = `primitive ip ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service
primitive pill stonith:sbd params devices=${disk.path} pcmk_host_list="alpha bravo" \\
    pcmk_delay_base="alpha:6s;bravo:0s" confirm_time=10s
property no-quorum-policy=ignore stonith-enabled=true
`;
    const times = ["keepalive 200ms", "deadtime 2s", "initdead 5s", `fencing-disk ${disk.path}`];
    const opened = openNodePair({ times, configuration });
    pair = opened;
    for (const node of NODES) opened.start(node);
    await opened.until("the address is up, and the pair is idle", async () => {
      const status = await opened.status("bravo");
      const isUp = NODES.filter((node) => opened.hasAddress(node)).length === 1;
      return isUp && status?.nodes.every(({ state }) => state === "online") === true && !status.transition.isRunning;
    });
    opened.isolate("bravo");
    await Promise.race([opened.ended("bravo"), opened.until("bravo has ended", () => false, 40_000)]);
    expect(await opened.ended("bravo")).toBe(70);
    expect(opened.log("bravo")).toContain(`has written reset on ${disk.path}`);
    const history = () => opened.gemel("alpha", "fence", "history").output;
    await opened.until("bravo is proven dead", () => history().includes("reboot of bravo: confirmed by pill"));
    expect(history()).toContain("read power: off");
    await opened.until("alpha has the address", () => opened.hasAddress("alpha"));
    expect(opened.log("alpha")).not.toContain("self-fencing");
  },
);
