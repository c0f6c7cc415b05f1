/**
 * Each profile of an IPMI board against `ipmi_sim` configured as that board: its identity is told, its parameters work,
 * off is read back.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRunner, type DeviceRunner } from "../../src/fencing/edge/runner.ts";
import { readProfiles } from "../../src/hw/edge/profile-files.ts";
import { startIpmiSim } from "../support/ipmi-sim.ts";

/** IANA enterprise numbers, as `ipmitool mc info` shows them of boards of these makers (reference hardware.md). */
const MAKERS: Readonly<Record<string, number>> = { dell: 674, hp: 11, ibm: 2, supermicro: 10_876 };

const { profiles } = readProfiles([path.resolve(import.meta.dirname, "../../hw-profiles")]);
const boards = profiles.flatMap(({ id, profile }) =>
  profile.fencing?.driver === "ipmi-lan"
    ? [[id, profile.match?.ipmiManufacturerId ?? MAKERS[id.split("/")[0] ?? ""], profile.fencing.parameters] as const]
    : [],
);

const directory = mkdtempSync(path.join(os.tmpdir(), "gemel-profiles-"));
let runner: DeviceRunner;
beforeAll(() => {
  const secretsFile = path.join(directory, "secrets");
  writeFileSync(secretsFile, "board=adminpw\n", { mode: 0o600 });
  runner = createRunner({ secretsFile });
});
afterAll(() => {
  runner.close();
  rmSync(directory, { recursive: true });
});

test("there are boards to try", () => {
  expect(boards.length).toBeGreaterThan(8);
});

test.each(boards)("%s: identity, off and on with its own parameters", async (id, manufacturerId, own = {}) => {
  const maker = manufacturerId === undefined ? {} : { manufacturerId };
  const board = await startIpmiSim({ machine: "file", ...maker });
  try {
    const login = { host: "127.0.0.1", port: String(board.port), user: "admin", secret: "board" };
    // Only the waiting is cut short: a simulated power supply holds no charge.
    const parameters = { ...login, ...own, settle_time: "100ms" };
    const device = { id, driver: "ipmi-lan", parameters };
    const status = await runner.run(device, "status", 10_000);
    expect(status.outcome).toEqual({ kind: "confirmed", power: "on" });
    if (manufacturerId !== undefined) expect(status.evidence[0]?.answered).toContain(`manufacturer ${manufacturerId},`);
    expect((await runner.run(device, "off", 30_000)).outcome).toEqual({ kind: "confirmed", power: "off" });
    expect(board.power()).toBe("off");
    expect((await runner.run(device, "on", 30_000)).outcome).toEqual({ kind: "confirmed", power: "on" });
  } finally {
    await board.stop();
  }
});
