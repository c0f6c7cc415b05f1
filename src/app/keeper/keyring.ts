/**
 * A signer whose keys are read again on SIGHUP, so that a key is changed without a stop. A file with a problem changes
 * nothing, and says so; nor does one by which this node and one that it hears would no longer hear each other.
 */
import process from "node:process";
import { formatProblem, type Problem } from "../../base/problem.ts";
import { type KeyUse, keyChangeProblems } from "../../cib/key-change.ts";
import { type Signer, senderOf } from "../../cluster/core/wire/packet.ts";
import { createSigner } from "../../cluster/edge/signer.ts";
import { type LoadedNode, readKeys } from "./load.ts";
import type { Log } from "./log.ts";

export function createKeyring({ config, self, keys }: LoadedNode, file: string, log: Log): Signer {
  let present = keys;
  let signer = createSigner(keys, config.cluster);
  /** By node id. */
  const newest = new Map<number, { readonly keyNumber: number; readonly atMs: number }>();

  function usesNow(): readonly KeyUse[] {
    const nowMs = performance.now();
    return config.nodes.flatMap(({ id, name }) => {
      const use = id === self.id ? undefined : newest.get(id);
      return use === undefined || nowMs - use.atMs > config.deadtimeMs
        ? []
        : [{ node: name, keyNumber: use.keyNumber }];
    });
  }

  process.on("SIGHUP", () => {
    const problems: Problem[] = [];
    const read = readKeys(file, problems);
    if (read !== undefined) problems.push(...keyChangeProblems(present, read, usesNow(), file));
    for (const problem of problems) log.say("error", formatProblem(problem));
    if (read === undefined || problems.length > 0) {
      log.say("error", "the keys stay as they were");
      return;
    }
    present = read;
    signer = createSigner(read, config.cluster);
    log.say("notice", `the keys are read again: ${read.keys.length} accepted, ${read.signing} is used for sending`);
  });
  return {
    get keyNumber() {
      return signer.keyNumber;
    },
    seal: (header, payload) => signer.seal(header, payload),
    open(keyNumber, header, sealed) {
      const payload = signer.open(keyNumber, header, sealed);
      if (payload !== undefined) newest.set(senderOf(header), { keyNumber, atMs: performance.now() });
      return payload;
    },
  };
}
