/**
 * RMCP and RMCP+ packets: the wrapper around every payload, in clear for the handshake, sealed (encrypted and
 * authenticated) in a session. Nothing here trusts a length of the board: what is too short is `unreadable`.
 * Facts: IPMI v2.0 rev. 1.1, section 13.6 (RMCP+ session header and trailer), 13.27.3 (payload types),
 * 13.29 (AES-CBC-128 payload); ASF 2.0, section 3.2.2 (RMCP header).
 */
import { byteAt, concatBytes, equalInConstantTime, readU16, readU32, u16Bytes, u32Bytes } from "./bytes.ts";
import type { CipherSuite, IpmiCrypto } from "./crypto.ts";

export const PAYLOAD = {
  ipmi: 0x00,
  openSessionRequest: 0x10,
  openSessionResponse: 0x11,
  rakp1: 0x12,
  rakp2: 0x13,
  rakp3: 0x14,
  rakp4: 0x15,
} as const;

/** Version 6 (ASF), reserved, sequence FFh (no acknowledgement wanted), class 7 (IPMI). */
const RMCP_HEADER = [0x06, 0x00, 0xff, 0x07] as const;
const AUTHENTICATION_TYPE_RMCP_PLUS = 0x06;
const ENCRYPTED_AND_AUTHENTICATED = 0xc0;
/** RMCP header, then authentication type, payload type, session id, sequence and payload length. */
const HEADER_BYTES = 16;
const BLOCK_BYTES = 16;
/** The last byte that the authentication code covers: reserved in IPMI v2.0, always 07h. */
const NEXT_HEADER = 0x07;

/** The keys of one session; `k1` authenticates, the first 16 bytes of `k2` encrypt. */
export interface SessionKeys {
  readonly k1: Uint8Array;
  readonly k2: Uint8Array;
}

export type Packet =
  | { readonly kind: "plain"; readonly payloadType: number; readonly payload: Uint8Array }
  | { readonly kind: "sealed"; readonly sessionId: number; readonly sequence: number; readonly payloadType: number }
  | { readonly kind: "version-1.5"; readonly message: Uint8Array }
  | { readonly kind: "unreadable"; readonly reason: string };

/** A payload in clear, outside of any session. */
export function encodePlain(payloadType: number, payload: Uint8Array): Uint8Array {
  return concatBytes(
    RMCP_HEADER,
    [AUTHENTICATION_TYPE_RMCP_PLUS, payloadType],
    u32Bytes(0),
    u32Bytes(0),
    u16Bytes(payload.length),
    payload,
  );
}

/** What the datagram is, by its headers; bytes beyond the stated length are left aside. */
export function decodePacket(bytes: Uint8Array): Packet {
  if (bytes.length < 14 || byteAt(bytes, 0) !== 0x06 || (byteAt(bytes, 3) & 0x1f) !== 0x07) {
    return { kind: "unreadable", reason: "not an RMCP packet of class IPMI" };
  }
  if (byteAt(bytes, 4) === 0x00) {
    const length = byteAt(bytes, 13);
    if (bytes.length < 14 + length) return { kind: "unreadable", reason: "IPMI 1.5 packet cut short" };
    return { kind: "version-1.5", message: bytes.subarray(14, 14 + length) };
  }
  if (byteAt(bytes, 4) !== AUTHENTICATION_TYPE_RMCP_PLUS || bytes.length < HEADER_BYTES) {
    return { kind: "unreadable", reason: `authentication type ${byteAt(bytes, 4)} is not RMCP+` };
  }
  const flags = byteAt(bytes, 5);
  const length = readU16(bytes, 14);
  if (bytes.length < HEADER_BYTES + length) return { kind: "unreadable", reason: "RMCP+ packet cut short" };
  const payloadType = flags & 0x3f;
  if ((flags & ENCRYPTED_AND_AUTHENTICATED) === 0) {
    return { kind: "plain", payloadType, payload: bytes.subarray(HEADER_BYTES, HEADER_BYTES + length) };
  }
  if ((flags & ENCRYPTED_AND_AUTHENTICATED) !== ENCRYPTED_AND_AUTHENTICATED) {
    return { kind: "unreadable", reason: "authenticated without encryption, or the reverse: never asked for" };
  }
  return { kind: "sealed", sessionId: readU32(bytes, 6), sequence: readU32(bytes, 10), payloadType };
}

/** An IPMI message, encrypted and authenticated. `iv` is fresh and unpredictable, 16 bytes. */
export function seal(
  crypto: IpmiCrypto,
  suite: CipherSuite,
  keys: SessionKeys,
  sessionId: number,
  sequence: number,
  iv: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  const padBytes = (BLOCK_BYTES - ((message.length + 1) % BLOCK_BYTES)) % BLOCK_BYTES;
  const pad = Uint8Array.from({ length: padBytes }, (_, at) => at + 1);
  const payload = concatBytes(
    iv,
    crypto.encryptAesCbc(keys.k2.subarray(0, 16), iv, concatBytes(message, pad, [padBytes])),
  );
  const body = concatBytes(
    [AUTHENTICATION_TYPE_RMCP_PLUS, ENCRYPTED_AND_AUTHENTICATED | PAYLOAD.ipmi],
    u32Bytes(sessionId),
    u32Bytes(sequence),
    u16Bytes(payload.length),
    payload,
  );
  const trailerPad = (4 - ((body.length + 2) % 4)) % 4;
  const covered = concatBytes(body, new Uint8Array(trailerPad).fill(0xff), [trailerPad, NEXT_HEADER]);
  const code = crypto.hmac(suite.hash, keys.k1, covered).subarray(0, suite.codeBytes);
  return concatBytes(RMCP_HEADER, covered, code);
}

/**
 * The IPMI message of a sealed packet, or undefined when its authentication code does not fit the session.
 * The trailer is looked for where the specification puts it and at the end of the datagram, because boards append
 * bytes and pad as they like; whatever place it has, only the right code opens the packet.
 */
export function unseal(
  crypto: IpmiCrypto,
  suite: CipherSuite,
  keys: SessionKeys,
  bytes: Uint8Array,
): Uint8Array | undefined {
  const length = readU16(bytes, 14);
  const payload = bytes.subarray(HEADER_BYTES, HEADER_BYTES + length);
  const bodyBytes = HEADER_BYTES - RMCP_HEADER.length + length;
  const specified = RMCP_HEADER.length + bodyBytes + ((4 - ((bodyBytes + 2) % 4)) % 4) + 2;
  const authentic = [specified, bytes.length - suite.codeBytes].some((end) => {
    if (end < HEADER_BYTES + length || end + suite.codeBytes > bytes.length) return false;
    const code = crypto.hmac(suite.hash, keys.k1, bytes.subarray(RMCP_HEADER.length, end));
    return equalInConstantTime(code.subarray(0, suite.codeBytes), bytes.subarray(end, end + suite.codeBytes));
  });
  if (!authentic || length < 2 * BLOCK_BYTES || length % BLOCK_BYTES !== 0) return undefined;
  const plain = crypto.decryptAesCbc(
    keys.k2.subarray(0, 16),
    payload.subarray(0, BLOCK_BYTES),
    payload.subarray(BLOCK_BYTES),
  );
  const padBytes = byteAt(plain, plain.length - 1);
  return padBytes < plain.length ? plain.subarray(0, plain.length - 1 - padBytes) : undefined;
}
