/**
 * A board's power as values: the few IPMI requests that fencing needs, and what their answers mean.
 * An accepted Chassis Control proves nothing: only Get Chassis Status tells the power.
 * Facts: IPMI v2.0 rev. 1.1, section 28.2 (Get Chassis Status), 28.3 (Chassis Control), 20.1 (Get Device ID).
 */
import { readU16 } from "./bytes.ts";
import type { IpmiFault } from "./fault.ts";
import { COMPLETION, describeCompletion, type IpmiRequest, NETFN } from "./message.ts";
import type { IpmiResult } from "./session-state.ts";

/** Why there is no answer that could be used. */
export type BmcFailure =
  | { readonly kind: "refused"; readonly fault: IpmiFault }
  | { readonly kind: "rejected"; readonly completionCode: number }
  | { readonly kind: "unreadable"; readonly reason: string }
  | { readonly kind: "silent"; readonly maybeReceived: boolean; readonly reason: string };

export interface BmcIdentity {
  /** Authenticated by the handshake: 16 bytes as hex. */
  readonly guid: string;
  /** IANA enterprise number: Dell 674, HP 11, IBM 2, Supermicro 10876. */
  readonly manufacturerId: number;
  readonly productId: number;
  readonly firmware: string;
}

export type PowerAnswer = { readonly kind: "power"; readonly power: "on" | "off" } | BmcFailure;
export type ControlAnswer = { readonly kind: "accepted" } | BmcFailure;
export type IdentityAnswer = ({ readonly kind: "identity" } & BmcIdentity) | BmcFailure;

/** What a fencing driver may ask of a board. Every call resolves within the connection's budget. */
export interface Bmc {
  power(): Promise<PowerAnswer>;
  control(command: "power-down" | "power-up"): Promise<ControlAnswer>;
  identity(): Promise<IdentityAnswer>;
}

export const GET_CHASSIS_STATUS: IpmiRequest = { netFn: NETFN.chassis, command: 0x01, data: [] };
export const GET_DEVICE_ID: IpmiRequest = { netFn: NETFN.app, command: 0x01, data: [] };

/** Down is the hard power-off of section 28.3; there is no cycle here, for it leaves no "off" to read back. */
export function chassisControl(command: "power-down" | "power-up"): IpmiRequest {
  return { netFn: NETFN.chassis, command: 0x02, data: [command === "power-down" ? 0x00 : 0x01] };
}

/** The data of a good answer of at least `bytesMin` bytes, or why there is none. */
function dataOf(result: IpmiResult, bytesMin: number): Uint8Array | BmcFailure {
  if (result.kind !== "response") return result;
  if (result.completionCode !== COMPLETION.done) return { kind: "rejected", completionCode: result.completionCode };
  if (result.data.length >= bytesMin) return result.data;
  return { kind: "unreadable", reason: `an answer of ${result.data.length} bytes, ${bytesMin} are needed` };
}

/** Bit 0 of the current power state is the power itself; the other bits tell why. */
export function readPower(result: IpmiResult): PowerAnswer {
  const data = dataOf(result, 3);
  if (!(data instanceof Uint8Array)) return data;
  return { kind: "power", power: ((data[0] ?? 0) & 0x01) === 1 ? "on" : "off" };
}

export function readControl(result: IpmiResult): ControlAnswer {
  const data = dataOf(result, 0);
  return data instanceof Uint8Array ? { kind: "accepted" } : data;
}

export function readIdentity(result: IpmiResult, guid: string): IdentityAnswer {
  const data = dataOf(result, 11);
  if (!(data instanceof Uint8Array)) return data;
  const minor = (data[3] ?? 0).toString(16).padStart(2, "0");
  return {
    kind: "identity",
    guid,
    manufacturerId: readU16(data, 6) | (((data[8] ?? 0) & 0x0f) << 16),
    productId: readU16(data, 9),
    firmware: `${(data[2] ?? 0) & 0x7f}.${minor}`,
  };
}

/** One sentence for a log or an operator, with the remedy where there is one. */
export function describeFailure(failure: BmcFailure): string {
  switch (failure.kind) {
    case "refused":
      return `${failure.fault.reason}; ${failure.fault.remedy}`;
    case "rejected":
      return `the board rejected the command: ${describeCompletion(failure.completionCode)}`;
    case "unreadable":
    case "silent":
      return failure.reason;
  }
}
