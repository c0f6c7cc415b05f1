/**
 * A line to a NUT server: log in, one question, one answer. Unencrypted: a NUT server belongs on the node itself, or on
 * a network of its own.
 * Fact: RFC 9271 (UPS management protocol): sections 4.2 and 5.
 */
import { connect } from "node:net";
import type { UpsAnswer, UpsServer } from "../core/nut/ups-server.ts";
import { connectionFault, noConnection } from "./connection-fault.ts";
import { createTextBuffer } from "./text-buffer.ts";

export interface NutTarget {
  readonly host: string;
  readonly port: number;
  readonly ups: string;
  readonly user: string;
  readonly password: string;
  readonly answerMs: number;
}

export interface NutClient extends UpsServer {
  close(): void;
}

export type NutOpened =
  | { readonly kind: "open"; readonly server: NutClient }
  | { readonly kind: "refused"; readonly reason: string };

/** Connects within one `answerMs`; the login is believed, for upsd checks it with the first command that needs it. */
export function openNut(target: NutTarget): Promise<NutOpened> {
  const { host, port, ups, user, password, answerMs } = target;
  const place = { host, port, protocol: "TCP", service: "upsd" } as const;
  const socket = connect({ host, port });
  const buffer = createTextBuffer(answerMs);
  socket.on("data", (bytes: Buffer) => buffer.append(bytes.toString("utf8")));
  socket.on("close", () => buffer.close());

  async function ask(line: string, isCommand: boolean): Promise<UpsAnswer> {
    if (socket.destroyed) return { kind: "lost", maybeReceived: false, reason: "the server has hung up" };
    socket.write(`${line}\n`);
    const said = await buffer.expect(/^.*\n/);
    if (said.kind !== "seen") {
      const reason = said.kind === "closed" ? "the server hung up" : `no answer within ${answerMs} ms`;
      // A late answer would be taken for that to the next question.
      socket.destroy();
      return { kind: "lost", maybeReceived: isCommand, reason };
    }
    const text = said.text.trim();
    const refused = /^ERR\s+(\S+)/.exec(text)?.[1];
    return refused === undefined ? { kind: "value", text } : { kind: "refused", code: refused };
  }

  const server: NutClient = {
    command: (name) => ask(`INSTCMD ${ups} ${name}`, true),
    async variable(name) {
      const answer = await ask(`GET VAR ${ups} ${name}`, false);
      if (answer.kind !== "value") return answer;
      const value = /^VAR \S+ \S+ "(.*)"$/.exec(answer.text)?.[1];
      return value === undefined
        ? { kind: "lost", maybeReceived: false, reason: `it cannot be read: ${answer.text.slice(0, 80)}` }
        : { kind: "value", text: value.replaceAll(/\\(.)/g, "$1") };
    },
    close() {
      if (!socket.destroyed) socket.end("LOGOUT\n");
      setTimeout(() => socket.destroy(), answerMs).unref();
    },
  };

  /** In upsd's own quotes, and without the line end that would be a further command. */
  const quoted = (text: string) => `"${text.replaceAll(/[\r\n]/g, "").replaceAll(/["\\]/g, "\\$&")}"`;

  return new Promise((resolve) => {
    const refuse = (reason: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ kind: "refused", reason });
    };
    const timer = setTimeout(() => refuse(noConnection(place, answerMs)), answerMs);
    socket.on("error", (error) => refuse(connectionFault(error, place)));
    socket.once("connect", () => {
      clearTimeout(timer);
      void (async () => {
        for (const line of [`USERNAME ${quoted(user)}`, `PASSWORD ${quoted(password)}`]) {
          const answer = await ask(line, false);
          if (answer.kind === "lost")
            return refuse(`${host} port ${port}: ${answer.reason}: is this a NUT server? Correct host and port`);
          if (answer.kind === "refused") return refuse(`the server refuses the login: ${answer.code}`);
        }
        resolve({ kind: "open", server });
      })();
    });
  });
}
