/** What the cluster knows of the watchdogs of its nodes, as a value for whoever takes a node for dead by it. */

/** Of one other node, at this moment. */
export type PromiseReading =
  /** No such node, or it is this one, or nobody has heard its present start promise anything. */
  | { readonly kind: "none"; readonly reason: string }
  /** It is heard, or nothing counts yet: it lives until the time has begun. */
  | { readonly kind: "heard"; readonly endsWithinMs: number; readonly waitMs: number }
  /** Nobody of a majority hears it, and the time runs. */
  | { readonly kind: "waiting"; readonly endsWithinMs: number; readonly waitMs: number }
  /** So long nobody of a majority has heard it: more than it had promised to need. */
  | { readonly kind: "ended"; readonly endsWithinMs: number; readonly quietMs: number };

export interface WatchdogPromises {
  read(node: string): PromiseReading;
  /** Members that promise nothing: their death could not be waited for. */
  withoutPromise(): readonly string[];
  /** A member that nobody else can end is declared lost: it ends itself as soon as it hears that. */
  declareLost(node: string): void;
}
