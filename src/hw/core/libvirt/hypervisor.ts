/**
 * One virtual machine of a hypervisor, as values.
 * Facts: libvirt's virDomainState, virDomainShutoffReason and virErrorNumber.
 */

/** What libvirtd made of a call that needs the machine. */
export type HypervisorAnswer<Value> =
  | { readonly kind: "value"; readonly value: Value }
  /** libvirtd's own number and words; the call was not carried out, or its failure was found out. */
  | { readonly kind: "error"; readonly code: number; readonly message: string }
  /** `maybeReceived`: the call had been sent. */
  | { readonly kind: "lost"; readonly maybeReceived: boolean; readonly reason: string };

export interface MachineState {
  /** virDomainState. */
  readonly state: number;
  /** Its meaning depends on `state`. */
  readonly reason: number;
}

export interface MachineIdentity {
  /** 32 hex digits: the system UUID that the guest reads from its DMI. */
  readonly uuid: string;
  /** False: the machine is gone with its end, and nothing could be read back. */
  readonly isPersistent: boolean;
}

export interface Hypervisor {
  state(): Promise<HypervisorAnswer<MachineState>>;
  /** Ends the machine's process at once. */
  destroy(): Promise<HypervisorAnswer<undefined>>;
  /** Starts it from its boot, never from memory that was saved: that would wake a node of another time. */
  boot(): Promise<HypervisorAnswer<undefined>>;
  identity(): Promise<HypervisorAnswer<MachineIdentity>>;
}

export const MACHINE_STATE = { none: 0, shutoff: 5, last: 7 } as const;
/** Why a machine is shut off: it runs on another host. */
export const SHUTOFF_MIGRATED = 4;
/** virErrorNumber, as far as it changes what to do. */
export const LIBVIRT_ERROR = { denied: 29, noDomain: 42, authFailed: 45, invalidNow: 55, accessDenied: 88 } as const;
