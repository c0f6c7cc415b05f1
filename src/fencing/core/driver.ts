/**
 * What every fencing driver keeps, and the three outcomes that are never mixed.
 * A driver acts, looks and reports; it never decides whom to fence, nor how often to try. It may wait (it talks to a
 * device), so drivers stand outside of `core/`; only their contract stands here.
 */

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

/**
 * A driver for one dialect. `Connection` is what the runner opened for it (an IPMI session, a text stream, ...).
 * Each method resolves however the device behaves, within the bound that its parameters state; it rejects only for
 * a bug. `off` ends with the power read back as off, never with a mere "accepted".
 */
export interface FencingDriver<Connection, Parameters> {
  /** Stable: configurations refer to it. */
  readonly name: string;
  off(connection: Connection, clock: Clock, parameters: Parameters): Promise<FencingOutcome>;
  on(connection: Connection, clock: Clock, parameters: Parameters): Promise<FencingOutcome>;
  status(connection: Connection, clock: Clock, parameters: Parameters): Promise<FencingOutcome>;
}
