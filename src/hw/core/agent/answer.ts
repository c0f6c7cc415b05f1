/** One call of a fence agent or plugin, as values; no secret of it stands in an argument. */
export type AgentAnswer =
  | { readonly kind: "exited"; readonly code: number; readonly output: string }
  /** It could not be started: nothing was done. */
  | { readonly kind: "not-started"; readonly reason: string }
  /** It was killed when its time was over; what it did is not known. */
  | { readonly kind: "killed"; readonly reason: string };

export interface FenceAgent {
  /** `options`: without the password, which is added under the name that the device's configuration says. */
  call(options: Readonly<Record<string, string>>): Promise<AgentAnswer>;
}

/** An external plugin of cluster-glue, called once per operation. */
export interface ExternalPlugin {
  /** `node`: where the operation has one. `options`: its parameters without the password. */
  call(
    operation: "on" | "off" | "reset" | "status",
    node: string | undefined,
    options: Readonly<Record<string, string>>,
  ): Promise<AgentAnswer>;
}
