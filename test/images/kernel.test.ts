/** The pure parts of the kernel step: modules with what they need, and a kernel that needs no unpacking. */
import { describe, expect, test } from "vitest";
import { parseDependencies, payloadOf, pickModules } from "../../images/steps/kernel.ts";
import { memoryImageOf, rawKernel } from "../../images/steps/raw-kernel.ts";

const DEPENDENCIES = `kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/fs/mbcache.ko
kernel/fs/jbd2/jbd2.ko:
kernel/fs/mbcache.ko:
kernel/drivers/char/hw_random/virtio-rng.ko: kernel/drivers/virtio/virtio.ko
kernel/drivers/virtio/virtio.ko:
`;

describe("modules", () => {
  const dependencies = parseDependencies(DEPENDENCIES);
  const builtin = "kernel/drivers/tty/serial/8250/8250.ko\n";

  test.each([
    ["with all they depend on", ["ext4"], ["fs/ext4/ext4.ko", "fs/jbd2/jbd2.ko", "fs/mbcache.ko"]],
    ["by either spelling", ["virtio_rng"], ["drivers/char/hw_random/virtio-rng.ko", "drivers/virtio/virtio.ko"]],
    ["once each", ["jbd2", "jbd2"], ["fs/jbd2/jbd2.ko"]],
    ["but not what the kernel has built in", ["8250"], []],
  ])("are picked %s", (_, names, files) => {
    expect(pickModules(names, dependencies, builtin)).toEqual(files.map((file) => `kernel/${file}`));
  });

  test("that are not there are all named at once", () => {
    expect(() => pickModules(["ext5", "jbd2", "zfs"], dependencies, builtin)).toThrow("not there: ext5 zfs");
  });
});

/** An ELF-64 file with one segment a (address, bytes, memory) each. */
function elfOf(entry: number, segments: readonly (readonly [address: number, bytes: Buffer, memoryBytes: number])[]) {
  const header = Buffer.alloc(64);
  header.writeUInt32BE(0x7f454c46, 0);
  header.writeUInt8(2, 4);
  header.writeBigUInt64LE(BigInt(entry), 24);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(segments.length, 56);
  let offset = 64 + 56 * segments.length;
  const table = segments.map(([address, bytes, memoryBytes]) => {
    const line = Buffer.alloc(56);
    line.writeUInt32LE(1, 0);
    for (const [at, value] of [
      [8, offset],
      [24, address],
      [32, bytes.length],
      [40, memoryBytes],
    ] as const) {
      line.writeBigUInt64LE(BigInt(value), at);
    }
    offset += bytes.length;
    return line;
  });
  return Buffer.concat([header, ...table, ...segments.map(([, bytes]) => bytes)]);
}

/** A bzImage of one setup sector behind the first, and a payload. */
function bzImageOf(payload: Buffer, head: Buffer = Buffer.alloc(0)): Buffer {
  const setup = Buffer.alloc(1024);
  setup.writeUInt8(1, 0x1f1);
  setup.write("HdrS", 0x202, "latin1");
  setup.writeUInt32LE(head.length, 0x248);
  setup.writeUInt32LE(payload.length + 4, 0x24c);
  return Buffer.concat([setup, head, payload, Buffer.alloc(4, 0xee)]);
}

const MIB = 2 ** 20;

describe("the kernel", () => {
  const text = Buffer.alloc(5000, 0x11);
  const data = Buffer.from("data");
  const elf = elfOf(16 * MIB + 64, [
    [16 * MIB, text, text.length],
    [16 * MIB + 8192, data, 3 * 4096],
  ]);

  test("payload lies where the setup header says, without the length behind it", () => {
    expect(payloadOf(bzImageOf(Buffer.from("compressed"), Buffer.from("head"))).toString()).toBe("compressed");
    expect(() => payloadOf(Buffer.alloc(2048))).toThrow("no bzImage");
  });

  test("is laid out as in memory, in whole pages", () => {
    const image = memoryImageOf(elf);
    expect([image.startAddress, image.entryAddress, image.bytes.length]).toEqual([16 * MIB, 16 * MIB + 64, 20480]);
    expect(image.bytes.subarray(0, 5000).equals(text)).toBe(true);
    expect(image.bytes.toString("latin1", 8192, 8196)).toBe("data");
    expect(() => memoryImageOf(Buffer.alloc(100))).toThrow("no ELF-64");
  });

  test("is led by a page that knows where everything goes", () => {
    const raw = rawKernel(bzImageOf(Buffer.from("x")), elf, Buffer.alloc(4096, 0x90));
    const used = 3 * 4096;
    expect(raw.length).toBe(1024 + 4096 + used);
    const parameters = Array.from({ length: 6 }, (_, index) => raw.readUInt32LE(1024 + 8 + index * 4));
    const ownPlace = 16 * MIB + 20480;
    expect(parameters).toEqual([ownPlace, MIB + 4096 + used, 16 * MIB + used, used / 8, 1024, 16 * MIB + 64]);
    // The boot loader must keep free all that the entry page writes to.
    expect(MIB + raw.readUInt32LE(0x260)).toBe(ownPlace + 7 * 4096);
    expect([raw.readUInt32LE(0x1f4) * 16, raw.readUInt32LE(0x214), raw.readUInt8(0x234)]).toEqual([
      4096 + used,
      MIB,
      0,
    ]);
  });

  test("with a misplaced start or an entry code of another size is refused", () => {
    const misplaced = elfOf(MIB, [[MIB, text, text.length]]);
    expect(() => rawKernel(bzImageOf(text), misplaced, Buffer.alloc(4096))).toThrow("2 MiB");
    expect(() => rawKernel(bzImageOf(text), elf, Buffer.alloc(100))).toThrow("not a page");
  });
});
