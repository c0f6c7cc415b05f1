/**
 * Messages of rtnetlink: bytes in, values out, and back. Only what addresses, links and route look-ups need.
 * Integers are the machine's, which is little-endian; addresses are in network order.
 * Facts: man pages netlink(7), rtnetlink(7); constants of linux/rtnetlink.h, linux/if_addr.h, linux/if.h.
 */

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const RTM_NEWLINK = 16;
export const RTM_GETLINK = 18;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;
export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
export const RTM_GETROUTE = 26;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER_BYTES = 16;

const AF_INET = 2;
const AF_INET6 = 10;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_PROP_LIST = 52;
const IFLA_ALT_IFNAME = 53;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const RTA_TABLE = 15;

export const IFF_UP = 0x1;
export const IFF_LOOPBACK = 0x8;
export const IFF_NOARP = 0x80;
/** No duplicate-address detection for this address (IPv6). */
export const IFA_F_NODAD = 0x02;
/** Duplicate-address detection has found another owner. */
export const IFA_F_DADFAILED = 0x08;
/** Duplicate-address detection still runs. */
export const IFA_F_TENTATIVE = 0x40;
/** The kernel shall make no route to the address's network. */
export const IFA_F_NOPREFIXROUTE = 0x200;

export type Family = typeof AF_INET | typeof AF_INET6;

export interface NetworkAddress {
  readonly family: Family;
  /** 4 or 16 bytes. */
  readonly bytes: readonly number[];
}

export interface InterfaceAddress {
  readonly interfaceIndex: number;
  readonly address: NetworkAddress;
  readonly prefixLength: number;
  readonly label: string;
  readonly flags: number;
}

export interface NetworkLink {
  readonly index: number;
  readonly name: string;
  /** By these ip(8) knows it, too (altname). */
  readonly otherNames: readonly string[];
  readonly flags: number;
  /** The hardware address; 6 bytes on Ethernet, empty where there is none. */
  readonly hardwareAddress: readonly number[];
}

export interface NetlinkMessage {
  readonly type: number;
  readonly sequence: number;
  /** After the header. */
  readonly body: Uint8Array;
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const padded = (length: number) => (length + 3) & ~3;

/** Dotted IPv4, or IPv6 in its usual forms without a zone; undefined for anything else. */
export function parseAddress(text: string): NetworkAddress | undefined {
  const dotted = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (dotted !== null) {
    const bytes = dotted.slice(1).map(Number);
    return bytes.every((byte) => byte <= 255) ? { family: AF_INET, bytes } : undefined;
  }
  const mapped = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (mapped !== null) {
    const tail = parseAddress(mapped[2] ?? "");
    const [a = 0, b = 0, c = 0, d = 0] = tail?.bytes ?? [];
    if (tail === undefined) return undefined;
    return parseAddress(`${mapped[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`);
  }
  const halves = text.split("::");
  if (!/^[0-9a-fA-F:]+$/.test(text) || !text.includes(":") || halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const [head = [], tail = []] = groups;
  const absent = 8 - head.length - tail.length;
  if (halves.length === 1 ? absent !== 0 : absent < 1) return undefined;
  const all = [...head, ...Array<string>(halves.length === 2 ? absent : 0).fill("0"), ...tail];
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const values = all.map((group) => Number.parseInt(group, 16));
  return { family: AF_INET6, bytes: values.flatMap((value) => [value >> 8, value & 255]) };
}

/** As written by people; IPv6 with its longest run of zero groups shortened (RFC 5952, section 4.2). */
export function formatAddress({ family, bytes }: NetworkAddress): string {
  if (family === AF_INET) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0));
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at += 1) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === 0) length += 1;
    if (length > best.length) best = { at, length };
  }
  const words = groups.map((group) => group.toString(16));
  if (best.at < 0) return words.join(":");
  return `${words.slice(0, best.at).join(":")}::${words.slice(best.at + best.length).join(":")}`;
}

export function sameAddress(left: NetworkAddress, right: NetworkAddress): boolean {
  return left.family === right.family && left.bytes.every((byte, at) => byte === right.bytes[at]);
}

/** Whether the first `prefixLength` bits are the same. */
export function sameNetwork(left: NetworkAddress, right: NetworkAddress, prefixLength: number): boolean {
  if (left.family !== right.family) return false;
  return left.bytes.every((byte, at) => {
    const bits = Math.min(8, Math.max(0, prefixLength - 8 * at));
    const mask = (0xff00 >> bits) & 0xff;
    return (byte & mask) === ((right.bytes[at] ?? 0) & mask);
  });
}

/** The address with all its host bits set. */
export function broadcastOf({ family, bytes }: NetworkAddress, prefixLength: number): NetworkAddress {
  const host = (at: number) => 0xff >> Math.min(8, Math.max(0, prefixLength - 8 * at));
  return { family, bytes: bytes.map((byte, at) => byte | host(at)) };
}

function attribute(type: number, data: readonly number[]): number[] {
  const length = 4 + data.length;
  const fill = Array<number>(padded(length) - length).fill(0);
  return [length & 255, length >> 8, type & 255, type >> 8, ...data, ...fill];
}

const u32 = (value: number) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];

/** A whole netlink message. */
export function encodeMessage(
  type: number,
  flags: number,
  sequence: number,
  header: readonly number[],
  attributes: readonly number[],
): Uint8Array {
  const length = HEADER_BYTES + header.length + attributes.length;
  const kind = [type & 255, type >> 8, flags & 255, flags >> 8];
  return Uint8Array.from([...u32(length), ...kind, ...u32(sequence), ...u32(0), ...header, ...attributes]);
}

export interface AddressChange {
  readonly interfaceIndex: number;
  readonly address: NetworkAddress;
  readonly prefixLength: number;
  readonly broadcast?: NetworkAddress;
  readonly label?: string;
  readonly flags?: number;
}

function addressParts(change: AddressChange): { header: number[]; attributes: number[] } {
  const { address, prefixLength, interfaceIndex, broadcast, label, flags = 0 } = change;
  const header = [address.family, prefixLength, flags & 255, 0, ...u32(interfaceIndex)];
  const attributes = [...attribute(IFA_LOCAL, address.bytes), ...attribute(IFA_ADDRESS, address.bytes)];
  if (broadcast !== undefined) attributes.push(...attribute(IFA_BROADCAST, broadcast.bytes));
  if (label !== undefined) attributes.push(...attribute(IFA_LABEL, [...new TextEncoder().encode(label), 0]));
  if (flags !== 0) attributes.push(...attribute(IFA_FLAGS, u32(flags)));
  return { header, attributes };
}

/** Fails with EEXIST when the interface has the address already. */
export function encodeAddAddress(change: AddressChange, sequence: number): Uint8Array {
  const { header, attributes } = addressParts(change);
  const flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
  return encodeMessage(RTM_NEWADDR, flags, sequence, header, attributes);
}

/** Fails with EADDRNOTAVAIL when the interface has no such address. */
export function encodeDeleteAddress(change: AddressChange, sequence: number): Uint8Array {
  const { header, attributes } = addressParts(change);
  return encodeMessage(RTM_DELADDR, NLM_F_REQUEST | NLM_F_ACK, sequence, header, attributes);
}

/** All addresses of all interfaces. */
export function encodeListAddresses(family: number, sequence: number): Uint8Array {
  return encodeMessage(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, sequence, [family, 0, 0, 0, ...u32(0)], []);
}

/** All interfaces. */
export function encodeListLinks(sequence: number): Uint8Array {
  const header = [0, 0, 0, 0, ...u32(0), ...u32(0), ...u32(0)];
  return encodeMessage(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, sequence, header, []);
}

/** By which interface the kernel would reach the address. */
export function encodeFindRoute({ family, bytes }: NetworkAddress, sequence: number): Uint8Array {
  const header = [family, bytes.length * 8, 0, 0, 0, 0, 0, 0, ...u32(0)];
  return encodeMessage(RTM_GETROUTE, NLM_F_REQUEST, sequence, header, attribute(RTA_DST, bytes));
}

export interface RouteChange {
  readonly destination: NetworkAddress;
  readonly prefixLength: number;
  readonly interfaceIndex?: number;
  readonly gateway?: NetworkAddress;
  readonly source?: NetworkAddress;
  /** 254 is the main table. */
  readonly table: number;
}

/** Fails with EEXIST when there is one to the destination already; deletion with ESRCH when there is none. */
export function encodeRoute(change: RouteChange, adds: boolean, sequence: number): Uint8Array {
  const { destination, prefixLength, interfaceIndex, gateway, source, table } = change;
  const scope = gateway === undefined && destination.family === AF_INET ? 253 : 0;
  const rtprotStatic = 4;
  const rtnUnicast = 1;
  // Scope 255 ("nowhere") and no protocol match any route on deletion.
  const kind = adds ? [rtprotStatic, scope, rtnUnicast] : [0, 255, 0];
  const header = [destination.family, prefixLength, 0, 0, table < 256 ? table : 0, ...kind, ...u32(0)];
  const attributes = attribute(RTA_TABLE, u32(table));
  // The default route has no destination.
  if (prefixLength > 0) attributes.push(...attribute(RTA_DST, destination.bytes));
  if (gateway !== undefined) attributes.push(...attribute(RTA_GATEWAY, gateway.bytes));
  if (source !== undefined) attributes.push(...attribute(RTA_PREFSRC, source.bytes));
  if (interfaceIndex !== undefined) attributes.push(...attribute(RTA_OIF, u32(interfaceIndex)));
  const flags = NLM_F_REQUEST | NLM_F_ACK | (adds ? NLM_F_CREATE | NLM_F_EXCL : 0);
  return encodeMessage(adds ? RTM_NEWROUTE : RTM_DELROUTE, flags, sequence, header, attributes);
}

/** The messages of one datagram; stops at the first that is cut short. */
export function decodeMessages(bytes: Uint8Array): readonly NetlinkMessage[] {
  const data = view(bytes);
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const length = data.getUint32(at, true);
    if (length < HEADER_BYTES || at + length > bytes.length) break;
    const body = bytes.subarray(at + HEADER_BYTES, at + length);
    messages.push({ type: data.getUint16(at + 4, true), sequence: data.getUint32(at + 8, true), body });
    at += padded(length);
  }
  return messages;
}

/** How a request ended: a positive error number, 0 for success or the end of a list; undefined while it has not. */
export function endOf({ type, body }: NetlinkMessage): number | undefined {
  if (type === NLMSG_DONE) return 0;
  return type === NLMSG_ERROR && body.length >= 4 ? -view(body).getInt32(0, true) : undefined;
}

/** In their order; the upper bits of a type are flags. */
function listAttributes(body: Uint8Array, headerBytes: number): readonly (readonly [number, Uint8Array])[] {
  const data = view(body);
  const found: [number, Uint8Array][] = [];
  for (let at = headerBytes; at + 4 <= body.length; ) {
    const length = data.getUint16(at, true);
    if (length < 4 || at + length > body.length) break;
    found.push([data.getUint16(at + 2, true) & 0x3fff, body.subarray(at + 4, at + length)]);
    at += padded(length);
  }
  return found;
}

const attributesOf = (body: Uint8Array, headerBytes: number): ReadonlyMap<number, Uint8Array> =>
  new Map(listAttributes(body, headerBytes));

function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : new TextDecoder().decode(bytes).replace(/\0.*$/, "");
}

/** Of an RTM_NEWADDR message; undefined for other families and for messages without an address. */
export function decodeAddress(body: Uint8Array): InterfaceAddress | undefined {
  const [family, prefixLength] = body;
  if (body.length < 8 || prefixLength === undefined || (family !== AF_INET && family !== AF_INET6)) return undefined;
  const attributes = attributesOf(body, 8);
  // On a point-to-point link IFA_ADDRESS is the peer's.
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (bytes === undefined) return undefined;
  const wide = attributes.get(IFA_FLAGS);
  return {
    interfaceIndex: view(body).getUint32(4, true),
    address: { family, bytes: [...bytes] },
    prefixLength,
    label: textOf(attributes.get(IFA_LABEL)),
    flags: wide === undefined ? (body[2] ?? 0) : view(wide).getUint32(0, true),
  };
}

/** Whether ip(8) would take `name` for it. */
export const isCalled = (link: NetworkLink, name: string): boolean =>
  link.name === name || link.otherNames.includes(name);

/** Of an RTM_NEWLINK message. */
export function decodeLink(body: Uint8Array): NetworkLink | undefined {
  if (body.length < 16) return undefined;
  const attributes = attributesOf(body, 16);
  return {
    index: view(body).getInt32(4, true),
    name: textOf(attributes.get(IFLA_IFNAME)),
    otherNames: listAttributes(attributes.get(IFLA_PROP_LIST) ?? new Uint8Array(), 0).flatMap(([type, name]) =>
      type === IFLA_ALT_IFNAME ? [textOf(name)] : [],
    ),
    flags: view(body).getUint32(8, true),
    hardwareAddress: [...(attributes.get(IFLA_ADDRESS) ?? [])],
  };
}

/** All routes of a family, of all tables. */
export function encodeListRoutes(family: Family, sequence: number): Uint8Array {
  const header = [family, 0, 0, 0, 0, 0, 0, 0, ...u32(0)];
  return encodeMessage(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, sequence, header, []);
}

/** Of an RTM_NEWROUTE message; undefined for other families. */
export function decodeRoute(body: Uint8Array): RouteChange | undefined {
  const [family, prefixLength, , , shortTable] = body;
  if (body.length < 12 || prefixLength === undefined || (family !== AF_INET && family !== AF_INET6)) return undefined;
  const attributes = attributesOf(body, 12);
  const number = (type: number) => {
    const bytes = attributes.get(type);
    return bytes === undefined ? undefined : view(bytes).getUint32(0, true);
  };
  const address = (type: number): NetworkAddress | undefined => {
    const bytes = attributes.get(type);
    return bytes === undefined ? undefined : { family, bytes: [...bytes] };
  };
  const everywhere: NetworkAddress = { family, bytes: Array<number>(family === AF_INET ? 4 : 16).fill(0) };
  const [gateway, source, interfaceIndex] = [address(RTA_GATEWAY), address(RTA_PREFSRC), number(RTA_OIF)];
  return {
    destination: address(RTA_DST) ?? everywhere,
    prefixLength,
    table: number(RTA_TABLE) ?? shortTable ?? 0,
    ...(gateway === undefined ? {} : { gateway }),
    ...(source === undefined ? {} : { source }),
    ...(interfaceIndex === undefined ? {} : { interfaceIndex }),
  };
}

/** The outgoing interface in an RTM_NEWROUTE message. */
export function decodeRouteInterface(body: Uint8Array): number | undefined {
  const bytes = body.length < 12 ? undefined : attributesOf(body, 12).get(RTA_OIF);
  return bytes === undefined ? undefined : view(bytes).getUint32(0, true);
}
