/**
 * What the kernel may drop of a link's datagrams before they take room in the socket's buffer: a flood that this
 * process would have to read would push out the heartbeats. Nothing that `decodePacket` could hear from whom we listen
 * to is dropped; what passes is looked at as ever. Of the rest one in SAMPLE is let through, at random, so that what
 * speaks to this port for long is still told in the log.
 * The program is classic BPF; a UDP socket's filter sees the datagram from its UDP header on.
 * Facts: Linux Documentation/networking/filter.rst (instructions; extension `rand`), linux/bpf_common.h, RFC 768.
 */
import { HEADER_BYTES, MAC_BYTES, MAGIC } from "./packet.ts";

const SAMPLE = 32;

const LOAD_HALF = 0x28; // BPF_LD | BPF_H | BPF_ABS
const LOAD_BYTE = 0x30; // BPF_LD | BPF_B | BPF_ABS
const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP_AT_LEAST = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K
/** SKF_AD_OFF + SKF_AD_RANDOM. */
const RANDOM = 0xffff_f000 + 56;

const UDP_HEADER_BYTES = 8;
const UDP_LENGTH_AT = 4;
const SENDER_AT = UDP_HEADER_BYTES + 4;
const WHOLE = 0xffff_ffff;

interface Instruction {
  readonly code: number;
  readonly value: number;
  /** Where to go on, by name; undefined: with the next one. */
  readonly ifTrue?: "pass" | "other";
  readonly ifFalse?: "pass" | "other";
}

/** `senders`: the ids of those that are to be heard. An array of struct sock_filter, for a little-endian machine. */
export function packetFilter(senders: readonly number[]): Uint8Array {
  const lengthMin = UDP_HEADER_BYTES + HEADER_BYTES + MAC_BYTES;
  const looks: readonly Instruction[] = [
    { code: LOAD_HALF, value: UDP_LENGTH_AT },
    { code: JUMP_AT_LEAST, value: lengthMin, ifFalse: "other" },
    { code: LOAD_HALF, value: UDP_HEADER_BYTES },
    { code: JUMP_EQUAL, value: MAGIC, ifFalse: "other" },
    { code: LOAD_BYTE, value: SENDER_AT },
    ...senders.map((id): Instruction => ({ code: JUMP_EQUAL, value: id, ifTrue: "pass" })),
  ];
  const other = looks.length;
  const ends: readonly Instruction[] = [
    { code: LOAD_WORD, value: RANDOM },
    { code: JUMP_AT_LEAST, value: Math.floor(2 ** 32 / SAMPLE), ifFalse: "pass" },
    { code: RETURN, value: 0 },
    { code: RETURN, value: WHOLE },
  ];
  const program = [...looks, ...ends];
  const places = { other, pass: program.length - 1 };
  const view = new DataView(new ArrayBuffer(8 * program.length));
  for (const [at, { code, value, ifTrue, ifFalse }] of program.entries()) {
    const skip = (place: "pass" | "other" | undefined) => (place === undefined ? 0 : places[place] - at - 1);
    view.setUint16(8 * at, code, true);
    view.setUint8(8 * at + 2, skip(ifTrue));
    view.setUint8(8 * at + 3, skip(ifFalse));
    view.setUint32(8 * at + 4, value, true);
  }
  return new Uint8Array(view.buffer);
}
