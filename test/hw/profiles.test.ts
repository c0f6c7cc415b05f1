/** Hardware profiles: every file is valid, has its facts, and configures its driver; the right one is found. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { DRIVERS } from "../../src/fencing/drivers/index.ts";
import { fitsPattern, matchProfiles } from "../../src/hw/core/profile/match.ts";
import { FENCING_DRIVERS, readProfile } from "../../src/hw/core/profile/schema.ts";
import { readMachine, readProfiles } from "../../src/hw/edge/profile-files.ts";
import { profileJsonSchema } from "../../tools/hw-schema.ts";

const directory = path.resolve(import.meta.dirname, "../../hw-profiles");
const { profiles, problems } = readProfiles([directory]);

/** What every device of a driver needs besides the profile. */
const LOGIN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "ipmi-lan": { host: "h", user: "u", secret: "s" },
  redfish: { host: "h", user: "u", secret: "s", certificate: "ab".repeat(32) },
  "ilo-ribcl": { host: "h", user: "u", secret: "s", certificate: "ab".repeat(32) },
  "rsa-telnet": { host: "h", user: "u", secret: "s" },
  "drac-mc-telnet": { host: "h", user: "u", secret: "s", module: "Server-1" },
  "drac4-telnet": { host: "h", user: "u", secret: "s" },
  "amm-telnet": { host: "h", user: "u", secret: "s", module: "3" },
};

describe("the profiles of the package", () => {
  test("are all valid", () => {
    expect(problems).toEqual([]);
    expect(profiles.length).toBeGreaterThan(20);
  });

  test.each(profiles.map(({ id, profile }) => [id, profile] as const))("%s configures its driver", (_, { fencing }) => {
    expect(fencing).toBeDefined();
    const driver = DRIVERS[fencing?.driver ?? ""];
    expect(driver?.read({ ...LOGIN[fencing?.driver ?? ""], ...fencing?.parameters })).toMatchObject({ kind: "bound" });
  });

  test("name each watchdog that issue 4 asks for, with its source, and the image has its module", () => {
    const image = readFileSync(path.resolve(directory, "../images/base/modules.list"), "utf8");
    for (const module of ["softdog", "iTCO_wdt", "i6300esb", "hpwdt", "ipmi_watchdog"]) {
      const named = profiles.filter(({ profile }) => profile.watchdog?.module === module);
      expect(named.map(({ id }) => id)).not.toEqual([]);
      for (const { profile } of named) expect(profile.facts.watchdog?.source.length).toBeGreaterThan(20);
      expect(image).toMatch(new RegExp(`\\b${module}\\b`));
    }
  });

  test("the schema for editors is up to date (node tools/hw-schema.ts)", () => {
    expect(readFileSync(path.join(directory, "schema.json"), "utf8")).toBe(profileJsonSchema());
  });

  test("the drivers that profiles may name are the drivers that there are", () => {
    // What stands outside of the machine is chosen by an operator, not by its board.
    const chosen = ["fence-agent", "sbd", "external-plugin", "snmp-pdu", "nut", "dead-check", "sfex", "watchdog"];
    const boards = Object.keys(DRIVERS).filter((name) => !chosen.includes(name));
    expect([...FENCING_DRIVERS].toSorted()).toEqual(boards.toSorted());
  });

  test.each([
    ["HP", "ProLiant DL380 G7", "hp/ilo3"],
    ["HPE", "ProLiant DL380 Gen10 Plus", "hp/ilo5"],
    ["Dell Inc.", "PowerEdge R610", "dell/idrac6"],
    ["Dell Inc.", "PowerEdge 2950", "dell/drac5"],
    ["IBM", "System x3650 M3 -[7945AC1]-", "ibm/imm"],
    ["Supermicro", "SYS-6016T", "supermicro/ipmi"],
    ["QEMU", "Standard PC (i440FX + PIIX, 1996)", "qemu/lab"],
    ["Nobody", "Nothing", undefined],
  ])("a %s %s is %s", (dmiVendor, dmiProduct, id) => {
    expect(matchProfiles(profiles, { dmiVendor, dmiProduct, ipmiManufacturerId: undefined })[0]?.id).toBe(id);
  });
});

test.each([
  ["ProLiant * G7", "proliant DL380 g7", true],
  ["ProLiant * G7", "ProLiant G7", false],
  ["a*a", "a", false],
  ["*x*y*", "1x2y3", true],
  ["*x*y*", "1y2x3", false],
  ["exact", "exactly", false],
])("the pattern %s on %s: %s", (pattern, value, fits) => {
  expect(fitsPattern(pattern, value)).toBe(fits);
});

test("a bad profile tells everything that is wrong with it", () => {
  const bad = { name: "x", match: {}, fencing: { driver: "teapot" }, colour: "red", facts: {} };
  const read = readProfile(JSON.stringify(bad), "bad.json");
  expect(read.kind === "invalid" ? read.problems.map(({ place }) => place) : []).toEqual([
    "bad.json: name",
    "bad.json: fencing.driver",
    "bad.json: facts.match",
    "bad.json: colour",
  ]);
  const fact = { standing: "unverified", source: "nobody has looked" };
  const lacking = {
    name: "a board",
    match: {},
    fencing: { driver: "redfish" },
    facts: { match: fact, watchdog: fact },
  };
  const second = readProfile(JSON.stringify(lacking), "bad.json");
  expect(second.kind === "invalid" ? second.problems.map(({ reason }) => reason) : []).toEqual([
    "it has no fact",
    "it speaks of a part that is not there",
    "it would match every machine",
  ]);
  expect(readProfile("{", "bad.json").kind).toBe("invalid");
});

test("a site replaces a profile and adds one, and the machine is read from /sys", () => {
  const root = mkdtempSync(path.join(os.tmpdir(), "gemel-profiles-"));
  try {
    const fact = { standing: "observed", source: "unit 7, firmware 1.2, 2026-11-21" };
    const own = { name: "our own box", match: { dmiVendor: "QEMU" }, facts: { match: fact } };
    for (const id of ["qemu/lab", "site/box"]) {
      mkdirSync(path.join(root, path.dirname(id)), { recursive: true });
      writeFileSync(path.join(root, `${id}.json`), JSON.stringify(own));
    }
    const both = readProfiles([directory, root]).profiles;
    expect(both.filter(({ profile }) => profile.name === "our own box").map(({ id }) => id)).toEqual([
      "qemu/lab",
      "site/box",
    ]);
    mkdirSync(path.join(root, "sys/class/dmi/id"), { recursive: true });
    writeFileSync(path.join(root, "sys/class/dmi/id/sys_vendor"), "QEMU\n");
    mkdirSync(path.join(root, "sys/class/watchdog/watchdog0"), { recursive: true });
    writeFileSync(path.join(root, "sys/class/watchdog/watchdog0/identity"), "i6300ESB timer\n");
    expect(readMachine(root)).toMatchObject({ dmiVendor: "QEMU", watchdogs: ["watchdog0 (i6300ESB timer)"] });
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("the board, serial ports, sensors and supplies are told as the kernel shows them", () => {
  const root = mkdtempSync(path.join(os.tmpdir(), "gemel-machine-"));
  const files = {
    "sys/devices/platform/ipmi_bmc.0/manufacturer_id": "0x0002a2",
    "sys/devices/platform/ipmi_bmc.0/product_id": "0x0100",
    "sys/devices/platform/ipmi_bmc.0/firmware_revision": "1.99",
    "proc/tty/driver/serial":
      "serinfo:1.0 driver revision:\n0: uart:16550A port:000003F8 irq:4 tx:0 rx:0\n1: uart:unknown port:000002F8 irq:3",
    "sys/class/hwmon/hwmon0/name": "coretemp",
    "sys/class/power_supply/PS1/type": "Mains",
    "dev/ipmi0": "",
  };
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
      writeFileSync(path.join(root, name), `${text}\n`);
    }
    expect(readMachine(root)).toMatchObject({
      ipmiManufacturerId: 674,
      hasBoard: true,
      board: { product: "0x0100", firmware: "1.99" },
      serialPorts: ["ttyS0 (16550A)"],
      sensors: ["hwmon0 (coretemp)"],
      powerSupplies: ["PS1 (Mains)"],
    });
  } finally {
    rmSync(root, { recursive: true });
  }
});
