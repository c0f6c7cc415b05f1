/**
 * Each profile against a board of its kind: `ipmi_sim` configured as that board, or the emulator of its dialect, which
 * a packaged agent has judged in the dialect's own test. Identity is told, its parameters work, off is read back.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRunner, type DeviceRunner } from "../../src/fencing/edge/runner.ts";
import { packagedProfiles, readProfiles } from "../../src/hw/edge/profile-files.ts";
import { FINGERPRINT } from "../support/board-certificate.ts";
import { startIpmiSim } from "../support/ipmi-sim.ts";
import { BOARDS, obedientMachine, type RedfishBoard, startRedfish } from "../support/redfish-emulator.ts";
import { startRibcl } from "../support/ribcl-emulator.ts";
import { type ShellDialectName, startShellBoard } from "../support/shell-board.ts";

/** IANA enterprise numbers, as `ipmitool mc info` shows them of boards of these makers (reference hardware.md). */
const MAKERS: Readonly<Record<string, number>> = { dell: 674, hp: 11, ibm: 2, supermicro: 10_876 };

const { profiles } = readProfiles(packagedProfiles());
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

interface Emulated {
  readonly port: number;
  readonly power: () => string;
  readonly more?: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const redfishOf: Readonly<Record<string, RedfishBoard>> = {
  "dell/idrac9": BOARDS.idrac,
  "hp/ilo5": BOARDS.ilo5,
  "hp/ilo6": BOARDS.ilo5,
  "lenovo/xcc": BOARDS.xcc,
  "fujitsu/irmc": BOARDS.irmc,
  "generic/redfish": BOARDS.supermicro,
  "generic/openbmc": BOARDS.openbmc,
};

async function emulateRedfish(id: string): Promise<Emulated> {
  const machine = obedientMachine();
  const board = redfishOf[id];
  if (board === undefined) throw new Error(`no board is named for ${id}`);
  const server = await startRedfish({ machine, board });
  return {
    port: server.port,
    power: () => machine.state().toLowerCase(),
    more: { certificate: FINGERPRINT },
    close: () => server.close(),
  };
}

async function emulateRibcl(id: string): Promise<Emulated> {
  let power: "on" | "off" = "on";
  const machine = {
    power: () => power,
    button(kind: "hold" | "press") {
      power = kind === "hold" ? "off" : "on";
      return "done" as const;
    },
  };
  const firmware = id === "hp/ilo1" ? "1.94" : "2.33";
  const server = await startRibcl({ machine, processor: id === "hp/ilo1" ? "iLO" : "iLO2", firmware });
  return { port: server.port, power: () => power, more: { certificate: FINGERPRINT }, close: () => server.close() };
}

async function emulateShell(dialect: ShellDialectName, more = {}): Promise<Emulated> {
  const board = await startShellBoard({ dialect });
  return { port: board.port, power: () => board.power, more, close: () => board.close() };
}

/** By driver: what stands for the board of a profile. */
const EMULATORS: Readonly<Record<string, (id: string) => Promise<Emulated>>> = {
  redfish: emulateRedfish,
  "ilo-ribcl": emulateRibcl,
  "rsa-telnet": () => emulateShell("rsa"),
  "drac4-telnet": () => emulateShell("drac4"),
  "drac-mc-telnet": () => emulateShell("drac-mc", { module: "Server-1" }),
  "amm-telnet": () => emulateShell("amm", { module: "3" }),
};

const others = profiles.flatMap(({ id, profile: { fencing } }) =>
  fencing === undefined || fencing.driver === "ipmi-lan" ? [] : [[id, fencing.driver, fencing.parameters] as const],
);

test("there are boards to try, and no profile is left out", () => {
  expect(boards.length).toBeGreaterThan(8);
  expect(boards.length + others.length).toBe(profiles.length);
});

test.concurrent.each(others)(
  "%s (%s): identity, off and on against the emulator of its dialect",
  async (id, driver, own = {}) => {
    const board = await EMULATORS[driver]?.(id);
    if (board === undefined) throw new Error(`nothing stands for a board of ${driver}`);
    try {
      const login = { host: "127.0.0.1", port: String(board.port), user: "admin", secret: "board" };
      const parameters = { ...login, ...board.more, ...own, settle_time: "100ms" };
      const device = { id, driver, parameters };
      expect((await runner.run(device, "status", 20_000)).outcome).toEqual({ kind: "confirmed", power: "on" });
      expect((await runner.run(device, "off", 30_000)).outcome).toEqual({ kind: "confirmed", power: "off" });
      expect(board.power()).toBe("off");
      expect((await runner.run(device, "on", 30_000)).outcome).toEqual({ kind: "confirmed", power: "on" });
    } finally {
      await board.close();
    }
  },
);

test.concurrent.each(boards)(
  "%s: identity, off and on with its own parameters",
  async (id, manufacturerId, own = {}) => {
    const maker = manufacturerId === undefined ? {} : { manufacturerId };
    const board = await startIpmiSim({ machine: "file", ...maker });
    try {
      const login = { host: "127.0.0.1", port: String(board.port), user: "admin", secret: "board" };
      // Only the waiting is cut short: a simulated power supply holds no charge.
      const parameters = { ...login, ...own, settle_time: "100ms" };
      const device = { id, driver: "ipmi-lan", parameters };
      const status = await runner.run(device, "status", 10_000);
      expect(status.outcome).toEqual({ kind: "confirmed", power: "on" });
      if (manufacturerId !== undefined)
        expect(status.evidence[0]?.answered).toContain(`manufacturer ${manufacturerId},`);
      expect((await runner.run(device, "off", 30_000)).outcome).toEqual({ kind: "confirmed", power: "off" });
      expect(board.power()).toBe("off");
      expect((await runner.run(device, "on", 30_000)).outcome).toEqual({ kind: "confirmed", power: "on" });
    } finally {
      await board.stop();
    }
  },
);
