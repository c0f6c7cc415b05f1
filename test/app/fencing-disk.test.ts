/** Keepers with a fencing disk: Debian's sbd tells them to end, and a disk that is lost ends them, too. */
import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import { mailboxSector } from "../../src/hw/core/poison/format.ts";
import { createPoisonDisk } from "../../src/hw/edge/poison-disk.ts";
import { attachLoopDisk, type LoopDisk, objectToLoopDisks, runSbd } from "../support/loop-disk.ts";
import { type NamespacePair, NODES, openNamespacePair } from "../support/namespace-pair.ts";
import { skips } from "../support/skip.ts";

const objection = objectToLoopDisks();
if (objection !== undefined) process.stderr.write(`test/app/fencing-disk: skipped: ${objection}\n`);

describe.skipIf(skips(objection !== undefined, `${objection}`))("two keepers with one fencing disk", () => {
  let disk: LoopDisk | undefined;
  let pair: NamespacePair | undefined;
  afterEach(async () => {
    await pair?.close();
    disk?.detach();
    [pair, disk] = [undefined, undefined];
  });

  async function start(): Promise<{ readonly disk: LoopDisk; readonly pair: NamespacePair }> {
    const made = attachLoopDisk();
    disk = made;
    await createPoisonDisk(made.path, 3_000);
    const opened = openNamespacePair(["keepalive 200ms", "deadtime 20s", "initdead 60s", `fencing-disk ${made.path}`]);
    pair = opened;
    for (const node of NODES) opened.start(node);
    await opened.until("both are members", () => NODES.every((node) => opened.view(node)?.members.length === 2));
    return { disk: made, pair: opened };
  }

  test("they take slots, answer a test, and end when they are told to", async () => {
    const { disk: shared, pair: nodes } = await start();
    expect(runSbd([shared], "list")).toMatch(/^0\t(alpha|bravo)\tclear\t\n1\t(?!\1)\w+\tclear\t\n$/);
    runSbd([shared], "-n", "root", "message", "alpha", "test");
    await nodes.until("alpha has cleared it", () => !runSbd([shared], "list").includes("test"));
    expect(nodes.log("alpha")).toContain(`root has written test on ${shared.path}: the mailbox is read here`);
    runSbd([shared], "-n", "alpha", "message", "bravo", "reset");
    expect(await nodes.ended("bravo")).toBe(70);
    expect(nodes.log("bravo")).toContain(`self-fencing: alpha has written reset on ${shared.path}`);
    nodes.start("bravo");
    await nodes.until("bravo has cleared its old kill", () => /bravo\tclear\t\n/.test(runSbd([shared], "list")));
    expect(nodes.log("bravo")).toContain("the last message to this node was reset, from alpha");
  });

  test("a mailbox that cannot be read any more ends the node", async () => {
    const { disk: shared, pair: nodes } = await start();
    const slot = Number(/^(\d+)\talpha/m.exec(runSbd([shared], "list"))?.[1]);
    const garbage = Buffer.alloc(512, 0xff);
    const argv = [`of=${shared.path}`, "bs=512", `seek=${mailboxSector(slot)}`, "oflag=direct", "conv=notrunc"];
    execFileSync("dd", argv, { input: garbage, stdio: ["pipe", "ignore", "ignore"] });
    expect(await nodes.ended("alpha")).toBe(70);
    expect(nodes.log("alpha")).toContain("no majority of the fencing disks was read for 3000 ms");
  });
});
