/**
 * A serial port with a speed: what leaves a node goes by src/hw/core/serial-line.ts, as in cluster/edge/link-ports.ts.
 * The line itself (delay, loss, cuts) stands in network.ts.
 */
import { segmentLabel } from "../cluster/core/messaging/segment.ts";
import {
  createSerialLine,
  lineTimeMs,
  lineWakeAtMs,
  offerBeat,
  offerDatagram,
  takeFrame,
} from "../hw/core/serial-line.ts";
import type { Machine } from "./machine.ts";

/** Of a pair, as framed on the line: docs/protocols/heartbeat.md. */
const BEAT_BYTES = 68;
/** Header, HMAC, checksum and flags around a datagram. */
const AROUND_BYTES = 42;

export interface Outbound {
  readonly to: string;
  /** Undefined: a heartbeat. */
  readonly bytes: Uint8Array | undefined;
  /** Called when the last of its bits has left. */
  readonly leave: () => void;
}

class PacedLine {
  readonly #machine: Machine;
  readonly #waiting = new WeakMap<Uint8Array, () => void>();
  #line;
  #isArmed = false;

  constructor(machine: Machine, baud: number) {
    this.#machine = machine;
    this.#line = createSerialLine(baud);
  }

  send({ to, bytes, leave }: Outbound): void {
    const { nowMs, name, world } = this.#machine;
    const frame = new Uint8Array(bytes === undefined ? BEAT_BYTES : bytes.length + AROUND_BYTES);
    const next =
      bytes === undefined
        ? offerBeat(this.#line, world.machine(to).id, frame)
        : offerDatagram(this.#line, { way: `${name} ${to}`, ...segmentLabel(bytes), frame }, nowMs);
    if (next === undefined) {
      world.network.lost += 1;
      return;
    }
    this.#waiting.set(frame, leave);
    this.#line = next;
    this.#pump();
  }

  #pump(): void {
    const { nowMs } = this.#machine;
    const { line, frame } = takeFrame(this.#line, nowMs);
    this.#line = line;
    const leave = frame === undefined ? undefined : this.#waiting.get(frame);
    if (leave !== undefined) this.#machine.later(lineTimeMs(frame?.length ?? 0, line.baud), leave);
    const wakeAtMs = lineWakeAtMs(line);
    if (wakeAtMs === undefined || this.#isArmed) return;
    this.#isArmed = true;
    this.#machine.later(Math.max(1, Math.ceil(wakeAtMs - nowMs)), () => {
      this.#isArmed = false;
      this.#pump();
    });
  }
}

/** All ports of one keeper; what has no speed leaves at once. */
export class PacedLines {
  readonly #machine: () => Machine;
  readonly #lines = new Map<string, PacedLine>();

  constructor(machine: () => Machine) {
    this.#machine = machine;
  }

  send(link: string, outbound: Outbound): void {
    const { setting, network } = this.#machine().world;
    if (setting.baud === 0 || !network.isSerial(link)) {
      outbound.leave();
      return;
    }
    const line = this.#lines.get(link) ?? new PacedLine(this.#machine(), setting.baud);
    this.#lines.set(link, line);
    line.send(outbound);
  }
}
