/**
 * What every fencing driver keeps, and the three outcomes that are never mixed.
 * A driver acts, looks and reports; it never decides whom to fence, nor how often to try. It may wait (it talks to a
 * device), so drivers stand outside of `core/`; only their contract stands here.
 */
import type { GenericSchema } from "valibot";
import type { Bmc } from "../../hw/core/ipmi/bmc.ts";

/** Only `confirmed` "off" lets the cluster take over; `unknown` means: assume that the node still runs. */
export type FencingOutcome =
  | { readonly kind: "confirmed"; readonly power: "on" | "off" }
  | { readonly kind: "not-done"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

export type FencingAction = "off" | "on" | "status";

/** Time as a driver sees it: virtual in tests and in the simulator. */
export interface Clock {
  /** Monotonic. */
  nowMs(): number;
  sleep(durationMs: number): Promise<void>;
}

/** What the runner opens for a driver, by transport. */
export interface Connections {
  readonly ipmi: Bmc;
}

/** What a device's parameters say to the runner about its connection, beside what the driver itself reads. */
export interface Transports {
  readonly ipmi: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    /** Name of an entry of the secrets file, never the password itself. */
    readonly secret: string;
    readonly kgSecret?: string | undefined;
    readonly cipherSuite: 3 | 17;
    readonly privilege: "operator" | "administrator";
    /** The board's GUID or the machine's UUID: another board is never switched. */
    readonly boardGuid?: string | undefined;
    /** Longest wait for one answer, opening a session included. */
    readonly answerMs: number;
  };
}

/**
 * A driver for one dialect. Each method resolves however the device behaves, within the bound that its parameters
 * state; it rejects only for a bug. `off` ends with the power read back as off, never with a mere "accepted".
 */
export interface FencingDriver<Transport extends keyof Connections, Parameters extends Transports[Transport]> {
  /** Stable: configurations refer to it. */
  readonly name: string;
  /** The runner opens this connection. */
  readonly transport: Transport;
  /** From the strings of the configuration to what the driver works with; all issues at once. */
  readonly parameters: GenericSchema<unknown, Parameters>;
  /** Longest time that `off` or `on` can take with these parameters: shown to the operator in advance. */
  boundMs(parameters: Parameters): number;
  off(connection: Connections[Transport], clock: Clock, parameters: Parameters): Promise<FencingOutcome>;
  on(connection: Connections[Transport], clock: Clock, parameters: Parameters): Promise<FencingOutcome>;
  status(connection: Connections[Transport], clock: Clock, parameters: Parameters): Promise<FencingOutcome>;
}

/** What was asked of a device and what it answered, for the death certificate. Holds no secrets. */
export interface Evidence {
  /** Wall clock, for people: first and last time of the same question with the same answer in a row. */
  readonly atWallMs: number;
  readonly lastWallMs: number;
  readonly asked: string;
  readonly answered: string;
}

export interface DeviceReport {
  readonly outcome: FencingOutcome;
  readonly evidence: readonly Evidence[];
}
