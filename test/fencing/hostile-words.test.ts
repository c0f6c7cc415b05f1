/**
 * Boards that send garbage, and words that would do harm where they are printed: no parser of a dialect fails for them,
 * none takes them for a power that is off, and nothing of them reaches a log as it came.
 */
import { expect, test } from "vitest";
import type { PowerDevice } from "../../src/fencing/core/driver.ts";
import { agentDevice } from "../../src/fencing/drivers/fence-agent.ts";
import { iloDevice } from "../../src/fencing/drivers/ilo-ribcl.ts";
import { DRIVERS } from "../../src/fencing/drivers/index.ts";
import { upsDevice } from "../../src/fencing/drivers/nut.ts";
import { inPlainWords, plainWords } from "../../src/fencing/drivers/plain-words.ts";
import { redfishDevice } from "../../src/fencing/drivers/redfish.ts";
import { type ShellDialect, shellDevice } from "../../src/fencing/drivers/shell-dialect.ts";
import { ILO, racadm } from "../../src/fencing/drivers/ssh-boards.ts";
import { amm, DRAC4, dracMc, RSA } from "../../src/fencing/drivers/telnet-boards.ts";
import { decodeDomain, lengthOf } from "../../src/hw/core/libvirt/packet.ts";
import { readMailbox, readPoisonHeader, readSlot } from "../../src/hw/core/poison/format.ts";
import { readSfexControl, readSfexLock } from "../../src/hw/core/sfex/record.ts";
import { stripTelnet } from "../../src/hw/core/text/line.ts";
import { seeded } from "../support/udp-relay.ts";

const ROUNDS = 300;

/** Pieces that the dialects know, and pieces that hurt; none of them is a whole answer that says off. */
const PIECES = [
  ..."< > & \" ' { } [ ]".split(" "),
  "<RESPONSE STATUS=\"0x0000\" MESSAGE='x'/>",
  'STATUS="zz"',
  "</RIBCL>",
  '<?xml version="1.0"?>',
  "HOST_POWER=",
  "\u001b[2J",
  "\0",
  "\u202e",
  '"PowerState":',
  "null",
  "1e999",
  "Present ",
  "EnabledState=",
  "system> ",
  "$ ",
  "\r\n",
  "ok",
  "a".repeat(2_000),
];

const DIALECTS: readonly ShellDialect[] = [RSA, dracMc("Server-1"), amm("3"), DRAC4, ILO, racadm(undefined)];

/** Devices of all dialects whose board says nothing but garbage. */
function garbageDevices(random: () => number): readonly PowerDevice[] {
  const pick = <Value>(values: readonly Value[], otherwise: Value) =>
    values[Math.floor(random() * values.length)] ?? otherwise;
  const junk = () => Array.from({ length: Math.floor(random() * 12) }, () => pick(PIECES, "")).join("");
  const status = () => pick([200, 204, 400, 409, 503, 99], 200);
  const web = { request: async () => ({ kind: "response", status: status(), body: junk() }) as const };
  const line = {
    expect: async () => ({ kind: pick(["seen", "seen", "silent", "closed"] as const, "seen"), text: junk() }),
    sendLine() {},
    sendPassword() {},
  };
  const server = {
    variable: async () => ({ kind: "value", text: junk() }) as const,
    command: async () => ({ kind: "value", text: junk() }) as const,
  };
  const call = async () => ({ kind: "exited", code: Math.floor(random() * 4), output: junk() }) as const;
  return [
    redfishDevice(web, undefined),
    iloDevice({ exchange: async () => ({ kind: "text", text: junk() }) as const }, "admin"),
    upsDevice(server, ["1"]),
    agentDevice({ call }, {}),
    ...DIALECTS.map((dialect) => shellDevice(line, dialect, "admin")),
  ];
}

test(`garbage from a board is no answer in any dialect (${ROUNDS} rounds, seed 1)`, async () => {
  const random = seeded(1);
  for (let round = 0; round < ROUNDS; round++) {
    for (const device of garbageDevices(random).map(inPlainWords)) {
      await device.readIdentity();
      const answer = await device.switchPower("off");
      const reading = await device.readPower();
      expect(reading).not.toMatchObject({ kind: "power", power: "off" });
      expect(JSON.stringify([answer, reading])).not.toMatch(/\\u00|\u202e/);
    }
  }
});

test("what nests without end is no answer, and ends nobody", async () => {
  const deep = `<?xml version="1.0"?>${"<a>".repeat(100_000)}`;
  const ilo = iloDevice({ exchange: async () => ({ kind: "text", text: deep }) as const }, "admin");
  const web = { request: async () => ({ kind: "response", status: 200, body: "[".repeat(100_000) }) as const };
  expect(await ilo.readPower()).toMatchObject({ kind: "unreadable" });
  expect(await redfishDevice(web, undefined).readPower()).toMatchObject({ kind: "unreadable" });
});

test("a status that is no number leaves open whether the button was held", async () => {
  const text = `<?xml version="1.0"?><RIBCL VERSION="2.22"><RESPONSE STATUS="zz" MESSAGE="x"/></RIBCL>`;
  const power = `<?xml version="1.0"?><RIBCL VERSION="2.22"><GET_HOST_POWER HOST_POWER="ON"/></RIBCL>`;
  const firmware = `<?xml version="1.0"?><RIBCL VERSION="2.22"><GET_FW_VERSION FIRMWARE_VERSION="1.9"/></RIBCL>`;
  const answers = [power, firmware, text];
  const device = iloDevice({ exchange: async () => ({ kind: "text", text: answers.shift() ?? "" }) as const }, "admin");
  expect(await device.switchPower("off")).toMatchObject({ kind: "maybe" });
});

test("bytes of disks and wires: none fails for what it reads", () => {
  const random = seeded(2);
  const readers = [readSlot, readMailbox, readSfexLock, stripTelnet, decodeDomain, lengthOf] as const;
  for (let round = 0; round < 10 * ROUNDS; round++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 600) }, () => Math.floor(random() * 256));
    for (const read of readers) expect(() => read(bytes)).not.toThrow();
    expect(readPoisonHeader(bytes, 512).kind).not.toBe("value");
    expect(readSfexControl(bytes, 512).kind).not.toBe("value");
  }
});

test("words are one line, without what moves a cursor, and no longer than a reason", () => {
  expect(plainWords("off\u001b[2J\r\nERROR: all is well\u202e")).toBe("off [2J ERROR: all is well ");
  expect(plainWords("x".repeat(10_000)).length).toBeLessThan(410);
  expect(plainWords("電源は切れています: ß")).toBe("電源は切れています: ß");
});

test.each(Object.keys(DRIVERS))("%s: a parameter that is called as what objects inherit is none it has", (name) => {
  for (const strange of ["constructor", "__proto__", "prototype", "toString"]) {
    const read = DRIVERS[name]?.read(Object.fromEntries([[strange, "x"]]));
    expect(read).toMatchObject({
      kind: "wrong",
      complaints: [{ parameter: strange, reason: "the driver has no such parameter" }],
    });
  }
});
