/** What passes from the scheduler's passes to its printers. */
import type { Graph } from "./act/included.ts";
import type { Plan } from "./act/plan.ts";
import type { Facts } from "./facts/model.ts";
import type { Board } from "./place/board.ts";

/** Everything that a run worked out; what printers and explanations are made from. */
export interface Worked {
  readonly facts: Facts;
  readonly board: Board;
  /** What might be done, and what waits for what. */
  readonly plan: Plan;
  /** What is done. */
  readonly graph: Graph;
}
