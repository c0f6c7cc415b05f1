/**
 * The zone of this machine (`TZ`, /etc/localtime), for rules whose times name none: see docs/scheduler.md, "Dates".
 * The scheduler takes it as an input, as it takes the clock.
 */
import type { XmlElement } from "../base/xml.ts";
import type { Facts } from "../cluster/core/scheduler/facts/model.ts";
import { readFacts } from "../cluster/core/scheduler/facts/read-facts.ts";

/** How far local time is ahead of UTC at that instant. */
export function zoneAt(wallMs: number): { readonly zoneSeconds: number } {
  return { zoneSeconds: -new Date(wallMs).getTimezoneOffset() * 60 };
}

/** What the CIB says at that instant, here. */
export const localFacts = (cib: XmlElement, wallMs: number): Facts => readFacts(cib, wallMs, zoneAt(wallMs));

/** The instant that a time without a zone means here; `parse` reads it with a zone. */
export function localSeconds(parse: (zoneSeconds: number) => number | undefined): number | undefined {
  const asUtc = parse(0);
  // The offset an instant off by the offset itself: wrong at most within the hours around a change of the clocks.
  return asUtc === undefined ? undefined : parse(zoneAt(asUtc * 1000).zoneSeconds);
}
