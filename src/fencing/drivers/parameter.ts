/** Schema pieces for device parameters, which come as strings from the configuration; messages are orders. */
import * as v from "valibot";
import type { PowerTimes } from "../core/driver.ts";
import { parseDurationMs } from "../core/duration.ts";

/** A required word or name. */
export function text(remedy: string) {
  return v.pipe(v.string(remedy), v.trim(), v.nonEmpty(remedy));
}

/** A length of time between the limits, by default `fallbackMs`. `what`: what it is the time of. */
export function duration(fallbackMs: number, minMs: number, maxMs: number, what: string) {
  return v.optional(
    v.pipe(
      v.string(),
      v.transform((written) => parseDurationMs(written) ?? Number.NaN),
      v.check(
        (ms) => ms >= minMs && ms <= maxMs,
        `write ${what}: a time from ${minMs}ms to ${maxMs / 1_000}s, as 500ms or 20s`,
      ),
    ),
    `${fallbackMs}ms`,
  );
}

/** A port number. */
export function port(fallback: number) {
  return v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,5}$/, "write a port number from 1 to 65535"),
      v.transform(Number),
      v.check((value) => value >= 1 && value <= 65_535, "write a port number from 1 to 65535"),
    ),
    String(fallback),
  );
}

const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

/** Whose device it is, where that is to be checked. */
export const uuid = v.optional(
  v.pipe(v.string(), v.regex(UUID, "write the GUID or the system UUID as 32 hex digits, with or without dashes")),
);

/** The times of every driver, under the same names. */
export function powerTimes({ answerMs, confirmMs, pollMs, settleMs }: PowerTimes) {
  return {
    answer_time: duration(answerMs, 500, 60_000, "how long one answer may take"),
    confirm_time: duration(confirmMs, 1_000, 600_000, "how long it may take until the power is read back"),
    poll_time: duration(pollMs, 50, 10_000, "how often the power is read"),
    settle_time: duration(settleMs, 0, 60_000, "how long it must stay off before it counts"),
  };
}

/** What `powerTimes` read. */
export function timesOf(written: {
  readonly answer_time: number;
  readonly confirm_time: number;
  readonly poll_time: number;
  readonly settle_time: number;
}): PowerTimes {
  return {
    answerMs: written.answer_time,
    confirmMs: written.confirm_time,
    pollMs: written.poll_time,
    settleMs: written.settle_time,
  };
}

/** The fingerprint of a board's own certificate. */
export const certificate = v.pipe(
  v.string(),
  v.transform((written) => written.replaceAll(":", "").toLowerCase()),
  v.regex(/^[0-9a-f]{64}$/, "write the SHA-256 fingerprint of the board's certificate, 64 hex digits"),
);
