/**
 * Packets of IPMI 1.5 over LAN, signed with MD5: for boards without RMCP+, and only on demand. It encrypts nothing,
 * and MD5 of a short password can be guessed from one packet: a network of its own is all the protection there is. What
 * is not signed by the board is nobody's answer.
 * Facts: IPMI v2.0 rev. 1.1, section 13.6 (1.5 packets), 22.13 (authentication capabilities), 22.16 (challenge),
 * 22.17 (Activate Session).
 */
import { byteAt, concatBytes, equalInConstantTime, latin1Bytes, readU32, u32Bytes } from "./bytes.ts";
import { type IpmiFault, NO_SLOTS, PRIVILEGE, UNKNOWN_USER } from "./fault.ts";
import { encodeRequest, type IpmiRequest, NETFN } from "./message.ts";

export type Md5 = (data: Uint8Array) => Uint8Array;

const RMCP = [0x06, 0x00, 0xff, 0x07];
const NONE = 0x00;
const MD5_TYPE = 0x02;
const CODE_BYTES = 16;
const HEADER_BYTES = RMCP.length + 9;
const CURRENT_CHANNEL = 0x0e;
const NAME_BYTES = 16;
const CHALLENGE_BYTES = 16;
/** Our own packets are counted from here; the board's count is told by it. */
const FIRST_OUTBOUND = 1;

/** Passwords and names are NUL-padded to 16 bytes, and cannot be longer. */
export const SECRET_15_BYTES_MAX = 16;

const padded = (text: string) => concatBytes(latin1Bytes(text), new Uint8Array(NAME_BYTES)).subarray(0, NAME_BYTES);

export interface Session15 {
  readonly id: number;
  readonly password: string;
}

function codeOf(md5: Md5, { id, password }: Session15, sequence: number, message: Uint8Array): Uint8Array {
  const key = padded(password);
  return md5(concatBytes(key, u32Bytes(id), message, u32Bytes(sequence), key));
}

/** Before there is a session: unsigned. */
export function encodeOpen(request: IpmiRequest, requestSequence: number): Uint8Array {
  const message = encodeRequest(request, requestSequence);
  return concatBytes(RMCP, [NONE], u32Bytes(0), u32Bytes(0), [message.length], message);
}

export function encodeSigned(
  md5: Md5,
  session: Session15,
  sequence: number,
  request: IpmiRequest,
  requestSequence: number,
): Uint8Array {
  const message = encodeRequest(request, requestSequence);
  const code = codeOf(md5, session, sequence, message);
  return concatBytes(RMCP, [MD5_TYPE], u32Bytes(sequence), u32Bytes(session.id), code, [message.length], message);
}

/** The message of a packet; `session`: whose signature it must bear, undefined before there is one. */
export function openPacket(md5: Md5, session: Session15 | undefined, bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < HEADER_BYTES + 1 || RMCP.some((byte, at) => at !== 2 && byteAt(bytes, at) !== byte))
    return undefined;
  const isSigned = byteAt(bytes, 4) === MD5_TYPE;
  if (isSigned !== (session !== undefined) || (!isSigned && byteAt(bytes, 4) !== NONE)) return undefined;
  const at = HEADER_BYTES + (isSigned ? CODE_BYTES : 0);
  const message = bytes.subarray(at + 1, at + 1 + byteAt(bytes, at));
  if (message.length !== byteAt(bytes, at)) return undefined;
  if (session === undefined) return message;
  if (readU32(bytes, 9) !== session.id) return undefined;
  const code = codeOf(md5, session, readU32(bytes, 5), message);
  return equalInConstantTime(code, bytes.subarray(HEADER_BYTES, at)) ? message : undefined;
}

export function askCapabilities(privilege: number): IpmiRequest {
  return { netFn: NETFN.app, command: 0x38, data: [CURRENT_CHANNEL, privilege] };
}

/** Why the board cannot be logged in to so, or undefined. */
export function judgeCapabilities(data: Uint8Array): IpmiFault | undefined {
  const hasMd5 = (byteAt(data, 1) & 0x04) !== 0;
  const signsEach = (byteAt(data, 2) & 0x10) === 0;
  if (hasMd5 && signsEach) return undefined;
  return {
    code: "protocol",
    reason: hasMd5 ? "the board does not sign its answers" : "the board has no login by MD5 for IPMI 1.5",
    remedy: hasMd5
      ? "enable per-message authentication on its LAN channel"
      : "enable MD5 on its LAN channel, or use version=2.0",
  };
}

export function askChallenge(user: string): IpmiRequest {
  return { netFn: NETFN.app, command: 0x39, data: [MD5_TYPE, ...padded(user)] };
}

/** 81h: no such user, 82h: no anonymous one. */
export function judgeChallenge(completionCode: number): IpmiFault | undefined {
  return completionCode === 0 ? undefined : UNKNOWN_USER;
}

export function readChallenge(data: Uint8Array): { readonly id: number; readonly challenge: Uint8Array } | undefined {
  if (data.length < 4 + CHALLENGE_BYTES) return undefined;
  return { id: readU32(data, 0), challenge: data.subarray(4, 4 + CHALLENGE_BYTES) };
}

export function askActivation(privilege: number, challenge: Uint8Array): IpmiRequest {
  const data = [MD5_TYPE, privilege, ...challenge, ...u32Bytes(FIRST_OUTBOUND)];
  return { netFn: NETFN.app, command: 0x3a, data };
}

/** 81h to 83h: no free session; 85h and 86h: not this privilege. */
export function judgeActivation(completionCode: number): IpmiFault | undefined {
  if (completionCode === 0) return undefined;
  return completionCode >= 0x81 && completionCode <= 0x83 ? NO_SLOTS : PRIVILEGE;
}

/** The session and the number that our next packet must bear. */
export function readActivation(data: Uint8Array): { readonly id: number; readonly sequence: number } | undefined {
  return data.length < 10 ? undefined : { id: readU32(data, 1), sequence: readU32(data, 5) };
}
