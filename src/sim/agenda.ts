/**
 * What is to happen when, on the one clock of the virtual world. Of two things at the same instant the one that was
 * put down first comes first, so that a run is the same every time.
 */
interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

const isBefore = (left: Entry, right: Entry) =>
  left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);

/** A binary heap: a run puts down and takes off millions of entries. */
export class Agenda {
  nowMs = 0;
  /** How many entries have been run. */
  steps = 0;
  readonly #heap: Entry[] = [];
  #order = 0;

  at(atMs: number, run: () => void): void {
    const heap = this.#heap;
    const entry: Entry = { atMs: Math.max(atMs, this.nowMs), order: this.#order, run };
    this.#order += 1;
    let place = heap.length;
    heap.push(entry);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, entry)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = entry;
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  /** Runs whatever is due until then. */
  runUntil(endMs: number): void {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.atMs > endMs) break;
      this.#takeFirst();
      this.nowMs = first.atMs;
      this.steps += 1;
      first.run();
    }
    this.nowMs = endMs;
  }

  #takeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      let below = heap[child];
      if (below === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, below)) {
        child += 1;
        below = right;
      }
      if (isBefore(last, below)) break;
      heap[place] = below;
      place = child;
    }
    heap[place] = last;
  }
}
