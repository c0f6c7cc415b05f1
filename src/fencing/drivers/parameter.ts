/** Schema pieces for device parameters, which come as strings from the configuration; messages are orders. */
import * as v from "valibot";
import { parseDurationMs } from "../core/duration.ts";

/** A required word or name. */
export function text(remedy: string) {
  return v.pipe(v.string(remedy), v.trim(), v.nonEmpty(remedy));
}

/** A length of time between the limits, by default `fallbackMs`. */
export function duration(fallbackMs: number, minMs: number, maxMs: number) {
  return v.optional(
    v.pipe(
      v.string(),
      v.transform((written) => parseDurationMs(written) ?? Number.NaN),
      v.check((ms) => ms >= minMs && ms <= maxMs, `write a time from ${minMs}ms to ${maxMs / 1_000}s, as 500ms or 20s`),
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
