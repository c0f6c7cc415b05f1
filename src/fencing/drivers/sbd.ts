/**
 * Fencing by a poison pill on a shared disk, in the format of sbd. The disk shows no power: the proof is that the kill
 * stood on a majority of the disks, read back, for all of msgwait. By then the node has read it and ended itself, or
 * its watchdog has ended it because it could not read. A kill that was taken away before that time proves nothing.
 * The message is `off`; within a reboot it is `reset`, for no disk can switch a machine on again.
 * Facts: sbd(8); reference storage.md, section 8.
 */
import * as v from "valibot";
import { type DiskLook, majorityOf, type PoisonDisks } from "../../hw/core/poison/disks.ts";
import { isKill } from "../../hw/core/poison/format.ts";
import type { PowerDevice, SwitchAnswer } from "../core/driver.ts";
import { defineDriver } from "./define-driver.ts";
import { powerTimes, text, timesOf } from "./parameter.ts";

/** More is no configuration of sbd. */
const DISKS_MAX = 3;
/** For the writes, the reads and a late timer: what confirm_time must have above msgwait. */
const MARGIN_MS = 1_000;

const parameters = v.strictObject({
  devices: v.pipe(
    text("name the shared disks: devices=/dev/disk/by-id/..."),
    v.transform((list) => list.split(/[\s,;]+/).filter((path) => path !== "")),
    v.check((paths) => paths.every((path) => path.startsWith("/")), "write absolute paths, as /dev/disk/by-id/..."),
    v.check(
      (paths) => paths.length === 1 || paths.length === DISKS_MAX,
      "name one disk or three: two have no majority",
    ),
    v.check((paths) => new Set(paths).size === paths.length, "name each disk once"),
  ),
  node: text("name the node whose slot it is"),
  message: v.optional(v.picklist(["off", "reset", "crashdump"], "write off, reset or crashdump")),
  /** Added by the fencer within a reboot. */
  comes_back: v.optional(v.picklist(["yes", "no"], "write yes or no"), "no"),
  // The proof is a time that has passed; there is nothing that could settle.
  ...powerTimes({ answerMs: 5_000, confirmMs: 40_000, pollMs: 250, settleMs: 0 }),
});

const seconds = (ms: number) => `${Math.ceil(ms / 1_000)} s`;

/** What keeps a majority of the disks from being used for `node`, or undefined. */
function objectTo(looks: readonly DiskLook[], node: string): string | undefined {
  const usable = looks.filter(({ kind }) => kind === "slot").length;
  if (usable >= majorityOf(looks.length)) return undefined;
  const [bad] = looks.filter(({ kind }) => kind !== "slot");
  if (bad?.kind === "failed") return bad.reason;
  return `${bad?.disk ?? "the disk"} has no slot for ${node}: it never ran with it, or under another name`;
}

export function sbdDevice(
  disks: PoisonDisks,
  node: string,
  message: "off" | "reset" | "crashdump",
  confirmMs: number,
): PowerDevice {
  /** Since when the kill is known to stand on a majority; undefined: not, or not any more. */
  let standsSinceMs: number | undefined;
  let isWritten = false;
  let wasTakenAway = false;

  return {
    async switchPower(wanted): Promise<SwitchAnswer> {
      if (wanted === "on") return { kind: "refused", reason: "a disk switches no machine on" };
      const looks = await disks.look(node);
      const objection = objectTo(looks, node);
      if (objection !== undefined) return { kind: isWritten ? "maybe" : "refused", reason: objection };
      const msgwaitMs = Math.max(...looks.map((look) => (look.kind === "failed" ? 0 : look.header.msgwaitMs)));
      if (msgwaitMs + MARGIN_MS > confirmMs) {
        const reason = `its msgwait is ${seconds(msgwaitMs)}; write confirm_time=${seconds(msgwaitMs + 2 * MARGIN_MS)}`;
        return { kind: "refused", reason: reason.replaceAll(" s", "s") };
      }
      standsSinceMs = undefined;
      isWritten = true;
      await disks.write(node, message);
      return { kind: "accepted" };
    },
    async readPower() {
      const looks = await disks.look(node);
      const objection = objectTo(looks, node);
      if (objection !== undefined) return { kind: "unreadable", reason: objection };
      if (!isWritten) return { kind: "not-told", text: "the disks can be read; they show no power" };
      const standing = looks.filter((look) => look.kind === "slot" && isKill(look.mailbox.command));
      if (standing.length < majorityOf(looks.length)) {
        // Somebody cleared it: the node, started anew before its time, or a person. Which one cannot be seen.
        wasTakenAway ||= standsSinceMs !== undefined;
        standsSinceMs = undefined;
        const reason = `the ${message} stands on ${standing.length} of ${looks.length} disks`;
        return { kind: "unreadable", reason: wasTakenAway ? `${reason}: it was taken away before its time` : reason };
      }
      standsSinceMs ??= disks.nowMs();
      const msgwaitMs = Math.max(...looks.map((look) => (look.kind === "failed" ? 0 : look.header.msgwaitMs)));
      const leftMs = standsSinceMs + msgwaitMs - disks.nowMs();
      if (leftMs <= 0) return { kind: "power", power: "off" };
      return { kind: "unreadable", reason: `the ${message} stands; not yet for ${seconds(msgwaitMs)}` };
    },
    async readIdentity() {
      const looks = await disks.look(node);
      const objection = objectTo(looks, node);
      if (objection !== undefined) return { kind: "unreadable", reason: objection };
      const words = looks.map((look) => {
        if (look.kind !== "slot") return `${look.disk} ${look.kind === "failed" ? look.reason : "has no slot"}`;
        return `${look.disk} ${look.header.uuid.slice(0, 8)}, mailbox ${look.mailbox.command}`;
      });
      return { kind: "identity", uuid: undefined, text: `slot of ${node} on ${words.join("; ")}` };
    },
  };
}

function messageOf({ message, comes_back }: v.InferOutput<typeof parameters>): "off" | "reset" | "crashdump" {
  return message ?? (comes_back === "yes" ? "reset" : "off");
}

export const sbd = defineDriver(
  "sbd",
  parameters,
  (written) => ({
    transport: "disks",
    target: { paths: written.devices },
    times: timesOf(written),
    expectedUuid: undefined,
    device: (disks) => sbdDevice(disks, written.node, messageOf(written), written.confirm_time),
  }),
  { switchesOn: false, rebootParameters: { comes_back: "yes" } },
);
