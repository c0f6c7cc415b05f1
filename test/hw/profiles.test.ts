/** Hardware profiles: every file is valid, has its facts, and configures its driver; the right one is found. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { DRIVERS } from "../../src/fencing/drivers/index.ts";
import { fitsPattern } from "../../src/hw/core/profile/match.ts";
import { FENCING_DRIVERS, readProfile } from "../../src/hw/core/profile/schema.ts";
import { profilesBelow, readMachine, readProfiles } from "../../src/hw/edge/profile-files.ts";
import { profileJsonSchema } from "../../tools/hw-schema.ts";
import { BOARDS } from "../support/board-strings.ts";
import { runHere } from "../support/run-here.ts";

const directory = path.resolve(import.meta.dirname, "../../hw-profiles");
const { profiles, problems } = readProfiles(profilesBelow(directory));

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-hw-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A machine's /sys, /proc and /dev, as far as they are read; from the strings expected, not read from units. */
function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(path.join(folder, "machine-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(root, name), `${text}\n`);
  }
  return root;
}

const hw = (...argv: readonly string[]) => runHere(["hw", ...argv, "--profiles", directory]);

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
    const chosen = [
      "fence-agent",
      "sbd",
      "external-plugin",
      "snmp-pdu",
      "nut",
      "dead-check",
      "sfex",
      "watchdog",
      "libvirt",
    ];
    const boards = Object.keys(DRIVERS).filter((name) => !chosen.includes(name));
    expect([...FENCING_DRIVERS].toSorted()).toEqual(boards.toSorted());
  });

  test.each([
    ...BOARDS.map(({ vendor, product, profile }) => [vendor, product, profile] as const),
    ["Nobody", "Nothing", undefined] as const,
  ])("a %s %s is %s, by `gemel hw detect` over its recorded /sys", async (dmiVendor, dmiProduct, id) => {
    const root = tree({ "sys/class/dmi/id/sys_vendor": dmiVendor, "sys/class/dmi/id/product_name": dmiProduct });
    const { code, output } = await hw("detect", "--root", root);
    expect(output).toContain(`machine    ${dmiVendor} ${dmiProduct}`);
    if (id === undefined) expect([code, output]).toEqual([1, expect.stringContaining("none fits")]);
    else expect([code, output]).toEqual([0, expect.stringContaining(`\n${id}: `)]);
  });

  test("a watchdog whose module is not loaded is named with the remedy", async () => {
    const strings = { "sys/class/dmi/id/sys_vendor": "HPE", "sys/class/dmi/id/product_name": "ProLiant DL380 Gen11" };
    const without = await hw("detect", "--root", tree(strings));
    expect(without.output).toContain("modprobe hpwdt");
    const loaded = await hw("detect", "--root", tree({ ...strings, "sys/module/hpwdt/refcnt": "1" }));
    expect(loaded.output).not.toContain("modprobe");
  });

  test("a machine whose firmware shows no names is told so, and what to do", async () => {
    const { code, output } = await hw("detect", "--root", tree({}));
    expect([code, output]).toEqual([1, expect.stringContaining("name the profile yourself")]);
    expect(output).not.toContain("?");
  });

  test("every profile that can be known by its strings is among those tried above, and in emulated machines", () => {
    const known = profiles.filter(({ profile }) => profile.match?.isByNameOnly !== true).map(({ id }) => id);
    expect(BOARDS.map(({ profile }) => profile).toSorted()).toEqual(known.toSorted());
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
  const orders = read.kind === "invalid" ? read.problems.map(({ reason, remedy }) => `${reason}; ${remedy}`) : [];
  expect(orders[0]).toBe('its value is "x"; write vendor, board and generation in 3 to 80 letters');
  expect(orders[1]).toMatch(/^its value is "teapot"; write one of ipmi-lan, redfish, /);
  expect(orders[2]).toBe("it is missing; add it; gemel hw explain hp/ilo3 --json shows a whole profile");
  expect(orders[3]).toBe("a profile has no such key; remove it, or correct its spelling");
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
    const both = readProfiles([directory, root].flatMap(profilesBelow)).profiles;
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
  const root = tree(files);
  expect(readMachine(root)).toMatchObject({
    ipmiManufacturerId: 674,
    hasBoard: true,
    board: { product: "0x0100", firmware: "1.99" },
    serialPorts: ["ttyS0 (16550A)"],
    sensors: ["hwmon0 (coretemp)"],
    powerSupplies: ["PS1 (Mains)"],
  });
});

test("a board that only the site knows is found by a file below /etc, with the program as it is", async () => {
  const profile = {
    name: "Acme Rackbox with its own board",
    match: { dmiVendor: "Acme", dmiProduct: "Rackbox *" },
    fencing: { driver: "ipmi-lan", parameters: { cipher_suite: "17", settle_time: "3s" } },
    watchdog: { module: "iTCO_wdt", timeoutMinMs: 2_000, timeoutMaxMs: 600_000 },
    facts: Object.fromEntries(
      ["match", "fencing", "watchdog"].map((part) => [part, { standing: "observed", source: "unit 7, firmware 1.2" }]),
    ),
  };
  const root = tree({
    "sys/class/dmi/id/sys_vendor": "Acme",
    "sys/class/dmi/id/product_name": "Rackbox 2",
    "etc/gemel/hw-profiles/acme/rackbox.json": JSON.stringify(profile),
  });
  const { code, output } = await hw("detect", "--root", root);
  expect([code, output]).toEqual([0, expect.stringContaining("acme/rackbox: Acme Rackbox with its own board")]);
  expect(output).toContain("fencing  stonith:ipmi-lan cipher_suite=17 settle_time=3s");
  expect(output).toContain("watchdog module iTCO_wdt, at least 2 s, at most 600 s");
  expect((await hw("explain", "acme/rackbox", "--root", root)).output).toContain(
    "read from a unit: unit 7, firmware 1.2",
  );
  const shown = JSON.parse((await hw("explain", "acme/rackbox", "--json", "--root", root)).output);
  expect(shown).toEqual(profile);
  const misspelt = { ...profile, fencing: { driver: "ipmi-lan", parameters: { settle_tme: "3s" } } };
  writeFileSync(path.join(root, "etc/gemel/hw-profiles/acme/rackbox.json"), JSON.stringify(misspelt));
  expect(await hw("detect", "--root", root)).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/acme\/rackbox: fencing.parameters.settle_tme: error: the driver has no such/),
  });
});
