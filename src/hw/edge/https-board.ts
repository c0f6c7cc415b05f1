/** A board over HTTPS with basic authentication: one checked connection a request, bounded in time and size. */
import { request as httpRequest } from "node:http";
import { performance } from "node:perf_hooks";
import type { WebAnswer, WebBoard } from "../core/web/answer.ts";
import { openTls, type TlsTarget } from "./tls-board.ts";

export interface WebTarget extends TlsTarget {
  readonly user: string;
  readonly password: string;
  /** For one request, connecting included. */
  readonly budgetMs: number;
}

/** A ComputerSystem of a large machine has some 20 KB. */
const BODY_BYTES_MAX = 1_000_000;

export function createWebBoard(target: WebTarget): WebBoard {
  const { host, user, password, budgetMs } = target;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  return {
    async request(method, path, body) {
      const startedAtMs = performance.now();
      const opened = await openTls(target, budgetMs);
      if (opened.kind === "refused") return opened;
      const { socket } = opened;
      const text = body === undefined ? undefined : JSON.stringify(body);
      const leftMs = Math.max(1, budgetMs - (performance.now() - startedAtMs));
      return new Promise<WebAnswer>((resolve) => {
        const silent = (reason: string) => end({ kind: "silent", maybeReceived: true, reason });
        const timer = setTimeout(() => silent(`${host} did not answer within ${budgetMs} ms`), leftMs);
        const end = (answer: WebAnswer) => {
          clearTimeout(timer);
          socket.destroy();
          resolve(answer);
        };
        const request = httpRequest(
          {
            method,
            path,
            createConnection: () => socket,
            headers: {
              host,
              authorization,
              accept: "application/json",
              connection: "close",
              "odata-version": "4.0",
              ...(text === undefined
                ? {}
                : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
            },
          },
          (response) => {
            let received = "";
            response.setEncoding("utf8");
            response.on("data", (piece: string) => {
              received += piece;
              if (received.length > BODY_BYTES_MAX) silent(`${host} sent more than ${BODY_BYTES_MAX} bytes`);
            });
            response.on("end", () => end({ kind: "response", status: response.statusCode ?? 0, body: received }));
            response.on("error", () => silent(`${host} hung up in its answer`));
          },
        );
        request.on("error", () => silent(`${host} hung up before it answered`));
        request.end(text);
      });
    },
  };
}
