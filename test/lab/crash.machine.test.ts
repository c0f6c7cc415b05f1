/** A lab that is killed leaves no process behind, and what it leaves else the next start of its name clears. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { afterAll, expect, test } from "vitest";
import { clearLeftOvers, isRunning } from "../../lab/lab.ts";
import { placeOf, ROOT } from "../../lab/place.ts";
import { command, processesOf, processState } from "../../lab/processes.ts";

const place = placeOf(`crash-${process.pid}`);
/** Powers on both machines with empty disks: their firmware finds nothing to boot and waits. */
const PROGRAM = `
const { openPair } = await import(${JSON.stringify(path.join(ROOT, "lab/pair.ts"))});
const { placeOf } = await import(${JSON.stringify(path.join(ROOT, "lab/place.ts"))});
const { truncateSync, writeFileSync } = await import("node:fs");
const pair = await openPair({
  place: placeOf(${JSON.stringify(place.name)}),
  memoryMb: 64,
  onEvent: () => {},
  makeDisks: async (node, directory) => {
    for (const name of ["system.img", "mirror.img"]) {
      writeFileSync(directory + "/" + name, "");
      truncateSync(directory + "/" + name, 1 << 20);
    }
  },
});
for (const machine of Object.values(pair.machines)) await machine.powerOn();
console.log("running");
`;

const living = () => processesOf(place.directory).filter((pid) => processState(pid) !== undefined);

let child: ChildProcess | undefined;
afterAll(async () => {
  child?.kill("SIGKILL");
  await clearLeftOvers(place);
});

test("kill -9 of the lab takes its machines, BMCs, disk caches and network with it", async () => {
  const started = spawn(process.execPath, ["--input-type=module", "-e", PROGRAM], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = started;
  await new Promise<void>((resolve, reject) => {
    started.stdout.on("data", () => resolve());
    started.on("exit", (code) => reject(new Error(`ended with ${code}`)));
  });
  started.removeAllListeners("exit");
  const count = (name: string) =>
    living().filter((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === name).length;
  // The two machines and the bridge of the client's network; two disk caches a machine; two BMCs.
  const all = () => [count("qemu-system-x86"), count("nbdkit"), count("ipmi_sim")];
  await expect.poll(all).toEqual([3, 4, 2]);
  started.kill("SIGKILL");
  await expect.poll(living).toEqual([]);

  expect(await isRunning(place)).toBe(false);
  expect(await command("ip", "netns", "list")).toContain(place.clientNamespace);
  await clearLeftOvers(place);
  expect(await command("ip", "netns", "list")).not.toContain(place.clientNamespace);
  expect(existsSync(place.directory)).toBe(false);
});
