/** D-Bus messages: what is written is read back, and no bytes whatever do more than be refused. */
import { expect, test } from "vitest";
import { readMessage, writeCall } from "../../../src/hw/core/bus/message.ts";
import { BusReader, type BusValue, BusWriter, splitSignature } from "../../../src/hw/core/bus/value.ts";
import { fc } from "../../support/repeatable.ts";

const CALL = { destination: "org.a.B", path: "/o/p", interface: "org.a.I", member: "Do" };

test("a call as the specification has it: header fields, padding, body", () => {
  const bytes = writeCall({ ...CALL, signature: "su", body: ["text", 7] }, 9);
  expect(Buffer.from(bytes.subarray(0, 16)).toString("hex")).toBe(
    `6c010001${"10000000"}${"09000000"}${Buffer.from(Uint32Array.of(0x48).buffer).toString("hex")}`,
  );
  expect(bytes.length % 8).toBe(0);
  const read = readMessage(bytes);
  expect(read).toMatchObject({ kind: "message", length: bytes.length });
  expect(read.kind === "message" && read.message).toMatchObject({ kind: "call", member: "Do", body: ["text", 7] });
});

test.each<[string, BusValue]>([
  ["a{sv}", [["name", { signature: "as", value: ["a", "b"] }]]],
  ["(ybiutsog)", [1, true, -2 >>> 0, 4_000_000_000, 2n ** 63n, "ü", "/a", "a(ss)"]],
  ["aat", [[], [1n], [2n, 3n]]],
  ["av", [{ signature: "(su)", value: ["x", 1] }]],
])("%s is read as it was written", (signature, value) => {
  const writer = new BusWriter();
  writer.write(signature, value);
  const read = new BusReader(writer.bytes()).read(signature);
  // Signed numbers come back signed.
  expect(JSON.stringify(read, (_key, one) => (typeof one === "bigint" ? String(one) : one))).toBe(
    JSON.stringify(value, (_key, one) => (typeof one === "bigint" ? String(one) : one)).replace("4294967294", "-2"),
  );
});

test.each(["(", "()", "a", "{sv", "z", "(s", "a(", "s".repeat(256), "a".repeat(256)])(
  "%s is no signature",
  (signature) => {
    expect(() => splitSignature(signature)).toThrow(RangeError);
  },
);

test("bytes that are cut, changed or made up are refused, and nothing else happens", () => {
  const good = writeCall({ ...CALL, signature: "sa{sv}", body: ["x", [["k", { signature: "u", value: 1 }]]] }, 1);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), fc.nat(good.length), fc.boolean(), (noise, at, isChanged) => {
      const bytes = isChanged ? good.slice() : good.slice(0, at);
      if (isChanged) bytes.set(noise.subarray(0, Math.max(0, bytes.length - at)), at);
      expect(["message", "incomplete", "broken"]).toContain(readMessage(bytes).kind);
    }),
    { numRuns: 3_000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const bytes = Uint8Array.from([0x6c, 1, 0, 1, ...noise]);
      expect(["message", "incomplete", "broken"]).toContain(readMessage(bytes).kind);
    }),
    { numRuns: 3_000 },
  );
});
