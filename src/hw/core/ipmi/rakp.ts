/**
 * The handshake that opens an RMCP+ session: Open Session, then RAKP 1 to 4, as pure encoders and checks.
 * Every answer is held against what was asked: tag, our session id, all three algorithms, and the codes that only
 * somebody who knows the password can make.
 * Facts: IPMI v2.0 rev. 1.1, section 13.17 to 13.24 (messages), 13.31 and 13.32 (keys). K1 and K2 are HMACs of 20
 * bytes for SHA256 too, as ipmitool has it.
 */
import { type IpmiAccount, PRIVILEGES } from "./account.ts";
import { byteAt, concatBytes, equalInConstantTime, latin1Bytes, readU32, u32Bytes } from "./bytes.ts";
import { CIPHER_SUITES, type IpmiCrypto } from "./crypto.ts";
import { faultOfStatus, type IpmiFault, WRONG_KG, WRONG_PASSWORD, wrongSuite } from "./fault.ts";
import type { SessionKeys } from "./packet.ts";

/** What both sides have said so far; complete after RAKP 2. */
export interface Handshake {
  readonly tag: number;
  readonly consoleId: number;
  readonly managedId: number;
  readonly consoleNonce: Uint8Array;
  readonly managedNonce: Uint8Array;
  readonly guid: Uint8Array;
}

/** `ignored`: not the answer to what was asked; somebody else's, late or garbled. */
export type Judged<Value> =
  | { readonly kind: "accepted"; readonly value: Value }
  | { readonly kind: "refused"; readonly fault: IpmiFault }
  | { readonly kind: "ignored" };

const IGNORED = { kind: "ignored" } as const;
const NONCE_BYTES = 16;
/** Bit 4 of the role byte: look the user up by the name alone. */
const NAME_ONLY = 0x10;
const ALGORITHM_OFFSETS = [12, 20, 28] as const;

function roleByte({ privilege }: IpmiAccount): number {
  return PRIVILEGES[privilege] | NAME_ONLY;
}

/** Role, length of the name, name: the part of the identity that all three codes cover. */
function identity(account: IpmiAccount): Uint8Array {
  const name = latin1Bytes(account.user);
  return concatBytes([roleByte(account), name.length], name);
}

/**
 * The opening bytes of each answer: our tag, a status, our session id. A refusal may be cut short behind the status
 * (seen on ipmi_sim), so it counts by its tag alone; what is accepted must name our session.
 */
function judgeHead(
  stage: string,
  { suite }: IpmiAccount,
  asked: { readonly tag: number; readonly consoleId: number },
  payload: Uint8Array,
): Judged<undefined> {
  if (payload.length < 2 || byteAt(payload, 0) !== asked.tag) return IGNORED;
  if (payload.length >= 8 && readU32(payload, 4) !== asked.consoleId) return IGNORED;
  const status = byteAt(payload, 1);
  if (status !== 0) return { kind: "refused", fault: faultOfStatus(stage, status, suite) };
  return payload.length < 8 ? IGNORED : { kind: "accepted", value: undefined };
}

/** Asks for the account's privilege and the three algorithms of its suite. */
export function encodeOpenSession(account: IpmiAccount, tag: number, consoleId: number): Uint8Array {
  const suite = CIPHER_SUITES[account.suite];
  const algorithm = (type: number, id: number) => [type, 0, 0, 8, id, 0, 0, 0];
  return concatBytes(
    [tag, PRIVILEGES[account.privilege], 0, 0],
    u32Bytes(consoleId),
    algorithm(0, suite.authentication),
    algorithm(1, suite.integrity),
    algorithm(2, suite.confidentiality),
  );
}

/** The board's session id. A board that answers with another algorithm than asked is refused, not followed. */
export function judgeOpenSession(
  account: IpmiAccount,
  asked: { readonly tag: number; readonly consoleId: number },
  payload: Uint8Array,
): Judged<number> {
  const head = judgeHead("Open Session", account, asked, payload);
  if (head.kind !== "accepted") return head;
  if (payload.length < 36) return IGNORED;
  const suite = CIPHER_SUITES[account.suite];
  const wanted = [suite.authentication, suite.integrity, suite.confidentiality];
  const same = ALGORITHM_OFFSETS.every(
    (at, type) => byteAt(payload, at) === type && (byteAt(payload, at + 4) & 0x3f) === wanted[type],
  );
  const managedId = readU32(payload, 8);
  if (!same || managedId === 0) return { kind: "refused", fault: wrongSuite(account.suite) };
  return { kind: "accepted", value: managedId };
}

/** Our nonce and who we are. */
export function encodeRakp1(
  account: IpmiAccount,
  { tag, managedId, consoleNonce }: Pick<Handshake, "tag" | "managedId" | "consoleNonce">,
): Uint8Array {
  const name = latin1Bytes(account.user);
  return concatBytes([tag, 0, 0, 0], u32Bytes(managedId), consoleNonce, [roleByte(account), 0, 0, name.length], name);
}

/** The board's nonce and GUID, once its code proves that it knows the same password. */
export function judgeRakp2(
  crypto: IpmiCrypto,
  account: IpmiAccount,
  asked: Pick<Handshake, "tag" | "consoleId" | "managedId" | "consoleNonce">,
  payload: Uint8Array,
): Judged<Handshake> {
  const head = judgeHead("RAKP 2", account, asked, payload);
  if (head.kind !== "accepted") return head;
  const suite = CIPHER_SUITES[account.suite];
  if (payload.length < 8 + 2 * NONCE_BYTES + suite.digestBytes) return IGNORED;
  const managedNonce = payload.slice(8, 24);
  const guid = payload.slice(24, 40);
  const code = crypto.hmac(
    suite.hash,
    latin1Bytes(account.password),
    concatBytes(
      u32Bytes(asked.consoleId),
      u32Bytes(asked.managedId),
      asked.consoleNonce,
      managedNonce,
      guid,
      identity(account),
    ),
  );
  if (!equalInConstantTime(code, payload.slice(40, 40 + suite.digestBytes))) {
    return { kind: "refused", fault: WRONG_PASSWORD };
  }
  return { kind: "accepted", value: { ...asked, managedNonce, guid } };
}

/** The proof that we know the password. */
export function encodeRakp3(crypto: IpmiCrypto, account: IpmiAccount, handshake: Handshake): Uint8Array {
  const code = crypto.hmac(
    CIPHER_SUITES[account.suite].hash,
    latin1Bytes(account.password),
    concatBytes(handshake.managedNonce, u32Bytes(handshake.consoleId), identity(account)),
  );
  return concatBytes([handshake.tag, 0, 0, 0], u32Bytes(handshake.managedId), code);
}

function sessionIntegrityKey(crypto: IpmiCrypto, account: IpmiAccount, handshake: Handshake): Uint8Array {
  return crypto.hmac(
    CIPHER_SUITES[account.suite].hash,
    latin1Bytes(account.kg ?? account.password),
    concatBytes(handshake.consoleNonce, handshake.managedNonce, identity(account)),
  );
}

/** The session's keys, once the board has shown that it made the same. */
export function judgeRakp4(
  crypto: IpmiCrypto,
  account: IpmiAccount,
  handshake: Handshake,
  payload: Uint8Array,
): Judged<SessionKeys> {
  const head = judgeHead("RAKP 4", account, handshake, payload);
  if (head.kind !== "accepted") return head;
  const suite = CIPHER_SUITES[account.suite];
  const sik = sessionIntegrityKey(crypto, account, handshake);
  const check = crypto.hmac(
    suite.hash,
    sik,
    concatBytes(handshake.consoleNonce, u32Bytes(handshake.managedId), handshake.guid),
  );
  if (!equalInConstantTime(check.subarray(0, suite.codeBytes), payload.slice(8, 8 + suite.codeBytes))) {
    return { kind: "refused", fault: WRONG_KG };
  }
  const constant = (value: number) => new Uint8Array(20).fill(value);
  return {
    kind: "accepted",
    value: { k1: crypto.hmac(suite.hash, sik, constant(1)), k2: crypto.hmac(suite.hash, sik, constant(2)) },
  };
}
