/**
 * Each packet is heard once: by generation and sequence, for one peer on one link.
 * Packets may overtake each other a little (IPsec's sliding window, RFC 4303, section 3.4.3); a packet of an older
 * generation, below the window, or seen before, is refused.
 */
export interface ReplayWindow {
  readonly generation: number;
  readonly highest: number;
  /** Bit n: `highest - n` was seen. */
  readonly seen: number;
}

const WINDOW = 32;

export const EMPTY_WINDOW: ReplayWindow = { generation: 0, highest: 0, seen: 0 };

/** The window after the packet, or undefined when the packet is not to be heard. */
export function acceptSequence(window: ReplayWindow, generation: number, sequence: number): ReplayWindow | undefined {
  if (generation < window.generation) return undefined;
  if (generation > window.generation) return { generation, highest: sequence, seen: 1 };
  const ahead = sequence - window.highest;
  if (ahead > 0) {
    const shifted = ahead >= WINDOW ? 0 : window.seen << ahead;
    return { generation, highest: sequence, seen: (shifted | 1) >>> 0 };
  }
  if (-ahead >= WINDOW) return undefined;
  const bit = (1 << -ahead) >>> 0;
  return (window.seen & bit) !== 0 ? undefined : { ...window, seen: (window.seen | bit) >>> 0 };
}

/** On a serial line heartbeats and answers go first, and a message may wait there for a minute of them. */
export interface WideWindow {
  readonly generation: number;
  readonly highest: number;
  /** What was seen of the last WIDE sequences. */
  readonly seen: readonly number[];
}

/** A queue of 64 messages at 9600 baud takes 86 s; of the shortest heartbeats and answers 10 fit beside each second. */
const WIDE = 1024;

export const EMPTY_WIDE_WINDOW: WideWindow = { generation: 0, highest: 0, seen: [] };

/** As `acceptSequence`; for lines that carry some ten packets a second. */
export function acceptAmongMany(window: WideWindow, generation: number, sequence: number): WideWindow | undefined {
  if (generation < window.generation) return undefined;
  if (generation > window.generation) return { generation, highest: sequence, seen: [sequence] };
  if (sequence <= window.highest - WIDE || window.seen.includes(sequence)) return undefined;
  const highest = Math.max(window.highest, sequence);
  return { generation, highest, seen: [...window.seen.filter((one) => one > highest - WIDE), sequence] };
}
