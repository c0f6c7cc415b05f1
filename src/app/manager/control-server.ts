/**
 * The server side of the control socket (docs/protocols/control-socket.md): connections, lines, subscriptions.
 * What is asked is answered elsewhere; here stands only the protocol. The socket is open to its owner and, where there
 * is one, to the group haclient; who is at the other end is told by the kernel.
 */
import { chmodSync, chownSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import path from "node:path";
import process from "node:process";
import type { Problem } from "../../base/problem.ts";
import type { Person } from "../../cluster/core/access/acl.ts";
import { readLines } from "../control-client.ts";
import {
  type AnswerLine,
  CONTROL_SOCKET,
  CONTROL_VERSION,
  type ControlRequest,
  type StatusReport,
} from "../control-protocol.ts";
import { readRequestLine } from "../request-line.ts";
import { CLUSTER_GROUP, groupId, personAt } from "./peer.ts";

export type Reply =
  | { readonly kind: "answer"; readonly value: unknown; readonly cautions?: readonly Problem[] }
  | { readonly kind: "refused"; readonly problems: readonly Problem[]; readonly isOutcomeUnknown?: true };

export interface ControlServer {
  /** Tells subscribers that the status has changed; several changes in a short time are told once. */
  readonly changed: () => void;
  readonly close: () => void;
}

/** More at a time is a fault of a client, and must not take the manager's memory. */
const CONNECTIONS_MAX = 64;
const REQUESTS_MAX = 64;
/** A subscriber that does not read is dropped, rather than kept in memory. */
const UNREAD_BYTES_MAX = 16 * 1024 * 1024;
const EVENT_EVERY_MS = 100;
const PAUSE_FACTOR = 10;

function send(socket: Socket, line: AnswerLine): void {
  if (socket.destroyed) return;
  if (socket.writableLength > UNREAD_BYTES_MAX) socket.destroy();
  else socket.write(`${JSON.stringify(line)}\n`);
}

function listen(server: Server, file: string): Promise<void> {
  mkdirSync(path.dirname(file), { recursive: true });
  rmSync(file, { force: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // The mask covers the moment between the making of the socket and its first use.
    const mask = process.umask(0o077);
    server.listen(file, () => {
      const group = groupId(CLUSTER_GROUP);
      if (group === undefined) chmodSync(file, 0o600);
      else {
        // The group may knock; what is answered is decided by who it is (see access-desk.ts).
        chownSync(file, process.getuid?.() ?? 0, group);
        chmodSync(file, 0o660);
      }
      resolve();
    });
    process.umask(mask);
  });
}

interface Subscriber {
  /** Of the request that has subscribed. */
  readonly id: number;
  readonly person: Person;
}

/** Rejects when the socket cannot be made: then nobody could ever ask this manager anything. */
export async function openControlServer(
  runDirectory: string,
  answer: (request: ControlRequest, person: Person) => Promise<Reply>,
  /** The picture as it is now, as a function of who may see how much of it. */
  status: () => Promise<(person: Person) => StatusReport>,
  /** Why that person may not ask this; empty when it goes on. */
  guard: (request: ControlRequest, person: Person) => readonly Problem[] = () => [],
): Promise<ControlServer> {
  const subscribers = new Map<Socket, Subscriber>();
  let timer: NodeJS.Timeout | undefined;

  /** On a slow machine a report takes long: most of the time must be left for the cluster. */
  let pauseMs = EVENT_EVERY_MS;

  const tellSubscribers = async () => {
    timer = undefined;
    if (subscribers.size === 0) return;
    const startedAtMs = performance.now();
    const reportFor = await status();
    pauseMs = Math.max(EVENT_EVERY_MS, PAUSE_FACTOR * (performance.now() - startedAtMs));
    for (const [socket, { id, person }] of subscribers) {
      // Rights may have been taken away since.
      const problems = guard({ kind: "subscribe" }, person);
      if (problems.length === 0) send(socket, { v: CONTROL_VERSION, id, kind: "event", status: reportFor(person) });
      else {
        subscribers.delete(socket);
        send(socket, { v: CONTROL_VERSION, id, kind: "refused", problems });
        socket.end();
      }
    }
  };

  const serve = (socket: Socket) => {
    let open = 0;
    const person = personAt(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => subscribers.delete(socket));
    readLines(socket, (line) => {
      const read = readRequestLine(line);
      const { id } = read;
      const refuse = (problems: readonly Problem[]) =>
        send(socket, { v: CONTROL_VERSION, id, kind: "refused", problems });
      if (read.kind === "bad") {
        refuse(read.problems);
        return;
      }
      // Only root may speak for others (SUDO_USER); everybody else is whom the kernel names.
      const request = person.uid === 0 ? read.request : { ...read.request, by: person.user };
      const refusals = guard(request, person);
      if (refusals.length > 0) {
        refuse(refusals);
        return;
      }
      if (request.kind === "subscribe") {
        subscribers.set(socket, { id, person });
        send(socket, { v: CONTROL_VERSION, id, kind: "answer", value: { text: "subscribed" } });
        changed();
        return;
      }
      if (open >= REQUESTS_MAX) {
        const reason = `${REQUESTS_MAX} requests of this connection wait already`;
        refuse([{ severity: "error", place: "request", reason, remedy: "wait for their answers" }]);
        return;
      }
      open += 1;
      void answer(request, person).then((reply) => {
        open -= 1;
        if (reply.kind === "answer") send(socket, { v: CONTROL_VERSION, id, ...reply });
        else refuse(reply.problems);
      });
    });
  };

  function changed(): void {
    if (subscribers.size > 0) timer ??= setTimeout(() => void tellSubscribers(), pauseMs);
  }

  const server = createServer(serve);
  server.maxConnections = CONNECTIONS_MAX;
  const file = path.join(runDirectory, CONTROL_SOCKET);
  await listen(server, file);
  return {
    changed,
    close() {
      clearTimeout(timer);
      server.close();
      for (const socket of subscribers.keys()) socket.destroy();
      rmSync(file, { force: true });
    },
  };
}
