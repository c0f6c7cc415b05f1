/** The pure parts of the disk step: places of the partitions, boot code, the loader's environment. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { bootCode, environmentBlock, offsetOf, PARTITIONS } from "../../images/steps/disk.ts";
import { BOOT_CODE_BYTES, partitionTable } from "../../images/steps/gpt.ts";

test("partitions follow one another on whole mebibytes, the data after all others", () => {
  let expected = 2 ** 20;
  for (const { name, sizeBytes } of PARTITIONS) {
    expect([name, offsetOf(name)]).toEqual([name, expected]);
    expect(sizeBytes % 2 ** 20).toBe(0);
    expected += sizeBytes;
  }
  expect(offsetOf("data")).toBe(expected);
});

test("both slots have the same size", () => {
  const slots = PARTITIONS.filter(({ name }) => name.startsWith("slot-"));
  expect(slots.map(({ name }) => name)).toEqual(["slot-a", "slot-b"]);
  expect(new Set(slots.map(({ sizeBytes }) => sizeBytes)).size).toBe(1);
});

test("the boot sector loads the core from its sector, and the core the rest of itself", () => {
  const { mbr, core } = bootCode(Buffer.alloc(512, 0xaa), Buffer.alloc(1300, 0xbb), 2048);
  expect(mbr.length).toBe(440);
  expect(mbr.readBigUInt64LE(0x5c)).toBe(2048n);
  expect([...mbr.subarray(0x66, 0x68)]).toEqual([0x90, 0x90]);
  expect(core.readBigUInt64LE(0x1f4)).toBe(2049n);
  // 1300 bytes are three sectors, one of which the boot sector has loaded.
  expect(core.readUInt16LE(0x1fc)).toBe(2);
});

test("the environment block has the size that the loader writes back in place", () => {
  const block = environmentBlock({ order: "A B", left_A: "-1", left_B: "0" });
  expect(block.length).toBe(1024);
  expect(block).toMatch(/^# GRUB Environment Block\norder=A B\nleft_A=-1\nleft_B=0\n#+$/);
});

const DISK_BYTES = 8 * 2 ** 20;
const GUID = "67656d65-6c00-4000-8000-000000000001";
const first = { name: "one", type: "linux-data", guid: GUID, offsetBytes: 2 ** 20, sizeBytes: 2 ** 20 } as const;

test("a partition table has both copies, each with the checksums of what it says", () => {
  const { head, tail } = partitionTable(DISK_BYTES, GUID, [first]);
  const header = head.subarray(512 - BOOT_CODE_BYTES, 512 - BOOT_CODE_BYTES + 92);
  const copy = tail.subarray(tail.length - 512, tail.length - 512 + 92);
  const entries = head.subarray(1024 - BOOT_CODE_BYTES);
  for (const each of [header, copy]) {
    expect(each.toString("latin1", 0, 8)).toBe("EFI PART");
    expect(each.readUInt32LE(88)).toBe(crc32(entries));
    const cleared = Buffer.from(each);
    cleared.writeUInt32LE(0, 16);
    expect(each.readUInt32LE(16)).toBe(crc32(cleared));
  }
  expect([header.readBigUInt64LE(24), header.readBigUInt64LE(32)]).toEqual([1n, BigInt(DISK_BYTES / 512 - 1)]);
  expect([copy.readBigUInt64LE(24), copy.readBigUInt64LE(32)]).toEqual([BigInt(DISK_BYTES / 512 - 1), 1n]);
  expect(tail.subarray(0, entries.length).equals(entries)).toBe(true);
  // Mixed byte order, as every reader of the format expects it.
  expect(entries.toString("hex", 0, 32)).toBe("af3dc60f838472478e793d69d8477de4656d6567006c00408000000000000001");
  expect([entries.readBigUInt64LE(32), entries.readBigUInt64LE(40)]).toEqual([2048n, 4095n]);
  expect(entries.toString("utf16le", 56, 62)).toBe("one");
});

test.each([
  ["overlaps the one before", [first, { ...first, name: "two", offsetBytes: 2 ** 20 + 512 }]],
  ["ends in the second table", [{ ...first, name: "two", sizeBytes: 7 * 2 ** 20 }]],
  ["starts in the first table", [{ ...first, name: "two", offsetBytes: 512 }]],
  ["starts within a sector", [{ ...first, name: "two", offsetBytes: 2 ** 20 + 1 }]],
])("a partition that %s is refused", (_, partitions) => {
  expect(() => partitionTable(DISK_BYTES, GUID, partitions)).toThrow("partition two does not fit");
});
