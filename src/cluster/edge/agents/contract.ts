/**
 * What a built-in agent keeps: the OCF contract, in process. It may wait, but never blocks the event loop: what may
 * hang in the kernel (mount, umount, drbdadm) runs in a child process that `signal` ends.
 */
import type { AttributeUpdate } from "../../core/executor/types.ts";

/** Exit codes of the OCF resource agent API. */
export const OCF = {
  success: 0,
  error: 1,
  badArguments: 2,
  unimplemented: 3,
  permission: 4,
  notInstalled: 5,
  notConfigured: 6,
  notRunning: 7,
  runningPromoted: 8,
  failedPromoted: 9,
} as const;

export interface AgentCall {
  readonly operation: string;
  readonly instance: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** The environment that an agent of its own process would find: OCF_RESKEY_CRM_meta_..., OCF_CHECK_LEVEL. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Aborted at the timeout, or when nobody wants the result any more. */
  readonly signal: AbortSignal;
  /** Cluster-private files that must not survive a boot. */
  readonly runDirectory: string;
  /** This node, as the cluster calls it. */
  readonly node?: string;
  /**
   * Whether our data of a DRBD resource, though DRBD calls them Consistent only, are proven to be the newest: they were
   * so with the peer connected, which was read as off after it had connected.
   */
  readonly isDrbdCurrent?: (resource: string) => boolean;
  /**
   * Told when this node holds a lock on a shared disk, before the start is answered, and at each renewal: when another
   * node may take it (`performance`'s clock). The keeper ends the node by then; undefined: it was given back.
   */
  readonly tellLease?: (lock: string, untilMs: number | undefined) => void;
}

export interface AgentAnswer {
  readonly code: number;
  /** Why, for an operator; empty for a success with nothing to tell. */
  readonly reason: string;
  readonly attributes?: readonly AttributeUpdate[];
}

export interface AgentParameter {
  readonly name: string;
  readonly required?: boolean;
  readonly unique?: boolean;
  readonly content: "string" | "integer" | "boolean" | "time";
  readonly fallback?: string;
  readonly shortdesc: string;
}

export interface AgentAction {
  readonly name: string;
  readonly timeout: string;
  readonly interval?: string;
  readonly role?: string;
}

export interface BuiltInAgent {
  readonly type: string;
  readonly shortdesc: string;
  readonly parameters: readonly AgentParameter[];
  readonly actions: readonly AgentAction[];
  /** What the parameters ask for and this agent cannot do, in words; undefined when there is nothing. */
  readonly lacks?: (parameters: Readonly<Record<string, string>>) => string | undefined;
  /** `meta-data` and unknown operations are answered by the runner. Resolves however the world behaves. */
  readonly operate: (call: AgentCall) => Promise<AgentAnswer>;
}

/** Where the process groups of running operations are noted, so that a later manager can end them. */
export function noteDirectory(runDirectory: string): string {
  return `${runDirectory}/agents`;
}

export const succeeded: AgentAnswer = { code: OCF.success, reason: "" };

export function failed(reason: string, code: number = OCF.error): AgentAnswer {
  return { code, reason };
}

type Work = (call: AgentCall) => AgentAnswer | Promise<AgentAnswer>;

/** What an agent without further operations can do; its parameters are good unless `validate` says otherwise. */
export interface Operations {
  readonly start: Work;
  readonly stop: Work;
  readonly monitor: Work;
  readonly validate?: Work;
}

/** The `operate` of such an agent; any other operation is answered as unknown. */
export function operates({ start, stop, monitor, validate = () => succeeded }: Operations): BuiltInAgent["operate"] {
  const works = new Map(Object.entries({ start, stop, monitor, status: monitor, "validate-all": validate }));
  return async (call) => {
    const work = works.get(call.operation);
    return work === undefined
      ? failed(`operation ${call.operation} is not known`, OCF.unimplemented)
      : await work(call);
  };
}

/** The value of a boolean parameter, as OCF agents read it. */
export function isTrue(value: string | undefined, fallback = false): boolean {
  if (value === undefined || value === "") return fallback;
  return /^(1|true|yes|on|ja|enabled?)$/i.test(value);
}
