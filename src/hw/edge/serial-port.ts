/**
 * A serial port in raw mode: 8 data bits, no parity, one stop bit, no flow control.
 * Own code instead of the serialport package, which delivers no data on this Node: docs/decisions/serialport.md.
 * The descriptor is non-blocking: a peer that does not read, or a cable that is not there, never holds the process.
 * Facts: termios(3); struct termios and the Bxxx codes of Linux on x86 and arm64 (asm-generic/termbits.h).
 */
import { closeSync, constants, openSync } from "node:fs";
import { ReadStream } from "node:tty";
import { ioctl } from "./native.ts";

const TCSETS = 0x5402;
/** With the argument TCIFLUSH, which is 0. */
const TCFLSH = 0x540b;
const TERMIOS_BYTES = 36;
const CS8 = 0o60;
const CREAD = 0o200;
const CLOCAL = 0o4000;
const VTIME_AT = 17 + 5;
const VMIN_AT = 17 + 6;

const SPEEDS: Readonly<Record<number, number>> = {
  9600: 0o15,
  19200: 0o16,
  38400: 0o17,
  57600: 0o10001,
  115200: 0o10002,
  230400: 0o10003,
  460800: 0o10004,
};

export interface SerialPort {
  /** False, and nothing sent, when more than `backlogMax` bytes still wait: what is late is not worth sending. */
  write(bytes: Uint8Array, backlogMax: number): boolean;
  close(): void;
}

export interface SerialPortEvents {
  readonly onData: (chunk: Uint8Array) => void;
  /** The port is gone (an unplugged adapter, a hang-up); it is closed then. */
  readonly onClosed: (reason: string) => void;
}

function setRaw(fd: number, baud: number): void {
  const speed = SPEEDS[baud];
  if (speed === undefined) throw new Error(`no speed of a serial port: ${baud}`);
  // Input, output and local flags stay 0: no translation, no echo, no signals, no XON/XOFF.
  const termios = Buffer.alloc(TERMIOS_BYTES);
  termios.writeUInt32LE(CS8 | CREAD | CLOCAL | speed, 8);
  termios[VTIME_AT] = 0;
  termios[VMIN_AT] = 1;
  ioctl(fd, TCSETS, termios);
  // What came while nobody listened is old, and cut off at its beginning.
  ioctl(fd, TCFLSH, null);
}

/** Throws when the port cannot be opened or is no serial port. */
export function openSerialPort(path: string, baud: number, { onData, onClosed }: SerialPortEvents): SerialPort {
  const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  let stream: ReadStream;
  try {
    setRaw(fd, baud);
    stream = new ReadStream(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  let reason = "it was hung up";
  stream.on("data", onData);
  stream.on("error", (error) => {
    reason = error.message;
  });
  stream.on("close", () => onClosed(reason));
  return {
    write(bytes, backlogMax) {
      if (stream.destroyed || stream.writableLength > backlogMax) return false;
      stream.write(bytes);
      return true;
    },
    close() {
      stream.destroy();
    },
  };
}
