/**
 * The one place that says when a power is proven, whatever the dialect.
 * An accepted command proves nothing, because devices answer before they act; only a reading does. And "off" must be
 * read twice, `settleMs` apart: a board that has just restarted says "off" for a moment while its machine runs (seen
 * on ipmi_sim). There is no cycle here, because a cycle leaves no "off" to read back.
 */
import type { Clock, FencingAction, FencingOutcome, PowerDevice, PowerReading, PowerTimes } from "../core/driver.ts";

/** Longest time that one `off` or `on` can take: shown to the operator in advance. */
export function boundMs({ confirmMs, settleMs, answerMs }: PowerTimes): number {
  return confirmMs + settleMs + 2 * answerMs;
}

function describe(reading: PowerReading): string {
  if (reading.kind === "power") return `it still reads ${reading.power}`;
  return reading.kind === "not-told" ? reading.text : reading.reason;
}

/** Asks for the power `wanted` and looks until it is read, or the time is over. Takes at most `boundMs`. */
async function switchAndProve(
  device: PowerDevice,
  clock: Clock,
  { confirmMs, pollMs, settleMs }: PowerTimes,
  wanted: "on" | "off",
): Promise<FencingOutcome> {
  const deadlineAtMs = clock.nowMs() + confirmMs;
  let isAccepted = false;
  let maybeCommanded = false;
  let seen = "nothing was read back";
  let readAtMs: number | undefined;
  while (clock.nowMs() < deadlineAtMs || readAtMs !== undefined) {
    // Read back already, it needs no second command, whatever became of the answer to the first one.
    if (!isAccepted && readAtMs === undefined) {
      const answer = await device.switchPower(wanted);
      if (answer.kind === "refused") return { kind: maybeCommanded ? "unknown" : "not-done", reason: answer.reason };
      isAccepted = answer.kind === "accepted" || answer.kind === "wrong-state";
      maybeCommanded ||= answer.kind !== "busy";
    }
    const reading = await device.readPower();
    if (reading.kind === "power" && reading.power === wanted) {
      readAtMs ??= clock.nowMs();
      if (wanted === "on" || clock.nowMs() - readAtMs >= settleMs) return { kind: "confirmed", power: wanted };
      await clock.sleep(readAtMs + settleMs - clock.nowMs());
    } else {
      // It was off and is not any more: a device that lied, or a machine that somebody switched on. Ask again.
      if (readAtMs !== undefined) isAccepted = false;
      readAtMs = undefined;
      seen = describe(reading);
      await clock.sleep(pollMs);
    }
  }
  return { kind: "unknown", reason: `the power was not read back as ${wanted} within ${confirmMs} ms: ${seen}` };
}

/** Runs one action; resolves however the device behaves. `status` only reads. */
export async function provePower(
  device: PowerDevice,
  clock: Clock,
  times: PowerTimes,
  action: FencingAction,
): Promise<FencingOutcome> {
  if (action !== "status") return switchAndProve(device, clock, times, action);
  const reading = await device.readPower();
  if (reading.kind === "power") return { kind: "confirmed", power: reading.power };
  if (reading.kind === "not-told") return { kind: "confirmed", power: "not-told" };
  return { kind: "not-done", reason: reading.reason };
}
