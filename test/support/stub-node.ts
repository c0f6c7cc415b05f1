/**
 * A program with the keeper's real process and a stand-in for the manager, for tests of the keeper alone.
 * The stand-in writes views and messages as JSON lines to RUN/manager.jsonl, answers pings, greets each new member
 * over a channel, and obeys lines in RUN/order: `hang`, `crash`, `complain`, `accept NODE`, `fenced NODE GENERATION`,
 * upon which it notes that it holds the service: nobody else can, for the other one is off.
 */
import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { run as runNode } from "../../src/app/commands/node.ts";
import { createFrameReader, encodeFrame, type ToKeeper } from "../../src/app/keeper-pipe.ts";
import {
  type ChannelEvent,
  type ChannelState,
  channelWakeAtMs,
  createChannel,
  stepChannel,
} from "../../src/cluster/core/messaging/channel.ts";

function runManager(runFolder: string, self: string): void {
  const note = (line: object) => appendFileSync(path.join(runFolder, "manager.jsonl"), `${JSON.stringify(line)}\n`);
  const socket = new Socket({ fd: 3 });
  const reader = createFrameReader();
  const greeted = new Set<string>();
  let channel: ChannelState | undefined;
  let hung = false;
  let complaint: string | undefined;
  const put = (frame: ToKeeper) => socket.write(encodeFrame(frame));

  function step(event: ChannelEvent): void {
    if (channel === undefined) return;
    const stepped = stepChannel(channel, event, performance.now());
    channel = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind === "send") put({ kind: "send", to: effect.to, bytes: effect.bytes });
      if (effect.kind === "deliver") note({ kind: "delivered", from: effect.from, text: effect.text });
    }
  }

  socket.on("close", () => process.exit(1));
  socket.on("data", (chunk: Buffer) => {
    for (const frame of reader.push(chunk)) {
      if (frame.kind === "start") {
        channel = createChannel(frame.session);
        note(frame);
      } else if (frame.kind === "view") {
        note(frame);
        for (const name of frame.view.members.filter((member) => member !== self && !greeted.has(member))) {
          greeted.add(name);
          step({ kind: "submit", to: name, text: `greetings from ${self} ${"x".repeat(5000)}` });
        }
      } else if (frame.kind === "datagram") step({ kind: "datagram", from: frame.from, bytes: frame.bytes });
      else if (frame.kind === "ping" && !hung)
        put({ kind: "pong", number: frame.number, ...(complaint === undefined ? {} : { complaint }) });
      else if (frame.kind === "report") note(frame);
      else if (frame.kind === "stop") {
        put({ kind: "stopped" });
        socket.end(() => process.exit(0));
      }
    }
  });
  setInterval(() => {
    if (channel !== undefined && (channelWakeAtMs(channel) ?? Number.POSITIVE_INFINITY) <= performance.now())
      step({ kind: "tick" });
    const order = path.join(runFolder, "order");
    if (!existsSync(order)) return;
    const [verb, name = "", generation = "0"] = readFileSync(order, "utf8").trim().split(" ");
    rmSync(order);
    if (verb === "crash") process.exit(9);
    if (verb === "hang") hung = true;
    if (verb === "complain") complaint = "its disk hangs";
    if (verb === "fenced") {
      put({ kind: "peer-fenced", name, generation: Number(generation) });
      note({ kind: "holds" });
    }
    if (verb === "accept") put({ kind: "peer-accepted", name });
  }, 20);
}

const [, , command, ...argv] = process.argv;
if (command === "manager") {
  const { values } = parseArgs({
    args: argv,
    options: { run: { type: "string" }, name: { type: "string" } },
    strict: false,
  });
  runManager(String(values.run), String(values.name));
} else process.exitCode = await runNode(argv);
