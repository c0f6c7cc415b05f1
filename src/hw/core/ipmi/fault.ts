/**
 * Why a board refuses a session: each fault its own reason and its own remedy, so that nobody has to guess between a
 * wrong password and a wrong cipher suite at three in the morning.
 * Facts: IPMI v2.0 rev. 1.1, table 13-15 (RMCP+ and RAKP status codes). Seen on ipmi_sim: 01h, 04h, 0Dh.
 */
export type IpmiFaultCode =
  | "bad-account"
  | "wrong-password"
  | "unknown-user"
  | "privilege"
  | "cipher-suite"
  | "no-session-slots"
  | "wrong-kg"
  | "queue-full"
  | "protocol";

export interface IpmiFault {
  readonly code: IpmiFaultCode;
  readonly reason: string;
  readonly remedy: string;
}

export const WRONG_PASSWORD: IpmiFault = {
  code: "wrong-password",
  reason: "the board does not know this password",
  remedy: "put the board's password for this user into the secrets file",
};

export const WRONG_KG: IpmiFault = {
  code: "wrong-kg",
  reason: "the board accepts the password, but not the key KG",
  remedy: "set the device's kg secret to the board's own KG, or remove it when the board has none",
};

export const PRIVILEGE: IpmiFault = {
  code: "privilege",
  reason: "the board does not grant this privilege level to the user",
  remedy: "give the user at least the OPERATOR level on the board's LAN channel",
};

export const NO_SLOTS: IpmiFault = {
  code: "no-session-slots",
  reason: "the board has no free session",
  remedy: "close other consoles on this board, or wait a minute until it has dropped the forgotten ones",
};

export const UNKNOWN_USER: IpmiFault = {
  code: "unknown-user",
  reason: "the board does not know this user, or the user is disabled",
  remedy: "set the device's user to an enabled account of the board",
};

/** IPMI v2.0, table 13-15: 9 invalid role, 10 unauthorized role or privilege, 11 no resources at this role. */
const STATUS_FAULTS: Readonly<Record<number, IpmiFault>> = {
  1: NO_SLOTS,
  9: PRIVILEGE,
  10: PRIVILEGE,
  11: NO_SLOTS,
  13: UNKNOWN_USER,
  15: WRONG_PASSWORD,
};

const SUITE_STATUS = new Set([0x04, 0x05, 0x10, 0x11]);

/** What a status code other than 0 in the answer `stage` means. */
export function faultOfStatus(stage: string, status: number, suiteId: number): IpmiFault {
  if (SUITE_STATUS.has(status)) return wrongSuite(suiteId);
  const known = STATUS_FAULTS[status];
  if (known !== undefined) return known;
  return {
    code: "protocol",
    reason: `${stage} was refused with status 0x${status.toString(16).padStart(2, "0")}`,
    remedy: "look the status up in the board's manual, and check that IPMI over LAN is enabled",
  };
}

/** The board does not take the suite, or answered with another one than asked. */
export function wrongSuite(suiteId: number): IpmiFault {
  const other = suiteId === 17 ? 3 : 17;
  return {
    code: "cipher-suite",
    reason: `the board does not speak cipher suite ${suiteId}`,
    remedy: `set the device's cipher_suite to ${other}, or enable suite ${suiteId} on the board`,
  };
}

/** `hint`: why nothing comes, in the words of the network; they say what to do themselves. */
export function noSession(waitedMs: number, hint: string | undefined): string {
  const why =
    hint === undefined ? "; look whether it has power and network, and IPMI over LAN is enabled" : ` (${hint})`;
  return `the board opened no session within ${waitedMs} ms${why}`;
}
