/**
 * A null-modem cable between two pseudo terminals, relayed by the test's own process; can be cut and made noisy.
 * A pty has no speed and no modem lines: what the line itself would do to time is not tested here.
 * Fact: pty(7), ioctl_tty(2): TIOCSPTLCK, TIOCGPTN.
 */
import { constants, openSync } from "node:fs";
import { ReadStream } from "node:tty";
import { ioctl } from "../../src/hw/edge/native.ts";

const TIOCSPTLCK = 0x4004_5431;
const TIOCGPTN = 0x8004_5430;

export interface PtyCable {
  /** What either side opens. */
  readonly paths: readonly [string, string];
  cut: boolean;
  /** How much was sent while it was cut. */
  lostBytes: number;
  /** Sent to both sides at once. */
  noise(bytes: Uint8Array): void;
  close(): void;
}

function openPty(): { readonly master: ReadStream; readonly path: string } {
  const fd = openSync("/dev/ptmx", constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  const argument = Buffer.alloc(4);
  ioctl(fd, TIOCSPTLCK, argument);
  ioctl(fd, TIOCGPTN, argument);
  const path = `/dev/pts/${argument.readInt32LE()}`;
  // An open slave of our own keeps the master from hanging up while nobody has opened the port yet.
  openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  return { master: new ReadStream(fd), path };
}

export function openPtyCable(): PtyCable {
  const [left, right] = [openPty(), openPty()];
  const cable: PtyCable = {
    paths: [left.path, right.path],
    cut: false,
    lostBytes: 0,
    noise(bytes) {
      left.master.write(bytes);
      right.master.write(bytes);
    },
    close() {
      left.master.destroy();
      right.master.destroy();
    },
  };
  for (const [from, to] of [
    [left, right],
    [right, left],
  ] as const)
    from.master.on("data", (chunk: Buffer) => {
      if (cable.cut) cable.lostBytes += chunk.length;
      else to.master.write(chunk);
    });
  return cable;
}
