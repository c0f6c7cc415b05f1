/**
 * The central seam: every core is `step(state, event, nowMs) -> { state, effects }`, the same for ever for the same
 * input. The loop starts the effects in their order; every result comes back as a new event.
 */
export interface Stepped<State, Effect> {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** First these effects, then those. Most steps have none: nothing is built for them. */
export function together<Effect>(first: readonly Effect[], then: readonly Effect[]): readonly Effect[] {
  if (first.length === 0) return then;
  return then.length === 0 ? first : [...first, ...then];
}

/** A step that changes nothing. */
export function unchanged<State, Effect>(state: State): Stepped<State, Effect> {
  return { state, effects: [] };
}
