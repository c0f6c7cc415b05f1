/** Fencing as the control socket tells it: certificates, proofs, devices. Part of the control protocol. */

export interface FencingRecord {
  readonly target: string;
  readonly action: string;
  readonly outcome: "confirmed" | "not-done" | "unknown" | "running";
  readonly device: string;
  readonly atWallMs: number;
  readonly by: string;
  /** Whoever asked had never met the target since its own start. */
  readonly hasNotMet?: true;
  /** What was asked and what was read back. */
  readonly evidence: string;
  /** Why it is not confirmed; empty when it is, and while it runs. */
  readonly reason: string;
  /** It runs, and a person's word is all that it waits for. */
  readonly awaitsPerson?: true;
  /** The certificate in full; absent while it runs. */
  readonly node?: string;
  readonly endedWallMs?: number;
  readonly devices?: readonly DeviceCertificate[];
}

/** What one device was asked in one round, and what it answered. */
export interface DeviceCertificate {
  readonly device: string;
  readonly driver: string;
  readonly action: "off" | "on";
  readonly outcome: "confirmed" | "not-done" | "unknown";
  readonly reason: string;
  readonly evidence: readonly {
    readonly atWallMs: number;
    /** The same answer came until then. */
    readonly lastWallMs: number;
    readonly asked: string;
    readonly answered: string;
  }[];
}

/** Whether `node` could fence by `device`, and since when that is known. */
export interface ProofStatus {
  readonly node: string;
  readonly device: string;
  /** `new`: not looked at yet. `failing`: the last look failed, an earlier proof still counts. */
  readonly state: "new" | "proven" | "failing" | "expired";
  readonly provenWallMs?: number;
  readonly expiresWallMs?: number;
  /** When it really switched off, in a drill or in earnest. */
  readonly switchedWallMs?: number;
  readonly failingSinceWallMs?: number;
  readonly reason?: string;
}

/** Somebody has to act, before the device is needed. */
export function isUnproven({ state }: ProofStatus): boolean {
  return state === "failing" || state === "expired";
}

export interface FencingStatus {
  readonly isEnabled: boolean;
  readonly devices: readonly { readonly id: string; readonly driver: string; readonly targets: readonly string[] }[];
  readonly history: readonly FencingRecord[];
  readonly proofs: readonly ProofStatus[];
  /** Should the nodes lose each other alive: the first fences at once, the others wait. */
  readonly race: { readonly order: readonly string[]; readonly delayMs: number };
}
