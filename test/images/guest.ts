/** One emulated machine that boots a disk of the image: its console, the lab agent's line into it, its end. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import path from "node:path";

const POLL_MS = 100;

export interface Guest {
  console(): string;
  /** Waits until the console shows `pattern`; throws with the console's tail after `timeoutMs`. */
  expectConsole(pattern: RegExp, timeoutMs: number): Promise<void>;
  /** Runs a shell script by the lab agent. */
  run(script: string): Promise<{ readonly exitCode: number; readonly output: string }>;
  pressPowerButton(): void;
  /** One QMP command; resolves with everything that was said until its answer had come. */
  qmp(command: string): Promise<string>;
  /** Resolves when the machine is off. */
  readonly off: Promise<void>;
  kill(): Promise<void>;
}

/** Of a machine under full load. */
const ANSWER_MAX_MS = 180_000;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Sends one line to a socket and resolves with the first whole line that `wanted` accepts. */
function exchange(socketFile: string, line: string, wanted: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketFile, () => socket.write(`${line}\n`));
    let text = "";
    const end = (act: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      act();
    };
    const timer = setTimeout(() => end(() => reject(new Error(`no answer to ${line}: ${text}`))), timeoutMs);
    socket.on("error", (error) => end(() => reject(error)));
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const match = wanted.exec(text);
      if (match !== null) end(() => resolve(match));
    });
  });
}

/** Starts a machine with `disk` in `directory`, the given hardware addresses, and `more` arguments of QEMU. */
export function startGuest(
  directory: string,
  disk: string,
  hardwareAddresses: readonly string[],
  more: readonly string[] = [],
): Guest {
  const at = (name: string) => path.join(directory, name);
  for (const name of ["console.log", "lab", "qmp"]) rmSync(at(name), { force: true });
  const child: ChildProcess = spawn(
    "qemu-system-x86_64",
    [
      ...["-machine", "pc,hpet=off", "-accel", "tcg,thread=multi,tb-size=128", "-cpu", "max", "-m", "384"],
      ...["-nodefaults", "-no-user-config", "-display", "none", "-qmp", `unix:${at("qmp")},server=on,wait=off`],
      ...["-chardev", `file,id=console,path=${at("console.log")}`, "-serial", "chardev:console"],
      ...["-device", "virtio-serial-pci", "-chardev", `socket,id=lab,path=${at("lab")},server=on,wait=off`],
      ...["-device", "virtserialport,chardev=lab,name=gemel.lab", "-device", "virtio-rng-pci"],
      ...["-device", "i6300esb", "-action", "watchdog=reset"],
      ...more,
      ...hardwareAddresses.flatMap((address, index) => [
        ...["-netdev", `user,id=net${index},restrict=on`],
        ...["-device", `virtio-net-pci,netdev=net${index},mac=${address}`],
      ]),
      ...[
        "-drive",
        `file=${disk},format=raw,if=none,id=system`,
        "-device",
        "virtio-blk-pci,drive=system,serial=system",
      ],
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const off = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const text = () => (existsSync(at("console.log")) ? readFileSync(at("console.log"), "latin1") : "");
  let questions = 0;
  return {
    console: text,
    async expectConsole(pattern, timeoutMs) {
      const endAtMs = performance.now() + timeoutMs;
      while (!pattern.test(text())) {
        if (child.exitCode !== null || performance.now() > endAtMs) {
          throw new Error(`the console does not show ${pattern}; its tail: ${text().slice(-800)}`);
        }
        await sleep(POLL_MS);
      }
    },
    async run(script) {
      questions += 1;
      const question = `t${questions} ${Buffer.from(script).toString("base64")}`;
      const wanted = new RegExp(`t${questions} (\\d+) ([A-Za-z0-9+/=]*)\\n`);
      const [, code, encoded = ""] = await exchange(at("lab"), question, wanted, ANSWER_MAX_MS);
      return { exitCode: Number(code), output: Buffer.from(encoded, "base64").toString() };
    },
    pressPowerButton() {
      const socket = net.connect(at("qmp"), () => {
        socket.end('{"execute":"qmp_capabilities"}\n{"execute":"system_powerdown"}\n');
      });
      socket.on("error", () => {});
      socket.resume();
    },
    qmp(command) {
      return new Promise((resolve, reject) => {
        let text = "";
        const socket = net.connect(at("qmp"), () => {
          socket.write(`{"execute":"qmp_capabilities"}\n{"execute":"${command}"}\n`);
        });
        const timer = setTimeout(() => socket.destroy(new Error(`no answer to ${command}: ${text}`)), ANSWER_MAX_MS);
        socket.on("data", (chunk: Buffer) => {
          text += chunk.toString();
          // The first one is the answer to the capabilities.
          if ((text.match(/^\{"(?:return|error)".*\r?\n/gm)?.length ?? 0) > 1) socket.end();
        });
        socket.on("error", reject);
        socket.on("close", () => {
          clearTimeout(timer);
          resolve(text);
        });
      });
    },
    off,
    async kill() {
      if (child.exitCode === null) child.kill("SIGKILL");
      await off;
    },
  };
}
