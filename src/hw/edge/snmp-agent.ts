/**
 * SNMP v1, v2c and v3 to a PDU, by the library net-snmp, which is loaded with the first such device.
 * A wrong community is met with silence by design, so silence names it among its reasons.
 */
import type { Session, SessionOptions, SessionOptionsV3, Varbind } from "net-snmp";
import type { SnmpAgent, SnmpAnswer } from "../core/snmp/agent.ts";
import { connectionFault } from "./connection-fault.ts";

export interface SnmpTarget {
  readonly host: string;
  readonly port: number;
  readonly version: "1" | "2c" | "3";
  /** The community of v1 and v2c, the authentication password of v3. */
  readonly password: string;
  /** v3 only. */
  readonly user: string | undefined;
  readonly privacyPassword: string | undefined;
  readonly auth: "md5" | "sha" | "sha256" | "sha512";
  readonly privacy: "des" | "aes" | "aes256";
  /** For one question with its resends. */
  readonly budgetMs: number;
}

export interface OpenSnmpAgent extends SnmpAgent {
  close(): void;
}

/** A lost datagram costs a fourth of the budget. */
const SENDS = 4;

type Library = typeof import("net-snmp");

function createSession(snmp: Library, target: SnmpTarget): Session {
  const { host, port, version, password, user, privacyPassword, auth, privacy, budgetMs } = target;
  const common = { port, retries: SENDS - 1, timeout: Math.floor(budgetMs / SENDS), backoff: 1 };
  if (version !== "3") {
    const options: SessionOptions = { ...common, version: version === "1" ? snmp.Version1 : snmp.Version2c };
    return snmp.createSession(host, password, options);
  }
  const account = {
    name: user ?? "",
    authProtocol: snmp.AuthProtocols[auth],
    authKey: password,
  };
  const options: SessionOptionsV3 = { ...common, version: snmp.Version3 };
  return privacyPassword === undefined
    ? snmp.createV3Session(host, { ...account, level: snmp.SecurityLevel.authNoPriv }, options)
    : snmp.createV3Session(
        host,
        {
          ...account,
          level: snmp.SecurityLevel.authPriv,
          // Of the two drafts for 256 bits this is the one that Debian's snmpd speaks.
          privProtocol: snmp.PrivProtocols[privacy === "aes256" ? "aes256b" : privacy],
          privKey: privacyPassword,
        },
        options,
      );
}

/** The library's words for what agents report of a v3 login, and what is to be done. */
const LOGIN_FAULTS: readonly (readonly [RegExp, string])[] = [
  [/unknown.?user/i, "the agent does not know this user; correct user="],
  [/wrong.?digest|authentication/i, "the agent does not accept this password or auth=; correct the secrets file"],
  [/decrypt/i, "the agent does not accept the privacy password or privacy=; correct the secrets file"],
  [/unsupported.?sec/i, "the agent wants another security level: give or remove privacy_secret"],
];

function judge(error: Error & { code?: string }, target: SnmpTarget, isWrite: boolean): SnmpAnswer {
  const { host, port, version, budgetMs } = target;
  const fault = LOGIN_FAULTS.find(([pattern]) => pattern.test(error.message));
  if (fault !== undefined) return { kind: "refused", reason: fault[1] };
  if (error.name === "RequestTimedOutError") {
    // What an agent cannot read it does not answer, and says nothing of it.
    const unread = version === "3" ? "the privacy password is wrong" : "it does not know the community";
    const why = `it is not reached, SNMP is off there, or ${unread}`;
    const remedy = "look at host, at the agent's access list and at the secrets file";
    const reason = `${host} port ${port} gave no answer within ${budgetMs} ms: ${why}; ${remedy}`;
    return { kind: "silent", maybeReceived: isWrite, reason };
  }
  if (error.name === "RequestFailedError") {
    if (/noaccess|notwritable|readonly|authorization/i.test(error.message))
      return {
        kind: "refused",
        reason: `the agent lets this account read only (${error.message}); give it write access`,
      };
    return {
      kind: "refused",
      reason: `the agent refuses: ${error.message}; is it this model, and is there this outlet?`,
    };
  }
  if (error.code !== undefined) {
    const reason = connectionFault(error, { host, port, protocol: "UDP", service: "its SNMP agent" });
    return { kind: "refused", reason };
  }
  return { kind: "silent", maybeReceived: isWrite, reason: `${host} port ${port}: ${error.message}` };
}

/** The integers of an answer; a hole in it is a refusal. */
function valuesOf(snmp: Library, found: readonly Varbind[]): SnmpAnswer {
  const values: number[] = [];
  for (const varbind of found) {
    if (snmp.isVarbindError(varbind) || typeof varbind.value !== "number") {
      const reason = `the agent has no number at ${varbind.oid}: is it this model, and is there this outlet?`;
      return { kind: "refused", reason };
    }
    values.push(varbind.value);
  }
  return { kind: "values", values };
}

export async function openSnmpAgent(target: SnmpTarget): Promise<OpenSnmpAgent> {
  const snmp = (await import("net-snmp")).default;
  const session = createSession(snmp, target);
  // An error of the socket itself is told to whoever asks; without a listener it would end the process.
  session.on("error", () => {});
  const ask = (isWrite: boolean, send: (done: (error: Error | null, found?: Varbind[]) => void) => void) =>
    new Promise<SnmpAnswer>((resolve) => {
      send((error, found) => {
        resolve(error === null ? valuesOf(snmp, found ?? []) : judge(error, target, isWrite));
      });
    });
  return {
    read: (oids) => ask(false, (done) => session.get([...oids], done)),
    write: (writes) =>
      ask(true, (done) =>
        session.set(
          writes.map(({ oid, value }) => ({ oid, value, type: snmp.ObjectType.Integer })),
          done,
        ),
      ),
    close: () => void session.close(),
  };
}
