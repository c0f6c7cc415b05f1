/**
 * The cores that the virtual processes run: the product's own. A test that breaks a rule on purpose, to see whether the
 * simulator finds it, hands over a set in which one of them is wrapped; there is no switch in the cores themselves.
 */
import { stepNode } from "../cluster/core/controller/node-core.ts";
import { stepMembership } from "../cluster/core/membership/membership.ts";
import { schedule } from "../cluster/core/scheduler/schedule.ts";
import { stepFencer } from "../fencing/core/fencer.ts";
import { stepFenceDesk } from "../storage/core/fence-desk.ts";

export interface Cores {
  readonly stepMembership: typeof stepMembership;
  readonly stepNode: typeof stepNode;
  readonly stepFencer: typeof stepFencer;
  readonly stepFenceDesk: typeof stepFenceDesk;
  readonly schedule: typeof schedule;
}

export const REAL_CORES: Cores = { stepMembership, stepNode, stepFencer, stepFenceDesk, schedule };
