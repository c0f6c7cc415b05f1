/** What managers send each other over the channel: the cores' messages, and those of the edges around them. */
import type { AlertTrouble } from "../../cluster/core/alerts/dispatch.ts";
import type { CibVersion } from "../../cluster/core/cib-store/types.ts";
import type { NodeMessage } from "../../cluster/core/controller/node-core.ts";
import type { FencingRecord } from "../../fencing/core/fencer-state.ts";
import type { ProofReport } from "../../fencing/core/proofs.ts";
import type { ControlRequest } from "../control-protocol.ts";
import type { Reply } from "./control-server.ts";

export type ManagerMessage =
  | NodeMessage
  /** Rounds of fencing that the sender knows of; kept by all, for whoever is asked for the history. */
  | {
      readonly room: "fencing";
      readonly records: readonly FencingRecord[];
      /** They have just ended; else they tell a peer that was away. */
      readonly isNews?: true;
    }
  /** How well the sender's fencing devices are proven. */
  | { readonly room: "proofs"; readonly report: ProofReport }
  /** Alerts of the sender that do not arrive; all that there are. */
  | { readonly room: "alerts"; readonly troubles: readonly AlertTrouble[] }
  /** An earlier version of the configuration, which the sender has not kept. */
  | { readonly room: "version"; readonly ask: number; readonly version: string }
  | { readonly room: "version-answer"; readonly ask: number; readonly xml: string | null }
  /** What time is it at yours? */
  | { readonly room: "clock"; readonly ask: number }
  | { readonly room: "clock-answer"; readonly ask: number; readonly wallMs: number }
  /** Your last log lines, for a report that is made at the sender. */
  | { readonly room: "log"; readonly ask: number; readonly lines: number }
  | { readonly room: "log-answer"; readonly ask: number; readonly lines: readonly string[] }
  /** A private attribute: nobody writes it down, so each manager tells the others. */
  | { readonly room: "attribute"; readonly node: string; readonly name: string; readonly value: string | null }
  /** What only the DC can do, asked by a command on another node. */
  | { readonly room: "dc"; readonly ask: number; readonly request: ControlRequest }
  | { readonly room: "dc-answer"; readonly ask: number; readonly reply: Reply }
  /** Before anything starts on the target: let it in, by these devices. */
  | {
      readonly room: "unfence";
      readonly ask: number;
      readonly target: string;
      readonly devices: readonly string[];
      readonly by: string;
      /** Of the configuration that says what these devices are. */
      readonly version: CibVersion;
    }
  | { readonly room: "unfence-answer"; readonly ask: number; readonly record: FencingRecord }
  /** DRBD has lost its link to you while you live: outdate your disk, or say that you are Primary. */
  | { readonly room: "drbd"; readonly ask: number; readonly resource: string }
  | { readonly room: "drbd-answer"; readonly ask: number; readonly word: "outdated" | "primary" | "unknown" };

/** From the channel; the sender's manager is of this program, and the wire is authenticated. */
export function readManagerMessage(text: string): ManagerMessage {
  return JSON.parse(text) as ManagerMessage;
}
