/**
 * `npm run lab [-- COMMAND]`: the emulated pair. Without a command it starts the pair and shows both nodes until
 * Ctrl-C; other commands go to the lab that runs. A tour (demo, soak, boards, site, troubles) starts a pair of its own
 * when none runs.
 */
import process from "node:process";
import { formatProblem } from "../src/base/problem.ts";
import { type Call, type CommandName, helpText, readArguments } from "./arguments.ts";
import { callLab, joinConsole } from "./control/client.ts";
import { type ControlServer, serveLab } from "./control/server.ts";
import { clearLeftOvers, isRunning, type Lab, startLab } from "./lab.ts";
import { type Place, placeOf } from "./place.ts";
import { checkMachine } from "./preflight.ts";
import { pictureOf, runVerb } from "./verbs.ts";

const WRONG_CALL = 64;
const REDRAW_MS = 1_000;
const CLEAR_SCREEN = "\u001b[H\u001b[2J";

const say = (line: string) => process.stdout.write(`${line}\n`);
const complain = (line: string) => process.stderr.write(`lab: ${line}\n`);

/** Resolves with the exit code when someone wants the lab to end: 130 for Ctrl-C, 143 for TERM, 0 for `down`. */
function endAsked(): { readonly asked: Promise<number>; readonly end: (code: number) => void } {
  let end: (code: number) => void = () => {};
  const asked = new Promise<number>((resolve) => {
    end = resolve;
  });
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.on(signal, () => {
      complain(`ended by ${signal}`);
      end(code);
    });
  }
  return { asked, end };
}

async function showUntil(lab: Lab, ended: Promise<number>): Promise<number> {
  let code: number | undefined;
  void ended.then((value) => {
    code = value;
  });
  let last = "";
  while (code === undefined) {
    const picture = [
      ...pictureOf(lab),
      "",
      "Ctrl-C takes the lab down; commands from a second terminal: npm run lab -- help",
    ];
    const text = picture.join("\n");
    if (process.stdout.isTTY) process.stdout.write(`${CLEAR_SCREEN}${text}\n`);
    else if (text !== last) say(text);
    last = text;
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, REDRAW_MS))]);
  }
  return code;
}

/** Starts a lab, does `call` with it (or shows it), and takes it down, whatever happens. */
async function runLab(place: Place, call: Call): Promise<number> {
  const { asked, end } = endAsked();
  let lab: Lab | undefined;
  let server: ControlServer | undefined;
  const work = async (): Promise<number> => {
    await startLab(place, say, async (opened) => {
      lab = opened;
      server = await serveLab(opened, () => end(0));
    });
    if (lab === undefined) throw new Error("the lab did not open");
    return call.command === "up" ? await showUntil(lab, asked) : await runVerb(lab, call, say);
  };
  try {
    return await Promise.race([work(), asked]);
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    server?.close();
    if (lab === undefined) await clearLeftOvers(place);
    else await lab.close();
  }
}

async function watch(place: Place, call: Call): Promise<number> {
  const { asked } = endAsked();
  for (;;) {
    const lines: string[] = [];
    const code = await Promise.race([callLab(place, call, (line) => lines.push(line)), asked.then(() => undefined)]);
    if (code === undefined) return 0;
    process.stdout.write(`${process.stdout.isTTY ? CLEAR_SCREEN : ""}${lines.join("\n")}\n`);
    if (code !== 0) return code;
    if ((await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, REDRAW_MS))])) !== undefined) return 0;
  }
}

/** They start a pair of their own where none runs. */
const TOURS: ReadonlySet<CommandName> = new Set(["demo", "soak", "boards", "site", "troubles"]);

async function run(call: Call): Promise<number> {
  const place = placeOf(call.lab);
  if (call.command === "help") {
    process.stdout.write(helpText());
    return 0;
  }
  const running = await isRunning(place);
  const starts = call.command === "up" || (TOURS.has(call.command) && !running);
  if (starts) {
    if (running) {
      complain(`the lab ${call.lab} runs already; see it with: npm run lab -- watch, end it with: npm run lab -- down`);
      return 1;
    }
    const problems = checkMachine(place);
    for (const problem of problems) complain(formatProblem(problem));
    return problems.length > 0 ? 1 : await runLab(place, call);
  }
  if (!running) {
    complain(`no lab ${call.lab} runs; start one with: npm run lab`);
    return 1;
  }
  if (call.command === "console" && call.node !== undefined) return joinConsole(place, call.node);
  return call.command === "watch" ? watch(place, call) : callLab(place, call, say);
}

// `npm run lab -- logs | head` closes the pipe early: that is no failure, and a running lab must go on to its own end.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});
const read = readArguments(process.argv.slice(2));
if (read.kind === "problem") {
  complain(formatProblem(read.problem));
  process.exitCode = WRONG_CALL;
} else {
  process.exitCode = await run(read.call);
}
// A lab that has ended leaves no timer worth waiting for.
process.exit();
