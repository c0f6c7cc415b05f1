/**
 * Messages of a D-Bus: method calls out; replies, errors and signals in.
 * Facts: D-Bus Specification 0.43, "Message Protocol": a fixed part of 12 bytes, the array of header fields, padding to
 * 8, the body.
 */
import { BusReader, type BusValue, type BusVariant, BusWriter, splitSignature } from "./value.ts";

export interface BusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: readonly BusValue[];
}

export interface BusMessage {
  readonly kind: "call" | "reply" | "error" | "signal";
  /** Which call this answers; 0 for none. */
  readonly replySerial: number;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly errorName: string;
  readonly sender: string;
  readonly body: readonly BusValue[];
}

export type MessageRead =
  | { readonly kind: "message"; readonly message: BusMessage; readonly length: number }
  | { readonly kind: "incomplete" }
  | { readonly kind: "broken"; readonly reason: string };

const KINDS: readonly (BusMessage["kind"] | undefined)[] = [undefined, "call", "reply", "error", "signal"];
const LITTLE_ENDIAN = "l".charCodeAt(0);
const VERSION = 1;
const METHOD_CALL = 1;
const FIXED_BYTES = 16;
/** Far beyond anything that systemd tells; the specification allows 128 MiB. */
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const FIELD = {
  path: 1,
  interface: 2,
  member: 3,
  errorName: 4,
  replySerial: 5,
  destination: 6,
  sender: 7,
  signature: 8,
};

export function writeCall(call: BusCall, serial: number): Uint8Array {
  const body = new BusWriter();
  for (const [index, type] of splitSignature(call.signature).entries()) body.write(type, call.body[index] ?? "");
  const fields: [number, BusVariant][] = [
    [FIELD.path, { signature: "o", value: call.path }],
    [FIELD.interface, { signature: "s", value: call.interface }],
    [FIELD.member, { signature: "s", value: call.member }],
    [FIELD.destination, { signature: "s", value: call.destination }],
  ];
  if (call.signature !== "") fields.push([FIELD.signature, { signature: "g", value: call.signature }]);
  const header = new BusWriter();
  for (const byte of [LITTLE_ENDIAN, METHOD_CALL, 0, VERSION]) header.write("y", byte);
  header.write("u", body.length);
  header.write("u", serial);
  header.write("a(yv)", fields);
  header.align(8);
  return Uint8Array.from([...header.bytes(), ...body.bytes()]);
}

function fieldsOf(bytes: Uint8Array): ReadonlyMap<number, BusValue> {
  const reader = new BusReader(bytes);
  for (let skipped = 0; skipped < 3; skipped += 1) reader.read("u");
  const fields = reader.read("a(yv)");
  const found = new Map<number, BusValue>();
  for (const field of Array.isArray(fields) ? fields : []) {
    const [code, variant] = Array.isArray(field) ? field : [];
    if (typeof code === "number" && typeof variant === "object" && "value" in variant) found.set(code, variant.value);
  }
  return found;
}

function parse(bytes: Uint8Array, bodyAt: number): BusMessage {
  const kind = KINDS[bytes[1] ?? 0];
  if (kind === undefined) throw new RangeError("the kind of message is not known");
  const fields = fieldsOf(bytes.subarray(0, bodyAt));
  const text = (code: number) => {
    const value = fields.get(code);
    return typeof value === "string" ? value : "";
  };
  const reader = new BusReader(bytes.subarray(bodyAt));
  const body = splitSignature(text(FIELD.signature)).map((type) => reader.read(type));
  const replySerial = fields.get(FIELD.replySerial);
  return {
    kind,
    replySerial: typeof replySerial === "number" ? replySerial : 0,
    path: text(FIELD.path),
    interface: text(FIELD.interface),
    member: text(FIELD.member),
    errorName: text(FIELD.errorName),
    sender: text(FIELD.sender),
    body,
  };
}

/** The first message in the bytes. What is not little endian comes from no bus daemon of this machine. */
export function readMessage(bytes: Uint8Array): MessageRead {
  if (bytes.length < FIXED_BYTES) return { kind: "incomplete" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] !== LITTLE_ENDIAN || bytes[3] !== VERSION)
    return { kind: "broken", reason: "it is no little-endian D-Bus message of version 1" };
  const fieldsLength = view.getUint32(12, true);
  const bodyLength = view.getUint32(4, true);
  const bodyAt = Math.ceil((FIXED_BYTES + fieldsLength) / 8) * 8;
  const length = bodyAt + bodyLength;
  if (length > MESSAGE_BYTES_MAX) return { kind: "broken", reason: `a message of ${length} bytes is too long` };
  if (bytes.length < length) return { kind: "incomplete" };
  try {
    return { kind: "message", message: parse(bytes.subarray(0, length), bodyAt), length };
  } catch (error) {
    if (error instanceof RangeError) return { kind: "broken", reason: error.message };
    throw error;
  }
}
