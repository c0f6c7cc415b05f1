/**
 * What can switch a machine's power from outside: its BMC, which lives on the machine's own supply, or an outlet of a
 * power strip, which does not. Boards do what boards do: answer late, lose answers, accept and do nothing, refuse.
 */
import type { Machine } from "./machine.ts";

/**
 * `late`: the power goes a while after the answer. `mute`: it does what it is told and says nothing. `idle`: it accepts
 * and does nothing. `deaf`: nothing arrives.
 */
export const BOARD_MODES = ["obeys", "late", "mute", "idle", "denies", "deaf"] as const;
export type BoardMode = (typeof BOARD_MODES)[number];

const LATE_MS = 4_000;

export class Board {
  readonly name: string;
  readonly target: Machine;
  readonly diesWithHost: boolean;
  mode: BoardMode = "obeys";

  constructor(name: string, target: Machine, diesWithHost: boolean) {
    this.name = name;
    this.target = target;
    this.diesWithHost = diesWithHost;
  }

  /** Whether anything can be asked of it. */
  get answers(): boolean {
    if (this.mode === "deaf" || this.mode === "mute") return false;
    return !this.diesWithHost || this.target.hasMains;
  }

  get denies(): boolean {
    return this.mode === "denies";
  }

  readPower(): "on" | "off" {
    return this.target.power;
  }

  /** True when it acts on it. `by`: the node that asked. */
  switchPower(wanted: "on" | "off", by: string): boolean {
    if (this.mode === "deaf" || this.mode === "denies" || this.mode === "idle") return false;
    if (this.diesWithHost && !this.target.hasMains) return false;
    const { world, life } = this.target;
    const act = () => {
      if (wanted === "on") this.target.switchOn();
      else if (this.target.power === "on") {
        world.watch.shot(this.target, by);
        world.tell(by, `switches ${this.target.name} off by ${this.name}`);
        this.target.switchOff();
      }
    };
    if (this.mode !== "late") act();
    else
      world.agenda.after(LATE_MS, () => {
        if (this.target.life === life) act();
      });
    return true;
  }
}
