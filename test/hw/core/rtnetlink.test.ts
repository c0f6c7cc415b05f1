/** rtnetlink: addresses as text, and bytes that come from a kernel or from an enemy. */
import { describe, expect, test } from "vitest";
import { gratuitousArp } from "../../../src/hw/core/address-announcement.ts";
import {
  broadcastOf,
  decodeAddress,
  decodeLink,
  decodeMessages,
  decodeRouteInterface,
  encodeAddAddress,
  endOf,
  formatAddress,
  parseAddress,
  sameNetwork,
} from "../../../src/hw/core/rtnetlink.ts";
import { fc } from "../../support/repeatable.ts";

describe("addresses", () => {
  test.each([
    ["198.18.0.1", "198.18.0.1"],
    ["::", "::"],
    ["::1", "::1"],
    ["fd77:0:0:0:0:0:0:50", "fd77::50"],
    ["2001:db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::ffff:198.18.0.1", "::ffff:c612:1"],
  ])("%s is read, and written as %s", (text, written) => {
    const address = parseAddress(text);
    expect(address && formatAddress(address)).toBe(written);
  });

  test.each([
    "",
    "198.18.0",
    "198.18.0.256",
    "1.2.3.4.5",
    "fe80",
    "::1::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "g::1",
  ])("%j is no address", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test("every address survives being written and read", () => {
    const bytes = fc.oneof(
      fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }),
      fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(bytes, (given) => {
        const address = { family: given.length === 4 ? 2 : 10, bytes: given } as const;
        expect(parseAddress(formatAddress(address))).toEqual(address);
      }),
    );
  });

  test.each([
    ["198.18.0.1", "198.18.0.254", 24, true],
    ["198.18.0.1", "198.18.1.1", 24, false],
    ["198.18.0.1", "198.18.1.1", 23, true],
    ["198.18.0.1", "198.18.0.2", 32, false],
    ["fd77::1", "fd77::ffff", 64, true],
  ])("%s and %s in a network of %i bits: %s", (left, right, bits, expected) => {
    const [a, b] = [parseAddress(left), parseAddress(right)];
    expect(a && b && sameNetwork(a, b, bits)).toBe(expected);
  });

  test("the broadcast address has all host bits set", () => {
    expect(broadcastOf({ family: 2, bytes: [198, 18, 4, 1] }, 22).bytes).toEqual([198, 18, 7, 255]);
  });
});

test("an address message carries what it was made of", () => {
  const address = { family: 2, bytes: [198, 18, 0, 50] } as const;
  const change = { interfaceIndex: 3, address, prefixLength: 24, label: "eth1:s", flags: 0x200 };
  const [message] = decodeMessages(encodeAddAddress(change, 9));
  expect(message).toMatchObject({ type: 20, sequence: 9 });
  expect(message && decodeAddress(message.body)).toEqual(change);
});

test("a gratuitous ARP is 42 bytes, to all, about the address", () => {
  const frame = gratuitousArp("request", [2, 0, 0, 0, 0, 9], [198, 18, 0, 50]);
  const hex = Buffer.from(frame).toString("hex");
  const [to, from] = ["ffffffffffff", "020000000009"];
  expect(hex).toBe(`${to}${from}08060001080006040001${from}c6120032000000000000c6120032`);
});

test("no bytes make the reader fail", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const message of [...decodeMessages(bytes), { type: 2, sequence: 0, body: bytes }]) {
        endOf(message);
        decodeAddress(message.body);
        decodeLink(message.body);
        decodeRouteInterface(message.body);
      }
      expect(decodeMessages(bytes).length).toBeLessThanOrEqual(bytes.length / 16);
    }),
  );
});
