/**
 * Fencing by a person: the fencer asks, and waits until an operator confirms that the node is off.
 * There is no device behind it, so it is no driver with a connection; the fencer core takes the confirmation.
 * Term: cluster-glue's meatware plugin and `meatclient -c NODE`.
 */
import * as v from "valibot";
import { duration } from "./parameter.ts";

export const meatwareParameters = v.strictObject({
  /** How long a person may take before the level counts as failed and is asked anew. */
  confirm_time: duration(600_000, 10_000, 86_400_000, "how long a person may take"),
});
