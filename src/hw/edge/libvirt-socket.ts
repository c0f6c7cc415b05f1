/**
 * A line to libvirtd, by its socket on this machine or, through ssh, by that of another host. No program is started on
 * either side: ssh carries the socket itself (direct-streamlocal@openssh.com), so no shell sees a word.
 * One call at a time; a call that was not answered in time ends the line, for its answer would belong to nobody.
 * Fact: libvirt.org/internals/rpc.html; tried against libvirtd 9.0.0.
 */
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { Hypervisor, HypervisorAnswer, MachineState } from "../core/libvirt/hypervisor.ts";
import {
  createReader,
  type Domain,
  decodeDomain,
  decodeReply,
  encodeCall,
  encodeDomain,
  encodeNumber,
  encodeText,
  lengthOf,
  PROCEDURE,
  type Procedure,
  type Reply,
} from "../core/libvirt/packet.ts";
import { loginBySsh, type SshLogin } from "./ssh-login.ts";

export interface LibvirtTarget {
  readonly socket: string;
  readonly uri: string;
  readonly machine: string;
  readonly ssh: Omit<SshLogin, "isLegacy" | "answerMs"> | undefined;
  /** For each step: login, connection, one call. */
  readonly answerMs: number;
}

export interface LibvirtLine extends Hypervisor {
  close(): void;
}

export type LibvirtOpened =
  | { readonly kind: "open"; readonly hypervisor: LibvirtLine }
  | { readonly kind: "refused"; readonly reason: string };

type Carried =
  | { readonly kind: "open"; readonly stream: Duplex; readonly end: () => void }
  | { readonly kind: "refused"; readonly reason: string };

/** libvirt's names: no authentication; and boot anew, even where memory was saved. */
const AUTH_NONE = 0;
const START_FORCE_BOOT = 8;

function describeSocket(error: NodeJS.ErrnoException, socket: string): string {
  if (error.code === "ENOENT") return `there is no socket ${socket}: is libvirtd installed, and does it run?`;
  if (error.code === "ECONNREFUSED") return `nobody listens on ${socket}: start libvirtd`;
  if (error.code === "EACCES") return `this user may not open ${socket}: see unix_sock_group in libvirtd.conf`;
  return `${socket}: ${error.code ?? error.message}`;
}

function openHere({ socket, answerMs }: LibvirtTarget): Promise<Carried> {
  return new Promise((resolve) => {
    const stream = connect({ path: socket });
    const refuse = (reason: string) => {
      clearTimeout(timer);
      stream.destroy();
      resolve({ kind: "refused", reason });
    };
    const timer = setTimeout(() => refuse(`${socket}: no connection within ${answerMs} ms`), answerMs);
    stream.on("error", (error) => refuse(describeSocket(error, socket)));
    stream.once("connect", () => {
      clearTimeout(timer);
      resolve({ kind: "open", stream, end: () => stream.destroy() });
    });
  });
}

async function openThere(target: LibvirtTarget, ssh: NonNullable<LibvirtTarget["ssh"]>): Promise<Carried> {
  const { socket, answerMs } = target;
  const login = await loginBySsh({ ...ssh, isLegacy: false, answerMs });
  if (login.kind === "refused") return login;
  const { client } = login;
  return await new Promise((resolve) => {
    const refuse = (reason: string) => {
      clearTimeout(timer);
      client.destroy();
      resolve({ kind: "refused", reason });
    };
    const timer = setTimeout(() => refuse(`${ssh.host}: ${socket} is not reached within ${answerMs} ms`), answerMs);
    client.on("close", () => refuse(`${ssh.host} hangs up after the login`));
    client.openssh_forwardOutStreamLocal(socket, (error, stream) => {
      if (error !== undefined) {
        const remedy = "does libvirtd run there, and does sshd allow it (AllowStreamLocalForwarding)?";
        return refuse(`${ssh.host} does not lead to ${socket} (${error.message}): ${remedy}`);
      }
      clearTimeout(timer);
      resolve({ kind: "open", stream, end: () => client.end() });
    });
  });
}

interface Calls {
  readonly call: (procedure: Procedure, ...parts: readonly Uint8Array[]) => Promise<HypervisorAnswer<Uint8Array>>;
}

function createCalls(stream: Duplex, answerMs: number): Calls {
  let received = Buffer.alloc(0);
  let serial = 0;
  let isOver = false;
  let look: () => void = () => {};
  const end = () => {
    isOver = true;
    look();
  };
  stream.on("data", (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    look();
  });
  stream.on("close", end);
  stream.on("error", end);

  /** The next whole packet; what is no packet of libvirt ends the line. */
  function takePacket(): Uint8Array | undefined {
    const length = lengthOf(received);
    if (length === "broken") isOver = true;
    if (typeof length !== "number" || received.length < length) return undefined;
    const packet = received.subarray(0, length);
    received = received.subarray(length);
    return packet;
  }

  function takeReply(procedure: Procedure, asked: number): Reply | undefined {
    for (let packet = takePacket(); packet !== undefined; packet = takePacket()) {
      const reply = decodeReply(packet, procedure, asked);
      if (reply !== undefined) return reply;
    }
    return undefined;
  }

  return {
    call(procedure, ...parts) {
      if (isOver) return Promise.resolve({ kind: "lost", maybeReceived: false, reason: "libvirtd has hung up" });
      serial += 1;
      const asked = serial;
      return new Promise((resolve) => {
        const answer = (value: HypervisorAnswer<Uint8Array>) => {
          clearTimeout(timer);
          look = () => {};
          resolve(value);
        };
        const lose = (reason: string) => {
          isOver = true;
          answer({ kind: "lost", maybeReceived: true, reason });
        };
        const timer = setTimeout(() => lose(`libvirtd has not answered within ${answerMs} ms`), answerMs);
        look = () => {
          const reply = takeReply(procedure, asked);
          if (reply?.kind === "done") answer({ kind: "value", value: reply.body });
          else if (reply?.kind === "error") answer(reply);
          else if (isOver) lose("libvirtd hung up, or what speaks there is not libvirtd");
        };
        stream.write(encodeCall(procedure, asked, parts));
      });
    },
  };
}

const unreadable = { kind: "lost", maybeReceived: false, reason: "libvirtd's answer cannot be read" } as const;

function hypervisorOver({ call }: Calls, machine: string, end: () => void): LibvirtLine {
  /** Looked up anew each time: its number changes with each start. */
  async function find(): Promise<HypervisorAnswer<Domain>> {
    const found = await call(PROCEDURE.domainLookupByName, encodeText(machine));
    if (found.kind !== "value") return found;
    const domain = decodeDomain(found.value);
    return domain === undefined ? unreadable : { kind: "value", value: domain };
  }

  async function ask<Value>(
    procedure: Procedure,
    read: (body: Uint8Array, domain: Domain) => Value | undefined,
    ...more: readonly Uint8Array[]
  ): Promise<HypervisorAnswer<Value>> {
    const found = await find();
    // To have looked up a machine has not switched it.
    if (found.kind !== "value") return found.kind === "lost" ? { ...found, maybeReceived: false } : found;
    const answer = await call(procedure, ...encodeDomain(found.value), ...more);
    if (answer.kind !== "value") return answer;
    const value = read(answer.value, found.value);
    return value === undefined ? unreadable : { kind: "value", value };
  }

  async function order(procedure: Procedure, ...more: readonly Uint8Array[]): Promise<HypervisorAnswer<undefined>> {
    const answer = await ask(procedure, () => true, ...more);
    return answer.kind === "value" ? { kind: "value", value: undefined } : answer;
  }

  return {
    state: () =>
      ask(
        PROCEDURE.domainGetState,
        (body): MachineState | undefined => {
          const reader = createReader(body);
          const [state, reason] = [reader.number(), reader.number()];
          return state === undefined || reason === undefined ? undefined : { state, reason };
        },
        encodeNumber(0),
      ),
    destroy: () => order(PROCEDURE.domainDestroy),
    boot: () => order(PROCEDURE.domainCreateWithFlags, encodeNumber(START_FORCE_BOOT)),
    identity: () =>
      ask(PROCEDURE.domainIsPersistent, (body, { uuid }) => {
        const isPersistent = createReader(body).number();
        if (isPersistent === undefined) return undefined;
        return { uuid: Buffer.from(uuid).toString("hex"), isPersistent: isPersistent === 1 };
      }),
    close() {
      void call(PROCEDURE.connectClose).then(end);
    },
  };
}

/** Why libvirtd lets nobody in, or undefined when it does. */
async function enter({ call }: Calls, uri: string): Promise<string | undefined> {
  const said = (answer: Exclude<HypervisorAnswer<unknown>, { readonly kind: "value" }>) =>
    answer.kind === "error" ? answer.message : answer.reason;
  const ways = await call(PROCEDURE.authList);
  if (ways.kind !== "value") return said(ways);
  const reader = createReader(ways.value);
  const offered = Array.from({ length: Math.min(reader.number() ?? 0, 8) }, () => reader.number());
  if (!offered.includes(AUTH_NONE)) {
    return "libvirtd wants SASL or polkit of this user; log in as root, or set auth_unix_rw=none in libvirtd.conf";
  }
  const opened = await call(PROCEDURE.connectOpen, encodeNumber(1), encodeText(uri), encodeNumber(0));
  return opened.kind === "value" ? undefined : `libvirtd does not open ${uri}: ${said(opened)}; correct uri`;
}

/** Each step within `answerMs`. */
export async function openLibvirt(target: LibvirtTarget): Promise<LibvirtOpened> {
  const carried = await (target.ssh === undefined ? openHere(target) : openThere(target, target.ssh));
  if (carried.kind === "refused") return carried;
  const calls = createCalls(carried.stream, target.answerMs);
  const reason = await enter(calls, target.uri);
  if (reason === undefined) return { kind: "open", hypervisor: hypervisorOver(calls, target.machine, carried.end) };
  carried.end();
  return { kind: "refused", reason };
}
