/**
 * The dated proofs of this node's fencing devices: joins their core to clock, runner, disk and peers. It holds no rule.
 */
import {
  createProofs,
  type Proof,
  type ProofEffect,
  type ProofEvent,
  type ProofState,
  type ProofTimes,
  proofsWakeAtMs,
  stepProofs,
} from "../../fencing/core/proofs.ts";
import type { RecordFile } from "../../fencing/edge/record-file.ts";
import type { Log } from "./log.ts";

export interface ProofDesk {
  readonly configure: (devices: readonly string[], times: ProofTimes) => void;
  readonly note: (device: string, action: "status" | "off" | "on", failure: string | undefined) => void;
  readonly state: () => ProofState;
  readonly wakeAtMs: () => number | undefined;
  readonly tick: () => void;
}

export interface ProofDeskOptions {
  readonly file: RecordFile<readonly Proof[]>;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Looks at the device; whoever does so notes what came of it. */
  readonly look: (device: string) => void;
  readonly onChange: () => void;
}

export function createProofDesk({ file, nowMs, log, look, onChange }: ProofDeskOptions): ProofDesk {
  let state = createProofs(file.stored ?? []);

  function start(effect: ProofEffect): void {
    switch (effect.kind) {
      case "look":
        look(effect.device);
        break;
      case "log":
        log(effect.severity, effect.text);
        break;
      case "changed":
        file.keep(state.proofs);
        onChange();
        break;
      default:
        effect satisfies never;
    }
  }

  function step(event: ProofEvent): void {
    const stepped = stepProofs(state, event, nowMs(), Date.now());
    state = stepped.state;
    for (const effect of stepped.effects) start(effect);
  }

  return {
    configure: (devices, times) => step({ kind: "configure", devices, times }),
    note: (device, action, failure) => step({ kind: "seen", device, action, failure }),
    state: () => state,
    wakeAtMs: () => proofsWakeAtMs(state),
    tick: () => step({ kind: "tick" }),
  };
}
