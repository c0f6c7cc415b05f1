/**
 * IPMI messages over LAN: request and answer with their checksums, and what completion codes mean.
 * Facts: IPMI v2.0 rev. 1.1, section 13.8 (LAN message format), 5.2 (completion codes).
 */
import { byteAt, concatBytes } from "./bytes.ts";

export const NETFN = { chassis: 0x00, app: 0x06 } as const;

const BMC_ADDRESS = 0x20;
const CONSOLE_ADDRESS = 0x81;

/** A request by network function (even), command and data. */
export interface IpmiRequest {
  readonly netFn: number;
  readonly command: number;
  readonly data: readonly number[];
}

export interface IpmiResponse {
  readonly completionCode: number;
  /** What follows the completion code; boards append bytes, so take what is needed and leave the rest. */
  readonly data: Uint8Array;
}

/** The sum that makes all bytes add up to 0 modulo 256. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return -sum & 0xff;
}

/** `requestSequence`: 0..63, the same for every copy of one request. */
export function encodeRequest({ netFn, command, data }: IpmiRequest, requestSequence: number): Uint8Array {
  const head = Uint8Array.of(BMC_ADDRESS, netFn << 2);
  const body = concatBytes([CONSOLE_ADDRESS, requestSequence << 2, command], data);
  return concatBytes(head, [checksum(head)], body, [checksum(body)]);
}

/**
 * The answer to exactly this request, or undefined: late and doubled answers to others are dropped in silence.
 * The second checksum is not asked for: the packet's authentication code has covered these bytes already.
 */
export function decodeResponse(
  message: Uint8Array,
  { netFn, command }: IpmiRequest,
  requestSequence: number,
): IpmiResponse | undefined {
  if (message.length < 8 || checksum(message.subarray(0, 2)) !== byteAt(message, 2)) return undefined;
  if (byteAt(message, 1) >> 2 !== netFn + 1) return undefined;
  if (byteAt(message, 4) >> 2 !== requestSequence || byteAt(message, 5) !== command) return undefined;
  return { completionCode: byteAt(message, 6), data: message.subarray(7, message.length - 1) };
}

export const COMPLETION = {
  done: 0x00,
  busy: 0xc0,
  timeout: 0xc3,
  privilege: 0xd4,
  state: 0xd5,
} as const;

const COMPLETION_TEXTS: Readonly<Record<number, string>> = {
  192: "node busy",
  193: "command not supported",
  195: "timeout inside the board",
  201: "parameter out of range",
  204: "invalid data field",
  211: "destination not available",
  212: "privilege level too low for this command",
  213: "not supported in the present state",
  255: "unspecified error",
};

/** As `completion code 0xd4 (privilege level too low for this command)`. */
export function describeCompletion(code: number): string {
  const text = COMPLETION_TEXTS[code];
  return `completion code 0x${code.toString(16).padStart(2, "0")}${text === undefined ? "" : ` (${text})`}`;
}
