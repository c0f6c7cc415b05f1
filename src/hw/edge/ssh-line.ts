/** A line of text to a board's command shell over ssh: iLO, iDRAC, CMC. */
import type { Client, ClientChannel } from "ssh2";
import type { TextLine } from "../core/text/line.ts";
import { loginBySsh, type SshLogin } from "./ssh-login.ts";
import { createTextBuffer, TEXT_HANG_UP_MS } from "./text-buffer.ts";

/** `answerMs`: for the login, for the shell and for one expectation. */
export interface SshTarget extends SshLogin {
  readonly logout: string;
}

export interface SshLine extends TextLine {
  close(): void;
}

export type SshOpened =
  | { readonly kind: "open"; readonly line: SshLine }
  | { readonly kind: "refused"; readonly reason: string };

function lineOver(client: Client, channel: ClientChannel, { password, logout, answerMs }: SshTarget): SshLine {
  const buffer = createTextBuffer(answerMs);
  channel.on("data", (bytes: Buffer) => buffer.append(bytes.toString("latin1")));
  channel.on("close", () => buffer.close());
  client.on("close", () => buffer.close());
  return {
    sendLine: (words) => void channel.write(`${words}\r`),
    sendPassword: () => void channel.write(`${password}\r`),
    expect: (pattern) => buffer.expect(pattern),
    close() {
      channel.end(`${logout}\r`);
      // A board that does not hang up by itself must not keep the line.
      setTimeout(() => client.end(), TEXT_HANG_UP_MS).unref();
    },
  };
}

/** Logs in and opens a shell within `answerMs` each. */
export async function openSsh(target: SshTarget): Promise<SshOpened> {
  const { host, answerMs } = target;
  const login = await loginBySsh(target);
  if (login.kind === "refused") return login;
  const { client } = login;
  return await new Promise((resolve) => {
    const refuse = (reason: string) => {
      clearTimeout(timer);
      client.destroy();
      resolve({ kind: "refused", reason });
    };
    const timer = setTimeout(() => refuse(`${host}: no shell within ${answerMs} ms of the login`), answerMs);
    client.on("close", () => refuse(`${host} hangs up after the login`));
    client.shell({ term: "dumb", cols: 200, rows: 50 }, (error, channel) => {
      if (error !== undefined) return refuse(`${host} gives no shell: ${error.message}`);
      clearTimeout(timer);
      resolve({ kind: "open", line: lineOver(client, channel, target) });
    });
  });
}
