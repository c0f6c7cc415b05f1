/**
 * The power of one machine, behind its board: the board (a real `ipmi_sim`) asks for it by its chassis program, over a
 * loopback port; what becomes of the request is decided here, with the vices that real boards have. The machine's
 * process belongs to the lab, as a machine to its socket: a board that ends does not take it along.
 * Facts: reference/hardware.md, section 2 (chassis programs of ipmi_sim, vices of boards); ipmi_lan(5).
 */
import net from "node:net";
import path from "node:path";
import type { Vice } from "../names.ts";
import { killProcess, launch } from "../processes.ts";
import { qemuPidOf } from "./start-script.ts";

/** Real boards take up to 30 s to cut the power. */
const SLOW_OFF_MS = 8_000;
/** The whole board is busy meanwhile: other requests wait too. */
const DULL_ANSWER_MS = 2_000;
const START_POLL_MS = 20;
const START_MAX_MS = 30_000;

export interface Power {
  /** What the board's chassis program runs for each request. */
  readonly chassisProgram: string;
  setVice(vice: Vice): void;
  vice(): Vice;
  close(): void;
}

export interface PowerOptions {
  readonly labDirectory: string;
  readonly directory: string;
  /** Starts the machine and becomes it; writes its pid down. */
  readonly startProgram: string;
}

/** One answer of a chassis program: what it prints, or that the board refuses. */
type ChassisAnswer = { readonly kind: "done"; readonly says: string } | { readonly kind: "refused" };

const DONE: ChassisAnswer = { kind: "done", says: "" };
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * The board runs it with the words of one request (`get power`, `set power 0`). The last line of an answer is its exit
 * code; a lab that has gone refuses everything.
 */
function chassisScript(port: number): string {
  return `#!/bin/bash
# The board asks the lab for the power of its machine; see lab/machine/power.ts.
exec 3<>/dev/tcp/127.0.0.1/${port} || exit 1
echo "$*" >&3
read -r code says <&3 || exit 1
[ -n "$says" ] && echo "$says"
exit "$code"
`;
}

export async function openPower({ labDirectory, directory, startProgram }: PowerOptions): Promise<Power> {
  let vice: Vice = "none";
  let cutting: NodeJS.Timeout | undefined;
  const pid = () => qemuPidOf(directory);

  function cut(): void {
    const running = pid();
    if (running !== undefined) killProcess(running);
  }

  async function switchOn(): Promise<void> {
    if (pid() !== undefined) return;
    launch(labDirectory, { command: startProgram, argv: [], logFile: path.join(directory, "qemu.log") });
    for (let waitedMs = 0; pid() === undefined && waitedMs < START_MAX_MS; waitedMs += START_POLL_MS)
      await sleep(START_POLL_MS);
  }

  function switchOff(): ChassisAnswer {
    if (vice === "stuck") return DONE;
    clearTimeout(cutting);
    if (vice === "slow") cutting = setTimeout(cut, SLOW_OFF_MS);
    else cut();
    return DONE;
  }

  async function obey(request: string): Promise<ChassisAnswer> {
    if (vice === "dull") await sleep(DULL_ANSWER_MS);
    if (request.startsWith("get power")) {
      const isOn = vice !== "lying" && pid() !== undefined;
      return { kind: "done", says: `power:${isOn ? 1 : 0}` };
    }
    if (vice === "refusing") return { kind: "refused" };
    if (request.startsWith("set power 1")) await switchOn();
    else if (request.startsWith("set power 0")) return vice === "lying" ? DONE : switchOff();
    // Reset and shutdown are not offered: neither can be read back.
    else return { kind: "refused" };
    return DONE;
  }

  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (line) => {
      void obey(line.toString("latin1").trim()).then((answer) =>
        socket.end(answer.kind === "refused" ? "1 refused\n" : `0 ${answer.says}\n`),
      );
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the power of a machine has no port");
  return {
    chassisProgram: chassisScript(address.port),
    setVice(next) {
      vice = next;
    },
    vice: () => vice,
    close() {
      clearTimeout(cutting);
      server.close();
    },
  };
}
