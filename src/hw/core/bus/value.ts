/**
 * Values on a D-Bus by their signature, little endian: written into bytes and read from them. Bytes come from a bus
 * daemon that checks them, and are bounds-checked all the same.
 * Facts: D-Bus Specification 0.43, "Marshaling (Wire Format)" and "Type System".
 */
import { entryOf } from "../../../base/record.ts";

/** A variant carries its own signature. Arrays of dictionary entries are arrays of pairs. */
export type BusValue = number | bigint | string | boolean | readonly BusValue[] | BusVariant;

export interface BusVariant {
  readonly signature: string;
  readonly value: BusValue;
}

/** The specification's limits: 64 levels in all; a signature of at most 255 bytes. */
const DEPTH_MAX = 64;
const SIGNATURE_LENGTH_MAX = 255;
/** Of an array in bytes. */
const ARRAY_BYTES_MAX = 64 * 1024 * 1024;

const ALIGNMENTS: Readonly<Record<string, number>> = {
  y: 1,
  g: 1,
  v: 1,
  n: 2,
  q: 2,
  b: 4,
  i: 4,
  u: 4,
  h: 4,
  s: 4,
  o: 4,
  a: 4,
  x: 8,
  t: 8,
  d: 8,
  "(": 8,
  "{": 8,
};

function alignmentOf(type: string): number {
  const found = entryOf(ALIGNMENTS, type[0] ?? "");
  if (found === undefined) throw new RangeError(`"${type}" is no D-Bus type`);
  return found;
}

/** Where the single complete type that begins at `at` ends. */
function typeEnd(signature: string, at: number): number {
  const first = signature[at];
  if (first === "a") return typeEnd(signature, at + 1);
  if (first !== "(" && first !== "{") {
    alignmentOf(signature.slice(at, at + 1));
    return at + 1;
  }
  const close = first === "(" ? ")" : "}";
  let end = at + 1;
  while (end < signature.length && signature[end] !== close) end = typeEnd(signature, end);
  if (end >= signature.length || end === at + 1) throw new RangeError(`the signature "${signature}" is not whole`);
  return end + 1;
}

/** `sa{sv}` as [`s`, `a{sv}`]. Throws a RangeError on what is no signature. */
export function splitSignature(signature: string): readonly string[] {
  if (signature.length > SIGNATURE_LENGTH_MAX) throw new RangeError("the signature is too long");
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = typeEnd(signature, at);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

const padTo = (offset: number, alignment: number) => (alignment - (offset % alignment)) % alignment;

/** Collects bytes; alignment counts from its own beginning. */
export class BusWriter {
  #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  align(alignment: number): void {
    for (let left = padTo(this.#bytes.length, alignment); left > 0; left -= 1) this.#bytes.push(0);
  }

  #fixed(size: number, set: (view: DataView) => void): void {
    this.align(size);
    const view = new DataView(new ArrayBuffer(size));
    set(view);
    this.#bytes.push(...new Uint8Array(view.buffer));
  }

  #text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#fixed(4, (view) => view.setUint32(0, bytes.length, true));
    for (const byte of bytes) this.#bytes.push(byte);
    this.#bytes.push(0);
  }

  #array(type: string, values: readonly BusValue[]): void {
    this.#fixed(4, (view) => view.setUint32(0, 0, true));
    const lengthAt = this.#bytes.length - 4;
    this.align(alignmentOf(type));
    const start = this.#bytes.length;
    for (const value of values) this.write(type, value);
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, this.#bytes.length - start, true);
    this.#bytes.splice(lengthAt, 4, ...new Uint8Array(view.buffer));
  }

  /** Throws a TypeError when the value is not of that type. */
  write(type: string, value: BusValue): void {
    const wrong = () => new TypeError(`a value of D-Bus type "${type}" was wanted, not ${typeof value}`);
    switch (type.slice(0, 1)) {
      case "y":
        if (typeof value !== "number") throw wrong();
        this.#bytes.push(value & 0xff);
        return;
      case "b":
        this.#fixed(4, (view) => view.setUint32(0, value === true ? 1 : 0, true));
        return;
      case "i":
      case "u":
        if (typeof value !== "number") throw wrong();
        this.#fixed(4, (view) => view.setUint32(0, value >>> 0, true));
        return;
      case "t":
        if (typeof value !== "bigint") throw wrong();
        this.#fixed(8, (view) => view.setBigUint64(0, value, true));
        return;
      case "s":
      case "o":
        if (typeof value !== "string") throw wrong();
        this.#text(value);
        return;
      case "g":
        if (typeof value !== "string") throw wrong();
        this.#bytes.push(value.length, ...new TextEncoder().encode(value), 0);
        return;
      case "v":
        if (typeof value !== "object" || !("signature" in value)) throw wrong();
        this.write("g", value.signature);
        this.write(value.signature, value.value);
        return;
      case "a":
        if (!Array.isArray(value)) throw wrong();
        this.#array(type.slice(1), value);
        return;
      case "(":
      case "{":
        if (!Array.isArray(value)) throw wrong();
        this.align(8);
        for (const [index, one] of splitSignature(type.slice(1, -1)).entries()) this.write(one, value[index] ?? "");
        return;
      default:
        throw new RangeError(`values of D-Bus type "${type}" are not written here`);
    }
  }
}

/** Throws a RangeError wherever the bytes cannot be what the signature says. */
export class BusReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  align(alignment: number): void {
    this.#at += padTo(this.#at, alignment);
  }

  #take(size: number): number {
    this.align(size);
    const at = this.#at;
    this.#at += size;
    return at;
  }

  #text(length: number): string {
    const at = this.#at;
    if (at + length + 1 > this.#bytes.length || this.#bytes[at + length] !== 0)
      throw new RangeError("a text goes beyond the message");
    this.#at = at + length + 1;
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length));
  }

  #array(type: string, depth: number): readonly BusValue[] {
    const length = this.#view.getUint32(this.#take(4), true);
    this.align(alignmentOf(type));
    const end = this.#at + length;
    if (length > ARRAY_BYTES_MAX || end > this.#bytes.length) throw new RangeError("an array goes beyond the message");
    const values: BusValue[] = [];
    while (this.#at < end) values.push(this.read(type, depth + 1));
    if (this.#at !== end) throw new RangeError("an array does not end with its last value");
    return values;
  }

  read(type: string, depth = 0): BusValue {
    if (depth > DEPTH_MAX) throw new RangeError("values are nested too deep");
    switch (type.slice(0, 1)) {
      case "y":
        return this.#view.getUint8(this.#take(1));
      case "b":
        return this.#view.getUint32(this.#take(4), true) === 1;
      case "n":
        return this.#view.getInt16(this.#take(2), true);
      case "q":
        return this.#view.getUint16(this.#take(2), true);
      case "i":
        return this.#view.getInt32(this.#take(4), true);
      case "u":
      case "h":
        return this.#view.getUint32(this.#take(4), true);
      case "x":
        return this.#view.getBigInt64(this.#take(8), true);
      case "t":
        return this.#view.getBigUint64(this.#take(8), true);
      case "d":
        return this.#view.getFloat64(this.#take(8), true);
      case "s":
      case "o":
        return this.#text(this.#view.getUint32(this.#take(4), true));
      case "g":
        return this.#text(this.#view.getUint8(this.#take(1)));
      case "v": {
        const signature = this.#text(this.#view.getUint8(this.#take(1)));
        const [one, ...more] = splitSignature(signature);
        if (one === undefined || more.length > 0) throw new RangeError("a variant holds one value");
        return { signature, value: this.read(one, depth + 1) };
      }
      case "a":
        return this.#array(type.slice(1), depth);
      case "(":
      case "{":
        this.align(8);
        return splitSignature(type.slice(1, -1)).map((one) => this.read(one, depth + 1));
      default:
        throw new RangeError(`"${type}" is no D-Bus type`);
    }
  }
}
