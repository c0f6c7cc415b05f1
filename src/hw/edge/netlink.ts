/**
 * Addresses, links and routes of this node, asked of the kernel over rtnetlink: tenths of a millisecond, no child.
 * The kernel answers within the call that sends, so nothing here waits but for the kernel's own lock.
 * Fact: netlink(7).
 */
import { getSystemErrorName } from "node:util";
import {
  type AddressChange,
  decodeAddress,
  decodeLink,
  decodeMessages,
  decodeRoute,
  decodeRouteInterface,
  encodeAddAddress,
  encodeDeleteAddress,
  encodeFindRoute,
  encodeListAddresses,
  encodeListLinks,
  encodeListRoutes,
  encodeRoute,
  endOf,
  type Family,
  type InterfaceAddress,
  type NetlinkMessage,
  type NetworkAddress,
  type NetworkLink,
  type RouteChange,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
} from "../core/rtnetlink.ts";
import { AF_NETLINK, closeDescriptor, MSG_DONTWAIT, openSocket, receive, SOCK_RAW, sendTo } from "./native.ts";

export type NetlinkResult<Value> =
  | { readonly kind: "done"; readonly value: Value }
  /** The kernel's refusal, as `EEXIST`. */
  | { readonly kind: "refused"; readonly code: string };

const NETLINK_ROUTE = 0;
/** The kernel fills datagrams of a list up to the reader's buffer; 32 KiB is what iproute2 offers it. */
const BUFFER_BYTES = 32 * 1024;
/** Far above a machine's interfaces and addresses; ends a list that never ends. */
const DATAGRAMS_MAX = 1000;

const KERNEL = Uint8Array.from([AF_NETLINK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** One request on a socket of its own: no late answer of an earlier one can be taken for this one's. */
function ask(request: Uint8Array): { readonly messages: readonly NetlinkMessage[]; readonly error: number } {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  try {
    sendTo(fd, request, KERNEL);
    const messages: NetlinkMessage[] = [];
    for (let count = 0; count < DATAGRAMS_MAX; count += 1) {
      const buffer = new Uint8Array(BUFFER_BYTES);
      const length = receive(fd, buffer, MSG_DONTWAIT);
      if (length === undefined) return { messages, error: 0 };
      for (const message of decodeMessages(buffer.subarray(0, length))) {
        const error = endOf(message);
        if (error !== undefined) return { messages, error };
        messages.push(message);
      }
    }
    return { messages, error: 0 };
  } finally {
    closeDescriptor(fd);
  }
}

function change(request: Uint8Array): NetlinkResult<undefined> {
  const { error } = ask(request);
  if (error === 0) return { kind: "done", value: undefined };
  return { kind: "refused", code: getSystemErrorName(-error) };
}

export function addAddress(address: AddressChange): NetlinkResult<undefined> {
  return change(encodeAddAddress(address, 1));
}

export function deleteAddress(address: AddressChange): NetlinkResult<undefined> {
  return change(encodeDeleteAddress(address, 1));
}

export function changeRoute(route: RouteChange, adds: boolean): NetlinkResult<undefined> {
  return change(encodeRoute(route, adds, 1));
}

/** `family` 0: of both. */
export function listAddresses(family = 0): readonly InterfaceAddress[] {
  const { messages } = ask(encodeListAddresses(family, 1));
  return messages.flatMap(({ type, body }) => (type === RTM_NEWADDR ? (decodeAddress(body) ?? []) : []));
}

export function listLinks(): readonly NetworkLink[] {
  const { messages } = ask(encodeListLinks(1));
  return messages.flatMap(({ type, body }) => (type === RTM_NEWLINK ? (decodeLink(body) ?? []) : []));
}

export function listRoutes(family: Family): readonly RouteChange[] {
  const { messages } = ask(encodeListRoutes(family, 1));
  return messages.flatMap(({ type, body }) => (type === RTM_NEWROUTE ? (decodeRoute(body) ?? []) : []));
}

/** The index of the interface by which the address would be reached; undefined without a route. */
export function findRoute(address: NetworkAddress): number | undefined {
  const { messages } = ask(encodeFindRoute(address, 1));
  const route = messages.find(({ type }) => type === RTM_NEWROUTE);
  return route === undefined ? undefined : decodeRouteInterface(route.body);
}
