/**
 * A telnet line to an old board (RSA, DRAC/MC, AMM): one login, bounded waits, nothing of the password in any log.
 * It is unencrypted; the boards that need it have nothing better, and belong on a network of their own.
 */
import { connect } from "node:net";
import { stripTelnet, type TextLine } from "../core/text/line.ts";
import { connectionFault, noConnection } from "./connection-fault.ts";
import { createTextBuffer, TEXT_HANG_UP_MS } from "./text-buffer.ts";

export interface TelnetTarget {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  readonly logout: string;
  /** For one expectation. */
  readonly answerMs: number;
}

export interface TelnetLine extends TextLine {
  close(): void;
}

export type TelnetOpened =
  | { readonly kind: "open"; readonly line: TelnetLine }
  | { readonly kind: "refused"; readonly reason: string };

/** Connects within one `answerMs`. */
export function openTelnet(target: TelnetTarget): Promise<TelnetOpened> {
  const { host, port, password, logout, answerMs } = target;
  const place = { host, port, protocol: "TCP", service: "telnet" } as const;
  const socket = connect({ host, port });
  const buffer = createTextBuffer(answerMs);
  let rest: Uint8Array = new Uint8Array();

  socket.on("data", (bytes: Uint8Array) => {
    const stripped = stripTelnet(Buffer.concat([rest, bytes]));
    rest = stripped.rest;
    if (stripped.reply.length > 0) socket.write(stripped.reply);
    buffer.append(stripped.text);
  });
  socket.on("close", () => buffer.close());

  const line: TelnetLine = {
    sendLine: (words) => void socket.write(`${words}\r`, "latin1"),
    sendPassword: () => void socket.write(`${password}\r`, "latin1"),
    expect: (pattern) => buffer.expect(pattern),
    close() {
      socket.end(`${logout}\r`, "latin1");
      // A board that does not hang up by itself must not keep the line.
      setTimeout(() => socket.destroy(), TEXT_HANG_UP_MS).unref();
    },
  };
  return new Promise((resolve) => {
    const fail = (reason: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ kind: "refused", reason });
    };
    const timer = setTimeout(() => fail(noConnection(place, answerMs)), answerMs);
    socket.on("error", (error) => fail(connectionFault(error, place)));
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve({ kind: "open", line });
    });
  });
}
