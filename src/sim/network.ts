/**
 * The links between the machines: each with delay, loss, doubling and reordering of its own, cut in one direction or
 * in both. A packet that is under way when the cable is pulled still arrives, as in life.
 */
import type { Chance } from "../base/chance.ts";
import type { Agenda } from "./agenda.ts";

export interface LinkSetting {
  readonly name: string;
  readonly kind: "udp" | "serial";
  readonly delayMs: number;
}

/** How a link treats what is sent on it. */
export interface LinkWeather {
  /** Added to the delay, up to so much: packets overtake each other. */
  readonly jitterMs: number;
  readonly lossPercent: number;
  readonly doublePercent: number;
}

export const FAIR_WEATHER: LinkWeather = { jitterMs: 0, lossPercent: 0, doublePercent: 0 };

/** A stream over a link that loses so much gets nowhere. */
const DEAD_LOSS_PERCENT = 40;

interface Link {
  readonly setting: LinkSetting;
  weather: LinkWeather;
  /** Directions that are cut, as `alpha>bravo`. */
  readonly cut: Set<string>;
  /** Since when nothing has been wrong with it, by pair of nodes: that is the only measure of "heard". */
  fairSinceMs: number;
}

export class Network {
  readonly #agenda: Agenda;
  readonly #chance: Chance;
  readonly #links = new Map<string, Link>();
  readonly #cutOff = new Set<string>();
  lost = 0;

  constructor(settings: readonly LinkSetting[], agenda: Agenda, chance: Chance) {
    this.#agenda = agenda;
    this.#chance = chance;
    for (const setting of settings)
      this.#links.set(setting.name, { setting, weather: FAIR_WEATHER, cut: new Set(), fairSinceMs: 0 });
  }

  get names(): readonly string[] {
    return [...this.#links.keys()];
  }

  isSerial(name: string): boolean {
    return this.#links.get(name)?.setting.kind === "serial";
  }

  #named(name: string): readonly Link[] {
    const link = this.#links.get(name);
    if (name === "all") return [...this.#links.values()];
    if (link === undefined) throw new Error(`no link ${name}; there are ${this.names.join(", ")}, all`);
    return [link];
  }

  /** Of one link or of `all`; of the packets from one node, or of all. */
  cut(name: string, directions: readonly string[]): void {
    for (const link of this.#named(name)) for (const direction of directions) link.cut.add(direction);
  }

  join(name: string): void {
    for (const link of this.#named(name)) {
      if (link.cut.size > 0) link.fairSinceMs = this.#agenda.nowMs;
      link.cut.clear();
    }
  }

  setWeather(name: string, weather: LinkWeather): void {
    for (const link of this.#named(name)) {
      link.weather = weather;
      link.fairSinceMs = this.#agenda.nowMs;
    }
  }

  get isLossy(): boolean {
    return [...this.#links.values()].some(({ weather }) => weather.lossPercent > 0);
  }

  /** Whether some link has carried everything between the two, both ways, for so long. */
  hasBeenFair(left: string, right: string, forMs: number): boolean {
    return [...this.#links.values()].some(
      ({ cut, weather, fairSinceMs }) =>
        !cut.has(`${left}>${right}`) &&
        !cut.has(`${right}>${left}`) &&
        weather.lossPercent === 0 &&
        this.#agenda.nowMs - fairSinceMs >= forMs,
    );
  }

  /** The way of a node to its clients, and to the ping node among them. */
  cutUplink(name: string): void {
    this.#cutOff.add(name);
  }

  joinUplinks(): void {
    this.#cutOff.clear();
  }

  isCutOff(name: string): boolean {
    return this.#cutOff.has(name);
  }

  /** Whether a connection over this link lives: both directions, and not too much of it lost. */
  carries(name: string, left: string, right: string): boolean {
    const link = this.#links.get(name);
    if (link === undefined) return false;
    if (link.cut.size === 0) return link.weather.lossPercent < DEAD_LOSS_PERCENT;
    const isCut = link.cut.has(`${left}>${right}`) || link.cut.has(`${right}>${left}`);
    return !isCut && link.weather.lossPercent < DEAD_LOSS_PERCENT;
  }

  send(name: string, from: string, to: string, arrive: () => void): void {
    const link = this.#links.get(name);
    if (link === undefined) return;
    const { setting, weather, cut } = link;
    if (cut.size > 0 && cut.has(`${from}>${to}`)) {
      this.lost += 1;
      return;
    }
    if (weather === FAIR_WEATHER) {
      this.#agenda.after(setting.delayMs, arrive);
      return;
    }
    const copies = this.#chance.happens(weather.doublePercent) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (this.#chance.happens(weather.lossPercent)) this.lost += 1;
      else this.#agenda.after(setting.delayMs + this.#chance.below(weather.jitterMs + 1), arrive);
    }
  }
}
