/** The disk format of poison pills, against a disk that Debian's sbd has written. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import {
  mailboxSector,
  printMailbox,
  printPoisonHeader,
  printSlot,
  readMailbox,
  readPoisonHeader,
  readSlot,
  slotSector,
} from "../../../src/hw/core/poison/format.ts";

const dump = readFileSync(path.join(import.meta.dirname, "sbd/after-message-reset.bin"));
const sector = (number: number) => Uint8Array.from(dump.subarray(number * 512, (number + 1) * 512));

test("reads what sbd has written, and writes the same bytes", () => {
  const header = readPoisonHeader(sector(0), 512);
  expect(header).toEqual({
    kind: "record",
    value: {
      uuid: "0ffba9370e59490291f3ac413ab27674",
      slotCount: 255,
      sectorBytes: 512,
      watchdogMs: 5_000,
      allocateMs: 2_000,
      loopMs: 1_000,
      msgwaitMs: 10_000,
    },
  });
  if (header.kind === "record") expect(printPoisonHeader(header.value)).toEqual(sector(0));
  expect(readSlot(sector(slotSector(0)))).toEqual({ kind: "record", value: "alpha" });
  expect(readSlot(sector(slotSector(1)))).toEqual({ kind: "record", value: "beta" });
  expect(printSlot("beta", 512)).toEqual(sector(slotSector(1)));
  const mailbox = { command: "reset", from: "vm" } as const;
  expect(readMailbox(sector(mailboxSector(1)))).toEqual({ kind: "record", value: mailbox });
  expect(printMailbox(mailbox, 512)).toEqual(sector(mailboxSector(1)));
});

const bent = (at: number, byte: number) => sector(0).with(at, byte);

test.each([
  ["no magic", bent(0, 0x58), /no header of sbd/],
  ["another version", bent(8, 3), /version 3/],
  ["no slots", bent(9, 0), /no slots/],
  ["sectors of another size", bent(14, 4), /sectors of 1024 bytes/],
  ["a msgwait below twice the watchdog", bent(31, 9), /msgwait 9 s/],
  ["no watchdog time", bent(19, 0), /watchdog 0 s/],
])("a header with %s is damaged", (_, bytes, reason) => {
  expect(readPoisonHeader(bytes, 512)).toMatchObject({ kind: "damaged", reason: expect.stringMatching(reason) });
});

test("a slot or mailbox that is neither is damaged, never free and never silent", () => {
  expect(readSlot(Uint8Array.of(7, 65, 0)).kind).toBe("damaged");
  expect(readSlot(new Uint8Array(512).fill(255)).kind).toBe("damaged");
  expect(readMailbox(new Uint8Array(512).fill(6, 0, 1)).kind).toBe("damaged");
  expect(readMailbox(new Uint8Array(512))).toEqual({ kind: "record", value: { command: "clear", from: "" } });
});
