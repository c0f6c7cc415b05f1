/** A peer that must be promoted alone asks us to outdate our disk: said only when it was read back. */
import { expect, test } from "vitest";
import { type DrbdTool, outdateDrbd } from "../../src/storage/edge/drbd-tools.ts";

interface Disk {
  isUp: boolean;
  role: string;
  disk: string;
  /** `drbdadm outdate` ends with 0 and does nothing, as on a node that has not noticed the cut. */
  readonly refuses?: boolean;
}

/** Answers as the transcripts 29-outdate and 33-stale-boot-fencing, and as a resource that is down did (8.4.11). */
function toolOf(world: Disk): { readonly tool: DrbdTool; readonly calls: string[] } {
  const calls: string[] = [];
  const answer = (output: string, code = 0) => Promise.resolve({ code, output, errors: "" });
  const events = () =>
    world.isUp
      ? `exists resource name:r0 role:${world.role} suspended:no
exists connection name:r0 peer-node-id:0 conn-name:peer connection:Connecting role:Unknown
exists device name:r0 volume:0 minor:0 disk:${world.disk}
exists peer-device name:r0 peer-node-id:0 conn-name:peer volume:0 replication:Off peer-disk:DUnknown
exists -
`
      : "exists -\n";
  const tool: DrbdTool = (file, [verb = ""]) => {
    if (file === "drbdsetup") return answer(events());
    calls.push(verb);
    if (verb === "outdate" && world.refuses !== true) world.disk = "Outdated";
    return answer(verb === "dstate" ? `${world.disk}${world.isUp ? "/DUnknown" : ""}\n` : "");
  };
  return { tool, calls };
}

test("a Secondary outdates its disk", async () => {
  const { tool } = toolOf({ isUp: true, role: "Secondary", disk: "UpToDate" });
  expect(await outdateDrbd("r0", tool)).toBe("outdated");
});

test("a Primary stays what it is, and is left alone", async () => {
  const { tool, calls } = toolOf({ isUp: true, role: "Primary", disk: "UpToDate" });
  expect([await outdateDrbd("r0", tool), calls]).toEqual(["primary", []]);
});

test("a node in standby, whose DRBD is stopped, marks the metadata of its disk", async () => {
  const { tool, calls } = toolOf({ isUp: false, role: "", disk: "Consistent" });
  expect([await outdateDrbd("r0", tool), calls]).toEqual(["outdated", ["outdate", "dstate"]]);
});

test("what was not read back is unknown, whatever the exit code says", async () => {
  const { tool } = toolOf({ isUp: false, role: "", disk: "Consistent", refuses: true });
  expect(await outdateDrbd("r0", tool)).toBe("unknown");
});

test("a tool that gives no answer proves nothing", async () => {
  const hung: DrbdTool = () => Promise.resolve({ code: undefined, output: "", errors: "" });
  expect(await outdateDrbd("r0", hung)).toBe("unknown");
});
