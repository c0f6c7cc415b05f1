/**
 * The system calls that Node does not offer, over `node:ffi` and the C library that Node itself is linked to.
 * Every function either returns or throws a `SystemCallError` with the name of the error; "would block" is a value.
 * These calls run on the calling thread and block it if the kernel does: open descriptors with O_NONBLOCK.
 * Addresses and messages are the raw bytes of the kernel's structures; whoever calls lays them out.
 * Facts: man pages socket(2), netlink(7), packet(7), ioctl(2), sched_setscheduler(2), mlock(2), madvise(2), prctl(2),
 * reboot(2); constants from Linux' generic and x86 user-space headers.
 */
import { dlopen, getCurrentEventLoop, getInt32, getRawPointer } from "node:ffi";
import { endianness } from "node:os";
import { getSystemErrorName } from "node:util";

const { lib, functions: libc } = dlopen(null, {
  __errno_location: { return: "pointer" },
  bind: { return: "i32", arguments: ["i32", "pointer", "u32"] },
  clock_gettime: { return: "i32", arguments: ["i32", "pointer"] },
  close: { return: "i32", arguments: ["i32"] },
  getsockopt: { return: "i32", arguments: ["i32", "i32", "i32", "pointer", "pointer"] },
  getsockname: { return: "i32", arguments: ["i32", "pointer", "pointer"] },
  if_nametoindex: { return: "u32", arguments: ["pointer"] },
  ioctl: { return: "i32", arguments: ["i32", "u64", "pointer"] },
  malloc: { return: "pointer", arguments: ["u64"] },
  madvise: { return: "i32", arguments: ["u64", "u64", "i32"] },
  mlock: { return: "i32", arguments: ["u64", "u64"] },
  mlock2: { return: "i32", arguments: ["u64", "u64", "u32"] },
  prctl: { return: "i32", arguments: ["i32", "u64", "u64", "u64", "u64"] },
  reboot: { return: "i32", arguments: ["i32"] },
  recv: { return: "i64", arguments: ["i32", "pointer", "u64", "i32"] },
  recvfrom: { return: "i64", arguments: ["i32", "pointer", "u64", "i32", "pointer", "pointer"] },
  sched_getscheduler: { return: "i32", arguments: ["i32"] },
  sched_setscheduler: { return: "i32", arguments: ["i32", "i32", "pointer"] },
  sendto: { return: "i64", arguments: ["i32", "pointer", "u64", "i32", "pointer", "u32"] },
  setns: { return: "i32", arguments: ["i32", "i32"] },
  setsockopt: { return: "i32", arguments: ["i32", "i32", "i32", "pointer", "u32"] },
  socket: { return: "i32", arguments: ["i32", "i32", "i32"] },
  unshare: { return: "i32", arguments: ["i32"] },
  uv_close: { return: "void", arguments: ["pointer", "pointer"] },
  uv_handle_size: { return: "u64", arguments: ["i32"] },
  uv_poll_init: { return: "i32", arguments: ["pointer", "pointer", "i32"] },
  uv_poll_start: { return: "i32", arguments: ["pointer", "i32", "pointer"] },
  uv_poll_stop: { return: "i32", arguments: ["pointer"] },
});

/** The address is thread-local and stays; errno itself survives until the next call (measured: 0 of 200,000 lost). */
const errnoAt = libc.__errno_location();
const errno = (): number => getInt32(errnoAt, 0);

/** A system call that the kernel refused; `code` is the name of the error, as `EPERM`. */
export class SystemCallError extends Error {
  readonly code: string;
  readonly call: string;
  constructor(call: string, errorNumber: number) {
    const code = getSystemErrorName(-errorNumber);
    super(`${call}: ${code}`);
    this.name = "SystemCallError";
    this.code = code;
    this.call = call;
  }
}

/** The result, or the error as an exception when it is negative. */
function checked(call: string, result: number): number {
  if (result < 0) throw new SystemCallError(call, errno());
  return result;
}

const WOULD_BLOCK = 11;

/** The length, or undefined when the call would have to wait. */
function length(call: string, result: bigint): number | undefined {
  if (result >= 0n) return Number(result);
  const errorNumber = errno();
  if (errorNumber === WOULD_BLOCK) return undefined;
  throw new SystemCallError(call, errorNumber);
}

/** The kernel's integers in structures are the machine's; everything here is written for little-endian ones. */
if (endianness() !== "LE") throw new Error("only little-endian machines are supported");

const cString = (text: string): Buffer => Buffer.from(`${text}\0`, "utf8");

export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_BROADCAST = 6;
export const SO_PRIORITY = 12;
export const SO_BINDTODEVICE = 25;
export const MSG_DONTWAIT = 0x40;

/** A descriptor; SOCK_CLOEXEC is always added, so that no child inherits it. */
export function openSocket(family: number, type: number, protocol: number): number {
  return checked("socket", libc.socket(family, type | SOCK_CLOEXEC, protocol));
}

/** `address`: a struct sockaddr of the family. */
export function bindSocket(fd: number, address: Uint8Array): void {
  checked("bind", libc.bind(fd, address, address.length));
}

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

const SO_PEERCRED = 17;

/** Who opened the other end of a unix socket. Fact: unix(7), SO_PEERCRED: struct ucred, three 32-bit integers. */
export function peerCredentials(fd: number): PeerCredentials {
  const bytes = Buffer.alloc(12);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(bytes.length);
  checked("getsockopt", libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, bytes, size));
  return { pid: bytes.readInt32LE(0), uid: bytes.readUInt32LE(4), gid: bytes.readUInt32LE(8) };
}

/** A number is passed as a C int, text with its closing zero. */
export function setSocketOption(fd: number, level: number, option: number, value: number | string | Uint8Array): void {
  let bytes: Uint8Array;
  if (typeof value === "number") {
    const int = Buffer.alloc(4);
    int.writeInt32LE(value);
    bytes = int;
  } else bytes = typeof value === "string" ? cString(value) : value;
  checked("setsockopt", libc.setsockopt(fd, level, option, bytes, bytes.length));
}

const SO_ATTACH_FILTER = 26;

/** `program`: struct sock_filter after struct sock_filter, of classic BPF. The kernel checks it and keeps a copy. */
export function attachFilter(fd: number, program: Uint8Array): void {
  // struct sock_fprog: how many instructions, and where they stand.
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(program.length / 8);
  bytes.writeBigUInt64LE(getRawPointer(program), 8);
  setSocketOption(fd, SOL_SOCKET, SO_ATTACH_FILTER, bytes);
}

/** How many bytes were sent, or undefined when the socket's buffer is full. Without `address` to the connected peer. */
export function sendTo(fd: number, bytes: Uint8Array, address?: Uint8Array, flags = 0): number | undefined {
  const size = BigInt(bytes.length);
  return length("sendto", libc.sendto(fd, bytes, size, flags, address ?? null, address?.length ?? 0));
}

/** How many bytes of one datagram now stand in `buffer`, or undefined when there is none (or SO_RCVTIMEO passed). */
export function receive(fd: number, buffer: Uint8Array, flags = 0): number | undefined {
  return length("recv", libc.recv(fd, buffer, BigInt(buffer.length), flags));
}

const senderLength = Buffer.alloc(4);

/** As `receive`; the sender's struct sockaddr is written into `sender`, which is 28 bytes at least. */
export function receiveFrom(fd: number, buffer: Uint8Array, sender: Uint8Array, flags = 0): number | undefined {
  senderLength.writeUInt32LE(sender.length);
  return length("recvfrom", libc.recvfrom(fd, buffer, BigInt(buffer.length), flags, sender, senderLength));
}

/** The port of an IPv4 or IPv6 socket, where the kernel has chosen it. */
export function localPort(fd: number): number {
  const address = Buffer.alloc(28);
  senderLength.writeUInt32LE(address.length);
  checked("getsockname", libc.getsockname(fd, address, senderLength));
  return address.readUInt16BE(2);
}

export function closeDescriptor(fd: number): void {
  checked("close", libc.close(fd));
}

/** `argument`: the structure behind the pointer, read and written in place; at least as long as the request says. */
export function ioctl(fd: number, request: number, argument: Uint8Array | null): number {
  return checked("ioctl", libc.ioctl(fd, BigInt(request), argument));
}

/** The index of a network interface; throws when there is none of that name. */
export function interfaceIndex(name: string): number {
  const index = libc.if_nametoindex(cString(name));
  if (index === 0) throw new SystemCallError(`if_nametoindex ${name}`, errno());
  return index;
}

export const SCHED_RR = 2;
/** Children of the process start with the ordinary policy again. */
export const SCHED_RESET_ON_FORK = 0x4000_0000;

/** Of one thread (0: the calling one). V8's helper threads keep theirs: see scheduling.ts. */
export function setScheduler(threadId: number, policy: number, priority: number): void {
  const parameter = Buffer.alloc(4);
  parameter.writeInt32LE(priority);
  checked("sched_setscheduler", libc.sched_setscheduler(threadId, policy, parameter));
}

/** SCHED_RESET_ON_FORK is part of the answer where it is set. */
export function schedulerOf(threadId: number): number {
  return checked("sched_getscheduler", libc.sched_getscheduler(threadId));
}

/** Never mlockall: V8 aborts at its next heap shrink. Only mappings of files are locked: see memory-lock.ts. */
export function lockMemory(startAt: bigint, lengthBytes: bigint): void {
  checked("mlock", libc.mlock(startAt, lengthBytes));
}

const MLOCK_ONFAULT = 1;

/** Pages that are there are locked now, the others when they are first touched. */
export function lockMemoryAsTouched(startAt: bigint, lengthBytes: bigint): void {
  checked("mlock2", libc.mlock2(startAt, lengthBytes, MLOCK_ONFAULT));
}

const MADV_POPULATE_READ = 22;

/** Maps what a file mapping holds, reading it from the disk where it must. */
export function populateMemory(startAt: bigint, lengthBytes: bigint): void {
  checked("madvise", libc.madvise(startAt, lengthBytes, MADV_POPULATE_READ));
}

const PR_SET_NAME = 15;

/** The name that ps and top show for the calling thread: at most 15 bytes. */
export function setThreadName(name: string): void {
  checked("prctl", libc.prctl(PR_SET_NAME, getRawPointer(cString(name.slice(0, 15))), 0n, 0n, 0n));
}

const CLOCK_BOOTTIME = 7;
const timespec = Buffer.alloc(16);

/** Since boot, suspends included, unlike `performance.now()`. */
export function sinceBootMs(): number {
  checked("clock_gettime", libc.clock_gettime(CLOCK_BOOTTIME, timespec));
  return Number(timespec.readBigInt64LE(0)) * 1000 + Number(timespec.readBigInt64LE(8)) / 1e6;
}

export const RB_AUTOBOOT = 0x0123_4567;
export const RB_POWER_OFF = 0x4321_fedc;

/** At once: without sync, without a word to anybody. Returns only by throwing. */
export function reboot(how: number): void {
  checked("reboot", libc.reboot(how));
}

export const CLONE_NEWNET = 0x4000_0000;
export const CLONE_NEWNS = 0x2_0000;

/** Moves the calling thread into the namespace behind the descriptor (of /run/netns/NAME). */
export function enterNamespace(fd: number, kind: number): void {
  checked("setns", libc.setns(fd, kind));
}

export function unshare(kinds: number): void {
  checked("unshare", libc.unshare(kinds));
}

const UV_POLL = 8;
const UV_READABLE = 1;

/**
 * Calls `onReadable` from the event loop while the descriptor is readable; level-triggered, so read until `undefined`.
 * The returned function ends it; close the descriptor only afterwards.
 * Promises do not continue out of such a callback before the next timer or I/O (measured, Node 26.10: Node runs no
 * microtasks after a foreign callback), so `onReadable` is called by setImmediate, once for all that has come.
 */
export function watchReadable(fd: number, onReadable: () => void): () => void {
  const handle = libc.malloc(libc.uv_handle_size(UV_POLL));
  let pending = false;
  let watching = true;
  const callback = lib.registerCallback({ return: "void", arguments: ["pointer", "i32", "i32"] }, () => {
    if (pending || !watching) return;
    pending = true;
    libc.uv_poll_stop(handle);
    setImmediate(() => {
      pending = false;
      if (!watching) return;
      onReadable();
      if (watching) libc.uv_poll_start(handle, UV_READABLE, callback);
    });
  });
  const result = libc.uv_poll_init(getCurrentEventLoop(), handle, fd);
  if (result < 0) throw new SystemCallError("uv_poll_init", -result);
  libc.uv_poll_start(handle, UV_READABLE, callback);
  return () => {
    watching = false;
    libc.uv_poll_stop(handle);
    // The handle's memory stays: libuv touches it until its closing phase, and links are opened a few times in a life.
    libc.uv_close(handle, null);
  };
}
