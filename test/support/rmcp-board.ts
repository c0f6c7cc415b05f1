/**
 * A board of our own for what `ipmi_sim` cannot: cipher suite 17, a board that answers another suite than asked, and
 * garbage behind the answers. It counts as honest because ipmitool, which we did not write, drives it (see its test).
 * Facts: IPMI v2.0 rev. 1.1, section 13 (RMCP+, RAKP), 22.13 (Get Channel Authentication Capabilities).
 */
import { createHmac, randomBytes } from "node:crypto";
import { createSocket, type RemoteInfo } from "node:dgram";
import { concatBytes, latin1Bytes, readU32, u32Bytes } from "../../src/hw/core/ipmi/bytes.ts";
import { CIPHER_SUITES, type CipherSuite } from "../../src/hw/core/ipmi/crypto.ts";
import { decodePacket, encodePlain, PAYLOAD, type SessionKeys, seal, unseal } from "../../src/hw/core/ipmi/packet.ts";
import { ipmiCrypto } from "../../src/hw/edge/ipmi-crypto.ts";

export interface RmcpBoardOptions {
  readonly suites: readonly (3 | 17)[];
  readonly user: string;
  readonly password: string;
  readonly kg?: string;
  /** Highest role that the account may ask for (IPMI v2.0, table 13-11): 3 operator, 4 administrator. */
  readonly roleMax?: number;
  /** Answers suite 3 whatever is asked, as python3-pyghmi's fakebmc does. */
  readonly answersSuite3?: boolean;
  /** Bytes behind every datagram of a session. */
  readonly trailingGarbage?: boolean;
}

export interface RmcpBoard {
  readonly port: number;
  power: "on" | "off";
  readonly sessionsOpened: () => number;
  close(): void;
}

interface Session {
  readonly suite: CipherSuite;
  readonly consoleId: number;
  readonly managedId: number;
  readonly boardNonce: Uint8Array;
  consoleNonce: Uint8Array;
  who: Uint8Array;
  keys: SessionKeys | undefined;
  sent: number;
}

const GUID = Uint8Array.from({ length: 16 }, (_, at) => at + 1);
const GARBAGE = Uint8Array.of(0xde, 0xad, 0xbe, 0xef);

const checksum = (bytes: Uint8Array) => -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
const hmac = ({ hash }: CipherSuite, key: Uint8Array, ...parts: Uint8Array[]) =>
  createHmac(hash, key)
    .update(concatBytes(...parts))
    .digest();

/** The answer to a message, with its completion code and data. */
function respond(message: Uint8Array, completionCode: number, data: readonly number[]): Uint8Array {
  const head = Uint8Array.of(message[3] ?? 0, ((message[1] ?? 0) & 0xfc) + 4);
  const body = concatBytes([message[0] ?? 0, message[4] ?? 0, message[5] ?? 0, completionCode], data);
  return concatBytes(head, [checksum(head)], body, [checksum(body)]);
}

/** Starts the board on a free port of 127.0.0.1, its machine on. */
export function startRmcpBoard(options: RmcpBoardOptions): Promise<RmcpBoard> {
  const socket = createSocket("udp4");
  const sessions = new Map<number, Session>();
  let opened = 0;
  const password = latin1Bytes(options.password);

  function command(message: Uint8Array, session: Session | undefined): Uint8Array {
    const netFn = (message[1] ?? 0) >> 2;
    const code = message[5] ?? 0;
    const argument = message[6] ?? 0;
    if (netFn === 6 && code === 0x38) return respond(message, 0, [1, 0x80, 0x04, 0x03, 0, 0, 0, 0]);
    if (session === undefined) return respond(message, 0xd4, []);
    if (netFn === 6 && code === 0x3b) return respond(message, 0, [argument]);
    if (netFn === 6 && code === 0x3c) {
      sessions.delete(session.managedId);
      return respond(message, 0, []);
    }
    if (netFn === 6 && code === 0x01) {
      return respond(message, 0, [0x20, 1, 2, 0x15, 0x02, 0, 0xa2, 0x02, 0, 0x00, 0x01, 0, 0, 0, 0]);
    }
    if (netFn === 0 && code === 0x01) return respond(message, 0, [board.power === "on" ? 0x21 : 0x20, 0, 0, 0]);
    if (netFn === 0 && code === 0x02 && argument <= 1) {
      board.power = argument === 1 ? "on" : "off";
      return respond(message, 0, []);
    }
    return respond(message, 0xc1, []);
  }

  function openSession(payload: Uint8Array): Uint8Array {
    const tag = payload[0] ?? 0;
    const consoleId = readU32(payload, 4);
    const wanted = options.suites.find((id) => {
      const { authentication, integrity, confidentiality } = CIPHER_SUITES[id];
      return payload[12] === authentication && payload[20] === integrity && payload[28] === confidentiality;
    });
    const id = options.answersSuite3 === true ? 3 : wanted;
    if (id === undefined) return concatBytes([tag, 0x11, 0, 0], u32Bytes(consoleId));
    const suite = CIPHER_SUITES[id];
    const managedId = randomBytes(4).readUInt32LE() | 1;
    opened += 1;
    sessions.set(managedId >>> 0, {
      suite,
      consoleId,
      managedId: managedId >>> 0,
      boardNonce: randomBytes(16),
      consoleNonce: new Uint8Array(16),
      who: new Uint8Array(0),
      keys: undefined,
      sent: 0,
    });
    const algorithm = (type: number, value: number) => [type, 0, 0, 8, value, 0, 0, 0];
    return concatBytes(
      [tag, 0, payload[1] ?? 0, 0],
      u32Bytes(consoleId),
      u32Bytes(managedId),
      algorithm(0, suite.authentication),
      algorithm(1, suite.integrity),
      algorithm(2, suite.confidentiality),
    );
  }

  function rakp2(payload: Uint8Array): Uint8Array | undefined {
    const session = sessions.get(readU32(payload, 4));
    if (session === undefined) return undefined;
    session.consoleNonce = payload.slice(8, 24);
    const name = payload.slice(28, 28 + (payload[27] ?? 0));
    session.who = concatBytes([payload[24] ?? 0, name.length], name);
    const head = (status: number) => concatBytes([payload[0] ?? 0, status, 0, 0], u32Bytes(session.consoleId));
    if (Buffer.from(name).toString("latin1") !== options.user) return head(0x0d);
    if (((payload[24] ?? 0) & 0x0f) > (options.roleMax ?? 4)) return head(0x0a);
    const { suite, consoleId, managedId, boardNonce, consoleNonce, who } = session;
    const ids = concatBytes(u32Bytes(consoleId), u32Bytes(managedId));
    return concatBytes(head(0), boardNonce, GUID, hmac(suite, password, ids, consoleNonce, boardNonce, GUID, who));
  }

  function rakp4(payload: Uint8Array): Uint8Array | undefined {
    const session = sessions.get(readU32(payload, 4));
    if (session === undefined) return undefined;
    const { suite, consoleId, managedId, boardNonce, consoleNonce, who } = session;
    const head = (status: number) => concatBytes([payload[0] ?? 0, status, 0, 0], u32Bytes(consoleId));
    const expected = hmac(suite, password, boardNonce, u32Bytes(consoleId), who);
    if (!Buffer.from(payload.slice(8)).equals(expected)) return head(0x0f);
    const key = options.kg === undefined ? password : latin1Bytes(options.kg);
    const sik = hmac(suite, key, consoleNonce, boardNonce, who);
    const constant = (value: number) => new Uint8Array(20).fill(value);
    session.keys = { k1: hmac(suite, sik, constant(1)), k2: hmac(suite, sik, constant(2)) };
    const check = hmac(suite, sik, consoleNonce, u32Bytes(managedId), GUID);
    return concatBytes(head(0), check.subarray(0, suite.codeBytes));
  }

  function sealed(bytes: Uint8Array, id: number): Uint8Array | undefined {
    const session = sessions.get(id);
    if (session?.keys === undefined) return undefined;
    const message = unseal(ipmiCrypto, session.suite, session.keys, bytes);
    if (message === undefined) return undefined;
    session.sent += 1;
    const { suite, keys, consoleId, sent } = session;
    const answer = seal(ipmiCrypto, suite, keys, consoleId, sent, randomBytes(16), command(message, session));
    return options.trailingGarbage === true ? concatBytes(answer, GARBAGE) : answer;
  }

  function answerTo(bytes: Uint8Array): Uint8Array | undefined {
    const packet = decodePacket(bytes);
    if (packet.kind === "version-1.5") {
      const message = command(packet.message, undefined);
      return concatBytes([6, 0, 0xff, 7, 0], u32Bytes(0), u32Bytes(0), [message.length], message);
    }
    if (packet.kind === "sealed") return sealed(bytes, packet.sessionId);
    if (packet.kind !== "plain") return undefined;
    const table: Readonly<Record<number, [number, (payload: Uint8Array) => Uint8Array | undefined]>> = {
      [PAYLOAD.openSessionRequest]: [PAYLOAD.openSessionResponse, openSession],
      [PAYLOAD.rakp1]: [PAYLOAD.rakp2, rakp2],
      [PAYLOAD.rakp3]: [PAYLOAD.rakp4, rakp4],
    };
    const entry = table[packet.payloadType];
    const payload = entry?.[1](packet.payload);
    return entry === undefined || payload === undefined ? undefined : encodePlain(entry[0], payload);
  }

  const board: RmcpBoard = { port: 0, power: "on", sessionsOpened: () => opened, close: () => socket.close() };
  socket.on("message", (bytes: Uint8Array, client: RemoteInfo) => {
    const answer = answerTo(bytes);
    if (answer !== undefined) socket.send(answer, client.port, client.address);
  });
  return new Promise((resolve) => {
    socket.bind(0, "127.0.0.1", () => resolve(Object.assign(board, { port: socket.address().port })));
  });
}
