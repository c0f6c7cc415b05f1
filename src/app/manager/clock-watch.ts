/** The other members' wall clocks, looked at once a minute for the status; what `gemel doctor` asks for at once. */
import { clockSkew } from "../../cluster/core/clock-skew.ts";
import { readClocks } from "./history-desk.ts";
import type { Manager } from "./manager.ts";

/** Two small packets for each other member. */
const LOOK_EVERY_MS = 60_000;
/** The managers know each other by then. */
const FIRST_LOOK_MS = 10_000;

async function look(manager: Manager): Promise<void> {
  const before = manager.clocks;
  const readings = await readClocks(manager);
  // Who does not answer has not set its clock right.
  manager.clocks = readings.map((reading) =>
    reading.offsetMs === undefined ? (before.find(({ node }) => node === reading.node) ?? reading) : reading,
  );
  for (const reading of manager.clocks) {
    const earlier = before.find(({ node }) => node === reading.node);
    const wasApart = earlier !== undefined && clockSkew(earlier) !== undefined;
    const is = clockSkew(reading);
    if (wasApart === (is !== undefined)) continue;
    if (is === undefined) manager.log("info", `the clock of ${reading.node} agrees with ours again`);
    else manager.log("warning", `the clock of ${reading.node} differs from ours by ${is.values.seconds} s`);
  }
  manager.control?.changed();
}

/** Looks for as long as the manager lives. */
export function watchClocks(manager: Manager): void {
  const again = () => void look(manager).finally(() => setTimeout(again, LOOK_EVERY_MS));
  setTimeout(again, FIRST_LOOK_MS);
}
