/** Raw documents over TLS with a pinned certificate: a connection a question, bounded in time and size. */
import { performance } from "node:perf_hooks";
import type { DocumentAnswer, DocumentBoard } from "../core/tls/document.ts";
import { openTls, type TlsTarget } from "./tls-board.ts";

export interface DocumentTarget extends TlsTarget {
  readonly password: string;
  /** For one exchange, connecting included. */
  readonly budgetMs: number;
}

const TEXT_MAX = 262_144;
/** iLO wants its XML header alone in a packet; without a pause the kernel would join the pieces. */
const PIECE_PAUSE_MS = 50;

export function createDocumentBoard(target: DocumentTarget): DocumentBoard {
  const { host, password, budgetMs } = target;
  return {
    async exchange(pieces, isWhole) {
      const startedAtMs = performance.now();
      const opened = await openTls(target, budgetMs);
      if (opened.kind === "refused") return opened;
      const { socket } = opened;
      socket.setNoDelay(true);
      const leftMs = Math.max(1, budgetMs - (performance.now() - startedAtMs));
      return new Promise<DocumentAnswer>((resolve) => {
        let received = "";
        const timers: NodeJS.Timeout[] = [];
        const end = (answer: DocumentAnswer) => {
          timers.forEach(clearTimeout);
          socket.destroy();
          resolve(answer);
        };
        const finish = (reason: string) =>
          end(isWhole(received) ? { kind: "text", text: received } : { kind: "silent", reason });
        timers.push(setTimeout(() => finish(`${host} did not answer within ${budgetMs} ms`), leftMs));
        socket.on("data", (bytes: Buffer) => {
          received += bytes.toString("latin1");
          if (received.length > TEXT_MAX) finish(`${host} sent more than ${TEXT_MAX} bytes`);
          else if (isWhole(received)) finish("");
        });
        socket.on("error", () => finish(`${host} hung up in its answer`));
        socket.on("close", () => finish(`${host} hung up before its answer was whole`));
        for (const [index, piece] of pieces(password).entries()) {
          timers.push(setTimeout(() => socket.write(piece, "latin1"), index * PIECE_PAUSE_MS));
        }
      });
    },
  };
}
