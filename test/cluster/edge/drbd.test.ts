/** The drbd agent against a stand-in for the tools that answers as the recorded ones did. */
import { expect, test } from "vitest";
import type { AgentAnswer, AgentCall } from "../../../src/cluster/edge/agents/contract.ts";
import { createDrbdAgent, type Tool } from "../../../src/cluster/edge/agents/drbd.ts";
import type { ToolEnd } from "../../../src/cluster/edge/agents/tool.ts";
import { printDrbdConfiguration } from "../../../src/storage/core/drbd-configuration.ts";

const CONFIGURATION = printDrbdConfiguration({
  resource: "r0",
  minor: 0,
  nodes: [
    { name: "a", address: "10.9.0.1:7788", disk: "/dev/vda" },
    { name: "b", address: "10.9.0.2:7788", disk: "/dev/vda" },
  ],
  secret: "x",
  timeoutTenths: 30,
});

interface World {
  role: string;
  disk: string;
  peerDisk: string;
  connection: string;
  up: boolean;
  configuration: string;
  /** Answers of `drbdadm primary` or `secondary`, before it works. */
  refusals: ToolEnd[];
  readonly calls: string[];
}

const done: ToolEnd = { code: 0, output: "", reason: "" };
const refused = (code: number, reason: string): ToolEnd => ({ code, output: "", reason });

function worldOf(given: Partial<World> = {}): World {
  const disks = { disk: "UpToDate", peerDisk: "UpToDate", connection: "Connected" };
  const rest = { role: "Secondary", up: true, configuration: CONFIGURATION, refusals: [], calls: [] };
  return { ...disks, ...rest, ...given };
}

function events({ up, role, disk, peerDisk, connection }: World): string {
  if (!up) return "exists -\n";
  return `exists resource name:r0 role:${role} suspended:no
exists connection name:r0 peer-node-id:0 conn-name:peer connection:${connection} role:Unknown
exists device name:r0 volume:0 minor:0 disk:${disk}
exists peer-device name:r0 peer-node-id:0 conn-name:peer volume:0 replication:Off peer-disk:${peerDisk}
exists -
`;
}

const toolOf =
  (world: World): Tool =>
  (_call, file, argv) => {
    const words = [file, ...argv].join(" ");
    if (file === "drbdsetup") return Promise.resolve({ ...done, output: events(world) });
    world.calls.push(words);
    const [verb] = argv;
    if (verb === "dump") return Promise.resolve({ ...done, output: world.configuration });
    if (verb === "primary" || verb === "secondary") {
      const refusal = world.refusals.shift();
      if (refusal !== undefined) return Promise.resolve(refusal);
      world.role = verb === "primary" ? "Primary" : "Secondary";
    }
    if (verb === "up") world.up = true;
    if (verb === "down") world.up = false;
    return Promise.resolve(done);
  };

function callOf(operation: string, timeoutMs: number): AgentCall {
  const signal = AbortSignal.timeout(timeoutMs);
  const rest = { instance: "mirror", environment: {}, timeoutMs, runDirectory: "/nonexistent" };
  return { operation, parameters: { drbd_resource: "r0" }, signal, ...rest };
}

function operate(world: World, operation: string, timeoutMs = 10_000): Promise<AgentAnswer> {
  return createDrbdAgent(toolOf(world)).operate(callOf(operation, timeoutMs));
}

const scoreOf = ({ attributes }: AgentAnswer) => attributes?.map(({ name, value }) => `${name}=${value ?? "-"}`);

test.each<[string, Partial<World>, number, string]>([
  ["not there", { up: false }, 7, "master-mirror=-"],
  ["Secondary, all well", {}, 0, "master-mirror=10000"],
  ["Secondary that has lost its peer", { connection: "Connecting", peerDisk: "DUnknown" }, 0, "master-mirror=10000"],
  ["Secondary with data that may be old", { disk: "Consistent", peerDisk: "DUnknown" }, 0, "master-mirror=-"],
  ["Primary", { role: "Primary" }, 8, "master-mirror=10000"],
  ["Primary over the peer's disk", { role: "Primary", disk: "Diskless" }, 8, "master-mirror=10"],
  ["Primary without any data", { role: "Primary", disk: "Failed", peerDisk: "DUnknown" }, 9, "master-mirror=-"],
])("monitor: %s", async (_name, given, code, score) => {
  const answer = await operate(worldOf(given), "monitor");
  expect([answer.code, scoreOf(answer)]).toEqual([code, [score]]);
});

test("an answer that is cut or lost says nothing: it is asked again, and the Primary stays one", async () => {
  const world = worldOf({ role: "Primary" });
  const answers = ["", "exists resource name:r0 role:Secondary suspended:no\n", "exists -\n"];
  const tool: Tool = (call, file, argv) => {
    const output = file === "drbdsetup" ? answers.shift() : undefined;
    return output === undefined ? toolOf(world)(call, file, argv) : Promise.resolve({ ...done, output });
  };
  const call = callOf("monitor", 10_000);
  expect((await createDrbdAgent(tool, () => true).operate(call)).code).toBe(8);
  expect(answers).toEqual([]);
});

test("a resource that is told as absent twice has stopped; one that nobody can tell of is an error", async () => {
  const absent: Tool = () => Promise.resolve({ ...done, output: "exists -\n" });
  const mute: Tool = () => Promise.resolve(done);
  const codes = [absent, mute].map(async (tool) => {
    return (await createDrbdAgent(tool, () => true).operate(callOf("monitor", 10_000))).code;
  });
  expect(await Promise.all(codes)).toEqual([7, 1]);
});

test("a Consistent disk has a score where the cluster has proven it to be the newest", async () => {
  const world = worldOf({ disk: "Consistent", peerDisk: "DUnknown", connection: "Connecting" });
  const call = { ...callOf("monitor", 10_000), isDrbdCurrent: (name: string) => name === "r0" };
  expect(scoreOf(await createDrbdAgent(toolOf(world)).operate(call))).toEqual(["master-mirror=10000"]);
});

test("start brings it up, after its configuration was judged", async () => {
  const world = worldOf({ up: false });
  expect((await operate(world, "start")).code).toBe(0);
  expect(world.calls).toEqual(["drbdadm dump r0", "drbdadm up r0"]);
});

test.each([
  ["half a resource that a failed up has left", "Diskless", true],
  ["what one look had missed, and serves", "UpToDate", false],
])("a start that fails takes down %s: disk %s, %s", async (_what, disk, isTakenDown) => {
  const world = worldOf({ disk, peerDisk: "DUnknown" });
  let looks = 0;
  const tool: Tool = (call, file, argv) => {
    if (argv[0] === "up") return Promise.resolve(refused(119, "no valid meta-data signature found"));
    looks += file === "drbdsetup" ? 1 : 0;
    if (file === "drbdsetup" && looks === 1) return Promise.resolve({ ...done, output: "exists -\n" });
    return toolOf(world)(call, file, argv);
  };
  const answer = await createDrbdAgent(tool, () => true).operate(callOf("start", 10_000));
  expect([answer.code, world.up]).toEqual([1, !isTakenDown]);
  expect(answer.reason).toContain("no valid meta-data");
});

test("start of a running resource makes the kernel follow the configuration", async () => {
  const world = worldOf();
  expect((await operate(world, "start")).code).toBe(0);
  expect(world.calls).toContain("drbdadm adjust r0");
});

test("start under an unsafe configuration is refused, and everything that is missing is named", async () => {
  const configuration = CONFIGURATION.replace("fencing resource-and-stonith;", "").replace("protocol C", "protocol A");
  const world = worldOf({ up: false, configuration });
  const { code, reason } = await operate(world, "start");
  expect(code).toBe(6);
  expect(reason).toContain("protocol is A");
  expect(reason).toContain("write fencing resource-and-stonith;");
  expect(world.up).toBe(false);
});

test("a site of ocf:linbit:drbd that has no fencing starts, and what is missing is told", async () => {
  const configuration = CONFIGURATION.replace("fencing resource-and-stonith;", "").replace(/fence-peer "[^"]*";/, "");
  const world = worldOf({ up: false, configuration });
  const call = { ...callOf("start", 10_000), environment: { OCF_RESOURCE_PROVIDER: "linbit" } };
  const { code, reason } = await createDrbdAgent(toolOf(world)).operate(call);
  expect([code, world.up]).toEqual([0, true]);
  expect(reason).toContain("write fencing resource-and-stonith;");
  expect(reason).toContain("write fence-peer");
  const unsafe = worldOf({ up: false, configuration: configuration.replace("protocol C", "protocol A") });
  expect((await createDrbdAgent(toolOf(unsafe)).operate(call)).code).toBe(6);
});

test("promote reads back that it is Primary", async () => {
  const answer = await operate(worldOf(), "promote");
  expect([answer.code, scoreOf(answer)]).toEqual([0, ["master-mirror=10000"]]);
});

test("promote insists while the fencing is not proven, and then goes on", async () => {
  const blocked = refused(11, "0: State change failed: (-7) State change was refused by peer node");
  const world = worldOf({ refusals: [blocked, blocked], peerDisk: "DUnknown", connection: "Connecting" });
  expect((await operate(world, "promote")).code).toBe(0);
  expect(world.calls.filter((call) => call.includes("primary"))).toHaveLength(3);
});

test("promote that stays blocked by fencing says so at its timeout", async () => {
  const blocked = refused(11, "0: State change failed: (-7) State change was refused by peer node");
  const world = worldOf({ refusals: Array<ToolEnd>(50).fill(blocked), peerDisk: "DUnknown" });
  const { code, reason } = await operate(world, "promote", 2_500);
  expect(code).toBe(1);
  expect(reason).toContain("DRBD waits for proof that the peer is off");
});

test("promote without good data does not wait for a wonder", async () => {
  const noData = refused(17, "0: State change failed: (-2) Need access to UpToDate data");
  const world = worldOf({ refusals: [noData], disk: "Consistent", peerDisk: "DUnknown" });
  const { code, reason } = await operate(world, "promote");
  expect(code).toBe(1);
  expect(reason).toContain("the peer may have newer data");
});

test("a notification before an operation costs nothing, one after it renews the score", async () => {
  const notify = (type: string) => {
    const environment = { OCF_RESKEY_CRM_meta_notify_type: type };
    const rest = { instance: "mirror", environment, timeoutMs: 10_000, runDirectory: "/nonexistent" };
    const parameters = { drbd_resource: "r0" };
    const call: AgentCall = { operation: "notify", parameters, signal: AbortSignal.timeout(10_000), ...rest };
    return createDrbdAgent(toolOf(worldOf())).operate(call);
  };
  expect(await notify("pre")).toEqual({ code: 0, reason: "" });
  expect(scoreOf(await notify("post"))).toEqual(["master-mirror=10000"]);
});

test("a stop that drbdadm calls done is read back once; what is still there then is taken down again", async () => {
  const world = worldOf();
  let looks = 0;
  const counting: Tool = (call, file, argv) => {
    looks += file === "drbdsetup" ? 1 : 0;
    return toolOf(world)(call, file, argv);
  };
  expect((await createDrbdAgent(counting, () => true).operate(callOf("stop", 10_000))).code).toBe(0);
  expect([looks, world.calls]).toEqual([1, ["drbdadm down r0"]]);
  const deaf = worldOf();
  let downs = 0;
  const lying: Tool = (call, file, argv) => {
    downs += argv[0] === "down" ? 1 : 0;
    return argv[0] === "down" && downs === 1 ? Promise.resolve(done) : toolOf(deaf)(call, file, argv);
  };
  expect((await createDrbdAgent(lying, () => true).operate(callOf("stop", 10_000))).code).toBe(0);
  expect([downs, deaf.up]).toEqual([2, false]);
});

test("a stop of what is not there is done, whatever drbdadm says of it", async () => {
  const world = worldOf({ up: false });
  const unknown: Tool = (call, file, argv) =>
    argv[0] === "down" ? Promise.resolve(refused(10, "r0: unknown resource")) : toolOf(world)(call, file, argv);
  for (const tool of [toolOf(world), unknown])
    expect((await createDrbdAgent(tool, () => true).operate(callOf("stop", 10_000))).code).toBe(0);
  // Nor is DRBD asked to where it is not even loaded.
  const untouched = worldOf({ up: false });
  expect((await createDrbdAgent(toolOf(untouched), () => false).operate(callOf("stop", 10_000))).code).toBe(0);
  expect(untouched.calls).toEqual([]);
});

test("a start asks for the configuration and the state together", async () => {
  const world = worldOf({ up: false });
  const open = new Set<string>();
  let together = 0;
  const tool: Tool = async (call, file, argv) => {
    open.add(file);
    together = Math.max(together, open.size);
    const end = await toolOf(world)(call, file, argv);
    open.delete(file);
    return end;
  };
  expect((await createDrbdAgent(tool, () => true).operate(callOf("start", 10_000))).code).toBe(0);
  expect(together).toBe(2);
});

test("demote and stop insist, and read back", async () => {
  const open = refused(11, "0: State change failed: (-12) Device is held open by someone");
  const world = worldOf({ role: "Primary", refusals: [open] });
  expect((await operate(world, "demote")).code).toBe(0);
  expect((await operate(world, "stop")).code).toBe(0);
  expect(world.up).toBe(false);
  expect((await operate(world, "stop")).code).toBe(0);
});

test("demote of an open device fails with the reason", async () => {
  const open = refused(11, "0: State change failed: (-12) Device is held open by someone");
  const world = worldOf({ role: "Primary", refusals: Array<ToolEnd>(50).fill(open) });
  expect((await operate(world, "demote", 2_500)).reason).toContain("the device is open");
});
