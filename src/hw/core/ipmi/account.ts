/**
 * What a session logs in with, and the rules that refuse a weak or impossible account before a packet is sent.
 * Facts: IPMI v2.0 rev. 1.1, section 13.20 (user name 16 bytes), 22.30 (password 20 bytes), 13.31 (key KG 20 bytes).
 */
import type { IpmiFault } from "./fault.ts";

export const PRIVILEGES = { user: 2, operator: 3, administrator: 4 } as const;
export type IpmiPrivilege = keyof typeof PRIVILEGES;

export interface IpmiAccount {
  readonly user: string;
  readonly password: string;
  /** The board's own key, where it has one (two-key login). */
  readonly kg?: string;
  readonly suite: 3 | 17;
  /** OPERATOR is enough to switch power. */
  readonly privilege: IpmiPrivilege;
}

const USER_BYTES_MAX = 16;
const SECRET_BYTES_MAX = 20;

function bad(reason: string, remedy: string): IpmiFault {
  return { code: "bad-account", reason, remedy };
}

/** Why this account is refused, or undefined. Never repeats a secret. */
export function faultOfAccount({ user, password, kg }: IpmiAccount): IpmiFault | undefined {
  if (password === "") return bad("an empty password is refused", "give the board's user a password");
  if (password.length > SECRET_BYTES_MAX) {
    return bad(
      `the password has more than ${SECRET_BYTES_MAX} characters`,
      `choose a password of at most ${SECRET_BYTES_MAX} characters: IPMI 2.0 carries no more`,
    );
  }
  if (kg !== undefined && (kg === "" || kg.length > SECRET_BYTES_MAX)) {
    return bad("the key KG is empty or too long", `give 1 to ${SECRET_BYTES_MAX} characters, or no kg at all`);
  }
  if (user.length > USER_BYTES_MAX) {
    return bad(`the user name has more than ${USER_BYTES_MAX} characters`, "use the name as the board knows it");
  }
  return undefined;
}
