/**
 * A board that speaks IPMI 1.5 only, for one run: logs in with the first question, asks one thing at a time, resends
 * what was not answered, logs out. Nothing here rejects for what the network does.
 */
import { createHash, randomInt } from "node:crypto";
import { faultOfAccount, type IpmiAccount, PRIVILEGES } from "../core/ipmi/account.ts";
import {
  type Bmc,
  chassisControl,
  GET_CHASSIS_STATUS,
  GET_DEVICE_ID,
  readControl,
  readIdentity,
  readPower,
} from "../core/ipmi/bmc.ts";
import { toHex, u32Bytes } from "../core/ipmi/bytes.ts";
import type { IpmiFault } from "../core/ipmi/fault.ts";
import { noSession, PRIVILEGE } from "../core/ipmi/fault.ts";
import {
  askActivation,
  askCapabilities,
  askChallenge,
  encodeOpen,
  encodeSigned,
  judgeActivation,
  judgeCapabilities,
  judgeChallenge,
  type Md5,
  openPacket,
  readActivation,
  readChallenge,
  SECRET_15_BYTES_MAX,
  type Session15,
} from "../core/ipmi/lan15.ts";
import { decodeResponse, type IpmiRequest, type IpmiResponse, NETFN } from "../core/ipmi/message.ts";
import { type IpmiResult, RESEND_CAP_MS, RESEND_FIRST_MS } from "../core/ipmi/session-state.ts";
import { createWire, type WireTarget } from "./udp-wire.ts";

export interface Ipmi15Target extends WireTarget {
  readonly account: IpmiAccount;
  /** For one call, logging in included. */
  readonly budgetMs: number;
}

export interface Ipmi15Connection extends Bmc {
  /** Without waiting for the board. */
  close(): void;
}

const SET_SESSION_PRIVILEGE = 0x3b;
const CLOSE_SESSION = 0x3c;
const GET_SYSTEM_GUID = 0x37;
const REQUEST_SEQUENCES = 64;

const md5: Md5 = (data) => createHash("md5").update(data).digest();

type Opened = { readonly kind: "open" } | Exclude<IpmiResult, { readonly kind: "response" }>;

export function createIpmi15Connection(target: Ipmi15Target): Ipmi15Connection {
  const { account, budgetMs } = target;
  const privilege = PRIVILEGES[account.privilege];
  let session: Session15 | undefined;
  /** Of our next packet within the session. */
  let sequence = 0;
  let requestSequence = randomInt(REQUEST_SEQUENCES);
  let hint: string | undefined;
  let onPacket: (bytes: Uint8Array) => void = () => {};
  const wire = createWire(
    target,
    (bytes) => onPacket(bytes),
    (reason) => {
      hint = reason;
    },
  );

  /** One answer, or undefined by the deadline. The same request number for every copy, a new packet number each. */
  function exchange(
    request: IpmiRequest,
    signedBy: Session15 | undefined,
    deadlineAtMs: number,
  ): Promise<IpmiResponse | undefined> {
    requestSequence = (requestSequence + 1) % REQUEST_SEQUENCES;
    const own = requestSequence;
    return new Promise((resolve) => {
      let waitMs = RESEND_FIRST_MS;
      let timer: NodeJS.Timeout | undefined;
      const end = (response: IpmiResponse | undefined) => {
        clearTimeout(timer);
        onPacket = () => {};
        resolve(response);
      };
      const send = () => {
        const leftMs = deadlineAtMs - performance.now();
        if (leftMs <= 0) {
          end(undefined);
          return;
        }
        if (signedBy === undefined) wire.send(encodeOpen(request, own));
        else {
          wire.send(encodeSigned(md5, signedBy, sequence, request, own));
          // The login itself bears the number 0, and so does its copy.
          if (session !== undefined) sequence = (sequence + 1) >>> 0 || 1;
        }
        timer = setTimeout(send, Math.min(waitMs, leftMs));
        waitMs = Math.min(2 * waitMs, RESEND_CAP_MS);
      };
      onPacket = (bytes) => {
        const message = openPacket(md5, signedBy, bytes);
        const response = message === undefined ? undefined : decodeResponse(message, request, own);
        if (response !== undefined) end(response);
      };
      send();
    });
  }

  const silent = (reason: string, maybeReceived = false): Opened => ({ kind: "silent", maybeReceived, reason });
  const refused = (fault: IpmiFault): Opened => ({ kind: "refused", fault });

  async function logIn(deadlineAtMs: number): Promise<Opened> {
    const nobody = () => silent(noSession(budgetMs, hint));
    const capabilities = await exchange(askCapabilities(privilege), undefined, deadlineAtMs);
    if (capabilities === undefined) return nobody();
    const lack = judgeCapabilities(capabilities.data);
    if (lack !== undefined) return refused(lack);
    const asked = await exchange(askChallenge(account.user), undefined, deadlineAtMs);
    if (asked === undefined) return nobody();
    const stranger = judgeChallenge(asked.completionCode);
    const challenge = readChallenge(asked.data);
    if (stranger !== undefined) return refused(stranger);
    if (challenge === undefined) return silent("the board's challenge is cut short");
    const login: Session15 = { id: challenge.id, password: account.password };
    sequence = 0;
    const activated = await exchange(askActivation(privilege, challenge.challenge), login, deadlineAtMs);
    // Boards do not answer a wrong password: they cannot sign what they would say.
    if (activated === undefined)
      return silent("the board does not answer the login: a wrong password; correct the secrets file");
    const objection = judgeActivation(activated.completionCode);
    const active = readActivation(activated.data);
    if (objection !== undefined) return refused(objection);
    if (active === undefined) return silent("the board's session is cut short");
    session = { id: active.id, password: account.password };
    ({ sequence } = active);
    const raised = await exchange(
      { netFn: NETFN.app, command: SET_SESSION_PRIVILEGE, data: [privilege] },
      session,
      deadlineAtMs,
    );
    if (raised === undefined) return nobody();
    return raised.completionCode === 0 ? { kind: "open" } : refused(PRIVILEGE);
  }

  async function ask(request: IpmiRequest): Promise<IpmiResult> {
    const fault = faultOfAccount(account) ?? tooLong(account);
    if (fault !== undefined) return { kind: "refused", fault };
    const deadlineAtMs = performance.now() + budgetMs;
    if (session === undefined) {
      const opened = await logIn(deadlineAtMs);
      if (opened.kind !== "open") {
        hangUp();
        return opened;
      }
    }
    const response = await exchange(request, session, deadlineAtMs);
    if (response !== undefined) return { kind: "response", ...response };
    // It may have forgotten the session: the next question logs in anew.
    hangUp();
    const reason = `the board took the login, but did not answer the request within ${budgetMs} ms`;
    return { kind: "silent", maybeReceived: true, reason };
  }

  function hangUp(): void {
    if (session === undefined) return;
    const request = { netFn: NETFN.app, command: CLOSE_SESSION, data: [...u32Bytes(session.id)] };
    wire.send(encodeSigned(md5, session, sequence, request, 0));
    session = undefined;
  }

  return {
    power: async () => readPower(await ask(GET_CHASSIS_STATUS)),
    control: async (command) => readControl(await ask(chassisControl(command))),
    async identity() {
      const device = await ask(GET_DEVICE_ID);
      const guid = await ask({ netFn: NETFN.app, command: GET_SYSTEM_GUID, data: [] });
      const isTold = guid.kind === "response" && guid.completionCode === 0 && guid.data.length >= 16;
      return readIdentity(device, isTold ? toHex(guid.data.subarray(0, 16)) : "");
    },
    close() {
      hangUp();
      wire.close();
    },
  };
}

function tooLong({ password }: IpmiAccount): IpmiFault | undefined {
  if (password.length <= SECRET_15_BYTES_MAX) return undefined;
  return {
    code: "bad-account",
    reason: `the password has more than ${SECRET_15_BYTES_MAX} characters`,
    remedy: `choose a password of at most ${SECRET_15_BYTES_MAX} characters: IPMI 1.5 carries no more`,
  };
}
