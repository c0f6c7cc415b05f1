/**
 * The messages that managers read. What goes to all the others is the same text for each of them: it is parsed once,
 * for nothing that a core is given is ever changed by it. Two of three texts are known from a moment ago.
 */

/** Those under way at a time: a message to each of sixteen nodes, and its neighbours. */
const KEPT_MAX = 16;

export class Readings {
  /** By text, the oldest first. */
  readonly #known = new Map<string, unknown>();

  read(text: string): unknown {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const value: unknown = JSON.parse(text);
    this.#known.set(text, value);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT_MAX) break;
      this.#known.delete(oldest);
    }
    return value;
  }
}
