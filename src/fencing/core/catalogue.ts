/**
 * What the reader of the configuration must know of the drivers, without knowing them: which agents there are, and
 * whether a device's parameters are complete. The drivers' table provides it.
 */

/** A parameter that is missing or wrong, and what to write. */
export interface Complaint {
  readonly parameter: string;
  readonly reason: string;
  readonly remedy: string;
}

/** Parameters that are read at the resource that another parameter names, so that the two cannot differ. */
export interface Borrowing {
  readonly parameter: string;
  readonly agent: string;
  readonly names: readonly string[];
}

export interface DriverChoice {
  readonly driver: string;
  /** As the driver names them; an alias has been translated. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Nothing wrong when empty. */
  readonly complaints: readonly Complaint[];
  /** Longest time of one `off` or `on`; 0 when the parameters are wrong. */
  readonly boundMs: number;
  /** True for a driver that waits for a person instead of a device. */
  readonly manual: boolean;
  /** False for a device that can only end a machine, as a disk does: then nobody asks it to switch on. */
  readonly switchesOn: boolean;
  /** True for one that only looks whether the node lives. */
  readonly isWitness: boolean;
  /** What is added when the machine is to run again after its end. */
  readonly rebootParameters: Readonly<Record<string, string>>;
  readonly borrowing: Borrowing | undefined;
  /** The parameter that takes the outlet of a node, for devices that feed several. */
  readonly plugParameter: string | undefined;
  /** A packaged agent that is run: it may take the outlet by another parameter than the usual one. */
  readonly isAgentOfOthers: boolean;
  /** Its plugs are numbered outlets, several a node, as `3,7`; else a plug is one word, by default the node's name. */
  readonly hasOutlets: boolean;
}

export interface DriverCatalogue {
  /** Undefined: no driver speaks for this agent. `agent`: the type of a primitive of class stonith. */
  choose(agent: string, parameters: Readonly<Record<string, string>>): DriverChoice | undefined;
  readonly agents: readonly string[];
}

/** Without what speaks to the fencer instead of the device: pcmk_* and priority. */
export function ownParameters(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const own = Object.entries(parameters).filter(([name]) => !name.startsWith("pcmk_") && name !== "priority");
  return Object.fromEntries(own);
}
