/** The pure parts of the disk step: places of the partitions, boot code, the loader's environment. */
import { expect, test } from "vitest";
import { bootCode, environmentBlock, offsetOf, PARTITIONS } from "../../images/steps/disk.ts";

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
