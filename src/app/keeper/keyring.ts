/**
 * A signer whose keys are read again on SIGHUP, so that a key is changed without a stop. A file with a problem changes
 * nothing, and says so; nor does one by which this node and one that it hears would no longer hear each other.
 */
import process from "node:process";
import { formatProblem, type Problem } from "../../base/problem.ts";
import { type KeyUse, keyChangeProblems } from "../../cib/key-change.ts";
import type { Sealing } from "../../cluster/core/keeper/report.ts";
import { type Signer, senderOf } from "../../cluster/core/wire/packet.ts";
import { createSigner } from "../../cluster/edge/signer.ts";
import { type LoadedNode, readKeys } from "./load.ts";
import type { Log } from "./log.ts";

const ENCRYPTED = "packets are encrypted (AES-256-GCM)";

export interface Keyring extends Signer {
  /** Also logs what has changed in it: asked every few seconds. */
  sealing(): Sealing;
}

export function createKeyring({ config, self, keys }: LoadedNode, file: string, log: Log): Keyring {
  let present = keys;
  let signer = createSigner(keys, config.cluster);
  /** By node id. */
  const newest = new Map<number, { readonly keyNumber: number; readonly atMs: number }>();
  const hides = (number: number) => present.keys.find((key) => key.number === number)?.method === "aes256-gcm";
  let told: Sealing = { hides: hides(keys.signing), unlike: [] };
  if (told.hides) log.say("info", ENCRYPTED);

  function sealing(): Sealing {
    const own = hides(present.signing);
    const unlike = usesNow().flatMap(({ node, keyNumber }) => (hides(keyNumber) === own ? [] : [node]));
    const now = { hides: own, unlike };
    if (now.hides === told.hides && now.unlike.join() === told.unlike.join()) return now;
    told = now;
    const others = unlike.join(", ");
    if (unlike.length === 0) log.say("notice", own ? ENCRYPTED : "packets are sent in the clear, with their proof");
    else if (own) log.say("warning", `this node encrypts, and ${others} sends in the clear: switch auth there, too`);
    else log.say("warning", `${others} encrypts, and this node sends in the clear: switch auth here, too`);
    return now;
  }

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
    sealing,
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
