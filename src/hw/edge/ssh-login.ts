/**
 * The login by ssh: the host key is pinned and checked before the password goes out. The library is loaded with the
 * first such device, for most nodes have none.
 * Old boards speak nothing that is offered today: `isLegacy` adds what they know, and what they know is weak.
 */
import { createHash } from "node:crypto";
import type { Client, ConnectConfig } from "ssh2";
import { connectionFault } from "./connection-fault.ts";

export interface SshLogin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** As `ssh-keygen -lf` prints it: SHA256: and 43 signs. */
  readonly hostKey: string;
  readonly isLegacy: boolean;
  readonly answerMs: number;
}

export type SshLoggedIn =
  | { readonly kind: "open"; readonly client: Client }
  | { readonly kind: "refused"; readonly reason: string };

/** What iLO 2 and 3, DRAC 5 and iDRAC 6 need; the library offers none of it by itself. */
const LEGACY_ALGORITHMS = {
  kex: ["diffie-hellman-group14-sha1", "diffie-hellman-group1-sha1", "diffie-hellman-group-exchange-sha1"],
  cipher: ["aes128-cbc", "aes256-cbc", "3des-cbc"],
  serverHostKey: ["ssh-rsa", "ssh-dss"],
  hmac: ["hmac-sha1", "hmac-md5"],
} as const;

/** As OpenSSH prints fingerprints. */
export function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

function describe(error: Error & { level?: string; code?: string }, { host, port, answerMs }: SshLogin): string {
  if (error.level === "client-authentication") {
    return "the board does not know this user or password; correct the secrets file";
  }
  if (error.level === "client-timeout") {
    const remedy = "look whether it has power and network, or correct host";
    return `${host} port ${port}: no ssh login within ${answerMs} ms; ${remedy}`;
  }
  if (/no matching/i.test(error.message)) {
    return `${host} speaks none of the ciphers offered (${error.message}); add ssh=legacy`;
  }
  return connectionFault(error, { host, port, protocol: "TCP", service: "ssh" });
}

function describeForeign(seenKey: string | undefined, { hostKey }: SshLogin): string {
  const remedy = "look at the board's own page, then correct hostkey";
  const words = `its host key is ${seenKey}, expected was ${hostKey}`;
  return `this is another board, or somebody in between: ${words}; ${remedy}`;
}

function configurationOf(target: SshLogin, noteKey: (fingerprint: string) => void): ConnectConfig {
  const { host, port, user, password, hostKey, isLegacy, answerMs } = target;
  return {
    host,
    port,
    username: user,
    password,
    // Some boards ask for the password as a question.
    tryKeyboard: true,
    readyTimeout: answerMs,
    hostVerifier: (key: Buffer) => {
      noteKey(fingerprintOf(key));
      return fingerprintOf(key) === hostKey;
    },
    ...(isLegacy
      ? {
          algorithms: {
            kex: { append: [...LEGACY_ALGORITHMS.kex], prepend: [], remove: [] },
            cipher: { append: [...LEGACY_ALGORITHMS.cipher], prepend: [], remove: [] },
            serverHostKey: { append: [...LEGACY_ALGORITHMS.serverHostKey], prepend: [], remove: [] },
            hmac: { append: [...LEGACY_ALGORITHMS.hmac], prepend: [], remove: [] },
          },
        }
      : {}),
  };
}

/** Logs in within `answerMs`; the line ends when the client is ended. */
export async function loginBySsh(target: SshLogin): Promise<SshLoggedIn> {
  const { Client: SshClient } = await import("ssh2");
  const client = new SshClient();
  let seenKey: string | undefined;
  return await new Promise((resolve) => {
    client.on("error", (error: Error & { level?: string; code?: string }) => {
      const isForeign = seenKey !== undefined && seenKey !== target.hostKey;
      client.destroy();
      resolve({ kind: "refused", reason: isForeign ? describeForeign(seenKey, target) : describe(error, target) });
    });
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, finish) =>
      finish(prompts.map(() => target.password)),
    );
    client.on("ready", () => resolve({ kind: "open", client }));
    client.connect(configurationOf(target, (fingerprint) => (seenKey = fingerprint)));
  });
}
