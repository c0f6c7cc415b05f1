/**
 * One line of a client at the control socket, read and checked as far as its shape goes: bytes become a request, or
 * problems with the remedy. See control-protocol.ts for what the requests mean.
 */
import type { Problem } from "../base/problem.ts";
import { entryOf } from "../base/record.ts";
import { isXmlText } from "../base/xml.ts";
import {
  CONTROL_VERSION,
  type ControlRequest,
  RESOURCE_REQUEST_ACTIONS,
  type RequestKind,
} from "./control-protocol.ts";

/** The kinds with the members each must have: the whole check of a request's shape. */
export const REQUEST_MEMBERS: Readonly<Record<RequestKind, Readonly<Record<string, readonly string[]>>>> = {
  status: {},
  "cib-query": { section: ["string", "undefined"] },
  "cib-apply": {
    mode: ["replace", "update"],
    xml: ["string"],
    base: ["string", "undefined"],
    trialMs: ["number", "undefined"],
    door: ["string", "undefined"],
    raises: ["epoch", "admin-epoch", "undefined"],
  },
  "config-log": {},
  "config-version": { version: ["string"] },
  "config-confirm": {},
  attribute: {
    node: ["string", "undefined"],
    name: ["string"],
    value: ["string", "undefined"],
    lifetime: ["reboot", "forever"],
    dampenMs: ["number", "undefined"],
    isPrivate: ["boolean", "undefined"],
    keeps: ["boolean", "undefined"],
  },
  "attribute-query": { name: ["string"], node: ["string", "undefined"] },
  ticket: { ticket: ["string"], name: ["string", "undefined"], value: ["string", "undefined"] },
  "fence-peer": { resource: ["string"], peer: ["string", "undefined"], waitMs: ["number"] },
  fence: { target: ["string"], action: ["off", "on", "reboot"], withoutDelay: ["boolean", "undefined"] },
  "fence-confirm": { target: ["string"], terminal: ["string", "undefined"] },
  "fence-history": {},
  "fence-prove": { device: ["string", "undefined"] },
  "fence-drill": { target: ["string"], level: ["number"] },
  node: {
    node: ["string"],
    action: ["standby", "online", "maintenance", "ready"],
    lifetime: ["string", "undefined"],
    reason: ["string", "undefined"],
  },
  resource: {
    resource: ["string"],
    action: RESOURCE_REQUEST_ACTIONS,
    node: ["string", "undefined"],
    lifetime: ["string", "undefined"],
    reason: ["string", "undefined"],
    isPromoted: ["boolean", "undefined"],
    isForced: ["boolean", "undefined"],
    isExpired: ["boolean", "undefined"],
  },
  "resource-fail": { resource: ["string"], node: ["string"] },
  clocks: {},
  log: { lines: ["number"], node: ["string", "undefined"] },
  subscribe: {},
  ping: {},
};

export type RequestRead =
  | { readonly kind: "request"; readonly id: number; readonly request: ControlRequest }
  | { readonly kind: "bad"; readonly id: number; readonly problems: readonly Problem[] };

function bad(id: number, reason: string, remedy: string): RequestRead {
  return { kind: "bad", id, problems: [{ severity: "error", place: "request", reason, remedy }] };
}

/** Times, counts and levels; JSON reads 1e999 as infinite. */
const isCount = (value: unknown) => typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER;

const isAllowed = (member: unknown, allowed: readonly string[]) => {
  if (typeof member === "number") return allowed.includes("number") && isCount(member);
  return allowed.includes(typeof member) || (typeof member === "string" && allowed.includes(member));
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** One line of a client, checked as far as its shape goes. Never throws. */
export function readRequestLine(line: string): RequestRead {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return bad(0, "not a line of JSON", 'send one object a line: {"v":1,"id":1,"request":{"kind":"status"}}');
  }
  if (!isRecord(value)) return bad(0, "not a JSON object", "send one object a line");
  const id = typeof value.id === "number" && Number.isSafeInteger(value.id) && value.id > 0 ? value.id : 0;
  if (id === 0) return bad(0, "id is no positive integer", "number the requests from 1");
  if (value.v !== CONTROL_VERSION)
    return bad(id, `protocol version ${String(value.v)} is not spoken here`, `use version ${CONTROL_VERSION}`);
  const { request } = value;
  if (!isRecord(request) || typeof request.kind !== "string" || !Object.hasOwn(REQUEST_MEMBERS, request.kind))
    return bad(id, "unknown kind of request", `ask for one of ${Object.keys(REQUEST_MEMBERS).join(", ")}`);
  const members = Object.entries(REQUEST_MEMBERS[request.kind as RequestKind]);
  const problems = members.flatMap(([name, allowed]): Problem[] => {
    const member = entryOf(request, name);
    if (isAllowed(member, allowed)) return [];
    return [
      {
        severity: "error",
        place: `request.${name}`,
        reason: `${JSON.stringify(member) ?? "nothing"} is not allowed`,
        remedy: `give ${allowed.join(" or ")}`,
      },
    ];
  });
  for (const name of ["by", ...members.map(([each]) => each)]) {
    const member = entryOf(request, name);
    if (typeof member !== "string" || isXmlText(member)) continue;
    const reason = "it holds a sign that no CIB can hold, as control signs and zero bytes are";
    problems.push({ severity: "error", place: `request.${name}`, reason, remedy: "give printable text" });
  }
  if (problems.length > 0) return { kind: "bad", id, problems };
  // The table above has checked every member of this kind.
  return { kind: "request", id, request: request as unknown as ControlRequest };
}
