/**
 * The vices of real boards, for the BMCs of the lab: `ipmi_sim` asks this program for the power, not its own child.
 * slow: says done, and the power goes 6 s later; stuck: says done and does nothing; lying: reads off whatever is true;
 * garbage: a datagram of noise behind every answer; frozen: no answer at all, by SIGSTOP as in bmc.ts.
 * Of `lying` no software can tell: only a second device (an outlet, the lock on a disk) keeps the data safe.
 * Facts: reference hardware.md, section 2, "chassis.sh faults"; ipmi_lan(5), chassis_control.
 */
import { createSocket, type RemoteInfo } from "node:dgram";
import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";

export const VICES = ["none", "slow", "stuck", "lying", "frozen", "garbage"] as const;
export type Vice = (typeof VICES)[number];

/** Longer than a careless client looks, shorter than `confirm_time`. */
const SLOW_S = 6;
/** As many as ipmi_sim itself puts behind one of its answers (Set Watchdog Timer). */
const GARBAGE_BYTES = 36;

export function isVice(word: string): word is Vice {
  return VICES.some((vice) => vice === word);
}

/** The board has this vice from now on; for `frozen` and `garbage` see there. */
export function setChassisVice(directory: string, vice: Vice): void {
  writeFileSync(path.join(directory, "vice"), `${vice}\n`);
}

/** Writes the program; the line of ipmi_sim's lan.conf that makes it the board's hand. `start` starts the machine. */
export function writeChassisProgram(directory: string, start: string): string {
  const program = path.join(directory, "chassis");
  const text = `#!/bin/sh
cd ${directory} || exit 1
vice=$(cat vice)
pid=$(cat machine.pid 2> /dev/null)
alive() { [ -n "$pid" ] && grep -q '^State:[[:space:]]*[A-WY]' "/proc/$pid/status" 2> /dev/null; }
cut() { kill -9 "$pid" 2> /dev/null; }
start() { setsid ${start} > /dev/null 2>&1 < /dev/null & echo $! > machine.pid; }
case "$1 $2 $3" in
  "get power "*) if [ "$vice" != lying ] && alive; then echo power:1; else echo power:0; fi;;
  "set power 0"|"set shutdown "*) case "$vice" in
    stuck) ;;
    slow) setsid sh -c "sleep ${SLOW_S}; kill -9 $pid" > /dev/null 2>&1 < /dev/null & ;;
    *) cut;;
  esac;;
  "set power 1") alive || start;;
  "set reset "*) [ "$vice" = stuck ] || { alive && { cut; start; }; };;
esac
exit 0
`;
  writeFileSync(program, text);
  chmodSync(program, 0o755);
  setChassisVice(directory, "none");
  return `chassis_control "${program}"`;
}

export interface BoardRelay {
  /** Where clients find the board. */
  readonly port: number;
  setGarbage(isOn: boolean): void;
  close(): void;
}

/** In front of the board on `boardPort` of this host: what it answers comes with garbage behind it, on demand. */
export function openBoardRelay(boardPort: number, port = 0): Promise<BoardRelay> {
  const front = createSocket("udp4");
  const ways = new Map<string, ReturnType<typeof createSocket>>();
  let hasGarbage = false;
  const wayOf = ({ address, port: from }: RemoteInfo) => {
    const client = `${address} ${from}`;
    const known = ways.get(client);
    if (known !== undefined) return known;
    const way = createSocket("udp4");
    way.on("message", (answer) => {
      front.send(answer, from, address);
      // Behind it, not in it: what is signed stays whole, or no client could go on (seen: ipmitool).
      if (hasGarbage) front.send(Buffer.alloc(GARBAGE_BYTES, 0xa5), from, address);
    });
    ways.set(client, way);
    return way;
  };
  front.on("message", (question, client) => wayOf(client).send(question, boardPort, "127.0.0.1"));
  return new Promise((resolve, reject) => {
    front.once("error", reject);
    front.bind(port, "127.0.0.1", () => {
      resolve({
        port: front.address().port,
        setGarbage(isOn) {
          hasGarbage = isOn;
        },
        close() {
          front.close();
          for (const way of ways.values()) way.close();
        },
      });
    });
  });
}
