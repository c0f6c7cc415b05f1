/** What managers pack for a slow line comes out as it was. */
import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { packText, unpackText } from "../../../src/app/manager/packed-text.ts";
import { MESSAGE_LENGTH_MAX } from "../../../src/cluster/core/messaging/channel.ts";

const primitive = (name: string) => ({ name: "primitive", attributes: { id: name, class: "ocf", type: "IPaddr2" } });

test("a CIB takes a tenth, a short message stays as it is", () => {
  const children = Array.from({ length: 100 }, (_, at) => primitive(`名前${at}`));
  const text = JSON.stringify({ room: "cib", message: { kind: "cib-install", children } });
  const packed = packText(text);
  expect(packed.length).toBeLessThan(text.length / 8);
  expect(unpackText(packed)).toBe(text);
  const short = JSON.stringify({ room: "clock", ask: 1 });
  expect(packText(short)).toBe(short);
  expect(unpackText(short)).toBe(short);
});

test("what was not packed, or would take the memory of a message that may not be, is refused", () => {
  expect(() => unpackText("znothing that was packed")).toThrow();
  const bomb = `z${deflateRawSync(Buffer.alloc(MESSAGE_LENGTH_MAX + 1)).toString("base64")}`;
  expect(() => unpackText(bomb)).toThrow(/larger than/);
});
