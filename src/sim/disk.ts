/**
 * The disk of one machine: two files, each written whole, beside, and renamed. A power cut leaves the old file or the
 * new one; a disk that lies about its cache loses what it had confirmed; a torn one leaves half a file in its place.
 */
import type { Chance } from "../base/chance.ts";
import type { StoredCib } from "../cluster/core/cib-store/types.ts";
import type { Remembered } from "../cluster/core/membership/state.ts";

/**
 * `lying`: what it confirms may be gone after a power cut; `torn`: a power cut leaves what was under way in its
 * place and half written; `full`: nothing can be written.
 */
export type DiskMode = "sound" | "lying" | "torn" | "full";

/** What both files held at one instant. */
export interface DiskContent {
  readonly remembered: Remembered | "damaged" | undefined;
  readonly cib: StoredCib | undefined;
  readonly previousCib: StoredCib | undefined;
}

const NOTHING: Remembered = { generation: 0, peers: {} };

export class Disk {
  readonly #chance: Chance;
  mode: DiskMode = "sound";
  writeMs = 5;
  content: DiskContent;
  /** What the platters hold when the cache lies. */
  #platters: DiskContent | undefined;
  #backup: DiskContent | undefined;
  /** Writes that are under way, oldest first. */
  #underWay: ((content: DiskContent) => DiskContent)[] = [];

  constructor(cib: StoredCib, chance: Chance) {
    this.content = { remembered: undefined, cib, previousCib: undefined };
    this.#chance = chance;
  }

  #apply(change: (content: DiskContent) => DiskContent): void {
    if (this.mode === "lying") this.#platters ??= this.content;
    else this.#platters = undefined;
    this.content = change(this.content);
  }

  /** A keeper that starts waits for its disk. */
  writeRememberedNow(remembered: Remembered): void {
    this.#apply((content) => ({ ...content, remembered }));
  }

  /** Begins to write; the answer ends it, and then it is on the disk. */
  #begin(change: (content: DiskContent) => DiskContent): () => void {
    this.#underWay.push(change);
    return () => {
      this.#underWay = this.#underWay.filter((other) => other !== change);
      this.#apply(change);
    };
  }

  beginRemembered(remembered: Remembered): () => void {
    return this.#begin((content) => ({ ...content, remembered }));
  }

  beginCib(cib: StoredCib): () => void {
    return this.#begin((content) => ({ ...content, cib, previousCib: content.cib }));
  }

  /** What was under way has arrived or not; what only the cache held is gone. */
  losePower(): void {
    const underWay = this.#underWay;
    this.#underWay = [];
    if (this.#platters !== undefined) this.content = this.#platters;
    this.#platters = undefined;
    for (const change of underWay) {
      if (!this.#chance.happens(50)) break;
      const written = change(this.content);
      this.content = this.mode === "torn" ? tear(this.content, written) : written;
    }
  }

  /** As the keeper reads it: a file that cannot be read is as good as none. */
  readRemembered(): Remembered {
    const { remembered } = this.content;
    return remembered === undefined || remembered === "damaged" ? NOTHING : remembered;
  }

  damage(file: "membership" | "cib" | "both-cibs"): void {
    if (file === "membership") this.content = { ...this.content, remembered: "damaged" };
    // The pair before is used; see cib-files.
    else if (file === "cib") this.content = { ...this.content, cib: this.content.previousCib };
    else this.content = { ...this.content, cib: undefined, previousCib: undefined };
  }

  backUp(): void {
    this.#backup = this.content;
  }

  /** False when there is no backup. */
  restore(): boolean {
    if (this.#backup === undefined) return false;
    this.content = this.#backup;
    this.#platters = undefined;
    return true;
  }
}

/** When the last write ended in its middle: half a configuration is found out, and the pair before is used. */
function tear(before: DiskContent, written: DiskContent): DiskContent {
  const isCib = written.cib !== before.cib;
  return isCib ? { ...written, cib: written.previousCib } : { ...written, remembered: "damaged" };
}
