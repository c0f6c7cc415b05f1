/** A private network namespace for the thread of a test: nothing it does reaches the machine's network. */
import { execFileSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { CLONE_NEWNET, enterNamespace, unshare } from "../../src/hw/edge/native.ts";

/** Runs `work` in a new namespace with loopback up and a veth pair a0-b0, a0 having 198.18.7.1/24. */
export async function inNetworkNamespace(work: () => Promise<void>): Promise<void> {
  const before = openSync("/proc/thread-self/ns/net", "r");
  unshare(CLONE_NEWNET);
  try {
    const ip = (words: string) => execFileSync("ip", words.split(" "));
    ip("link set lo up");
    ip("link add a0 type veth peer name b0");
    ip("link set a0 up");
    ip("link set b0 up");
    ip("addr add 198.18.7.1/24 dev a0");
    ip("-6 addr add fd77:7::1/64 dev a0 nodad");
    await work();
  } finally {
    enterNamespace(before, CLONE_NEWNET);
    closeSync(before);
  }
}
