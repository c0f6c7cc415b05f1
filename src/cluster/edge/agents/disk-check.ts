/**
 * ocf:gemel:diskd: whether this node's disk still answers, as an attribute (`normal` or `ERROR`) for location rules.
 * Each look reads another place of the disk, past the page cache, in a child process: a controller's cache answers for
 * the first sector of a dead disk, and a hung disk must hang nobody else. Attribute and parameters are those of
 * Linux-HA Japan's diskd. Fact: reference/storage.md, section 9.
 */
import { randomInt } from "node:crypto";
import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { type AgentAnswer, type AgentCall, type BuiltInAgent, failed, OCF, operates, succeeded } from "./contract.ts";
import { isMarked, mark, unmark } from "./mark.ts";
import { runTool, type ToolEnd } from "./tool.ts";

const BLOCK_BYTES = 4096;
const SECTOR_BYTES = 512;
/** A disk that needs longer for one block is of no use to a service. */
const ANSWER_MAX_MS = 10_000;
const ATTEMPTS = 2;
const ATTRIBUTE = "diskcheck_status";

/** How many blocks a block device has; 1 where that cannot be told. */
async function blocksOf(device: string): Promise<number> {
  const name = path.basename(await realpath(device).catch(() => device));
  const text = await readFile(`/sys/class/block/${name}/size`, "utf8").catch(() => "");
  const blocks = Math.floor((Number(text.trim()) * SECTOR_BYTES) / BLOCK_BYTES);
  return Number.isSafeInteger(blocks) && blocks > 0 ? blocks : 1;
}

async function look(call: AgentCall): Promise<ToolEnd> {
  const { device = "", write_dir: directory = "" } = call.parameters;
  // Also at the start it only looks: what hangs there holds up no stop.
  const bounded = { ...call, operation: "monitor", timeoutMs: Math.min(call.timeoutMs, ANSWER_MAX_MS) };
  const copy = ["bs=4096", "count=1"];
  if (directory !== "") {
    const file = path.join(directory, `.gemel-diskd-${call.instance}`);
    return runTool(bounded, "dd", ["if=/dev/zero", `of=${file}`, ...copy, "conv=fsync"]);
  }
  const skip = randomInt(Math.min(await blocksOf(device), 2 ** 47));
  return runTool(bounded, "dd", [`if=${device}`, "of=/dev/null", ...copy, `skip=${skip}`, "iflag=direct"]);
}

async function measure(call: AgentCall): Promise<AgentAnswer> {
  const name = call.parameters["name"] ?? ATTRIBUTE;
  let reason = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const end = await look(call);
    if (end.code === 0) return { ...succeeded, attributes: [{ name, value: "normal" }] };
    reason = end.reason;
  }
  // The node is what is bad, not this resource: the rules that read the attribute decide what that means.
  return { code: OCF.success, reason, attributes: [{ name, value: "ERROR" }] };
}

function start(call: AgentCall): AgentAnswer | Promise<AgentAnswer> {
  const { device = "", write_dir: directory = "" } = call.parameters;
  if ((device === "") === (directory === "")) return failed("give either device or write_dir", OCF.notConfigured);
  mark(call);
  return measure(call);
}

function monitor(call: AgentCall): AgentAnswer | Promise<AgentAnswer> {
  return isMarked(call) ? measure(call) : { code: OCF.notRunning, reason: "" };
}

function stop(call: AgentCall): AgentAnswer {
  unmark(call);
  return { ...succeeded, attributes: [{ name: call.parameters["name"] ?? ATTRIBUTE }] };
}

export const diskCheck: BuiltInAgent = {
  type: "diskd",
  shortdesc: "Whether a disk of this node answers, as a node attribute",
  parameters: [
    { name: "name", content: "string", fallback: ATTRIBUTE, shortdesc: "Name of the attribute" },
    { name: "device", content: "string", shortdesc: "The disk that is read" },
    { name: "write_dir", content: "string", shortdesc: "A directory that is written to instead" },
  ],
  actions: [
    { name: "start", timeout: "60s" },
    { name: "stop", timeout: "60s" },
    { name: "monitor", timeout: "60s", interval: "30s" },
    { name: "validate-all", timeout: "5s" },
    { name: "meta-data", timeout: "5s" },
  ],
  operate: operates({ start, stop, monitor }),
};
