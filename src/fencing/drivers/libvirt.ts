/**
 * Fencing a virtual machine by the libvirtd of its host: for laboratories and for clusters of guests.
 * The machine's UUID is the one that the guest reads from its DMI, so nobody shoots himself.
 * Off is a process that has ended. What runs on another host after a migration is not off, whatever this host says.
 * Facts: libvirt's virDomainDestroy, virDomainGetState, virDomainCreateWithFlags; tried against libvirtd 9.0.0, QEMU.
 */
import * as v from "valibot";
import {
  type Hypervisor,
  type HypervisorAnswer,
  LIBVIRT_ERROR,
  MACHINE_STATE,
  SHUTOFF_MIGRATED,
} from "../../hw/core/libvirt/hypervisor.ts";
import type { PowerDevice, SwitchAnswer, ToldPower } from "../core/driver.ts";
import { defineDriver } from "./define-driver.ts";
import { port, powerTimes, text, timesOf, uuid } from "./parameter.ts";

const REMEDIES: Readonly<Record<number, string>> = {
  [LIBVIRT_ERROR.noDomain]: "correct `machine`: virsh list --all shows the names; a transient one is gone with its end",
  [LIBVIRT_ERROR.denied]: "this user may only read: give it the read-write socket of libvirtd",
  [LIBVIRT_ERROR.accessDenied]: "this user may not do that: see the access rules of libvirtd",
  [LIBVIRT_ERROR.authFailed]: "libvirtd does not accept this user: see auth_unix_rw in libvirtd.conf",
};

type Failure = Exclude<HypervisorAnswer<unknown>, { readonly kind: "value" }>;

function reasonOf(failure: Failure): string {
  if (failure.kind === "lost") return failure.reason;
  const remedy = REMEDIES[failure.code] ?? "see the log of libvirtd";
  return `libvirtd: ${failure.message} (error ${failure.code}); ${remedy}`;
}

function judge(answer: HypervisorAnswer<undefined>): SwitchAnswer {
  if (answer.kind === "value") return { kind: "accepted" };
  const reason = reasonOf(answer);
  if (answer.kind === "lost") return { kind: answer.maybeReceived ? "maybe" : "refused", reason };
  if (answer.code === LIBVIRT_ERROR.invalidNow) return { kind: "wrong-state" };
  // A process that resists its end, or a time that is over: only a reading tells.
  return { kind: Object.hasOwn(REMEDIES, answer.code) ? "refused" : "maybe", reason };
}

/** Paused, crashed and suspended machines are not off: their process holds the disks, and may go on. */
async function readState(hypervisor: Hypervisor): Promise<ToldPower> {
  const answer = await hypervisor.state();
  if (answer.kind !== "value") return { kind: "unreadable", reason: reasonOf(answer) };
  const { state, reason } = answer.value;
  if (state === MACHINE_STATE.shutoff && reason === SHUTOFF_MIGRATED)
    return { kind: "unreadable", reason: "it was migrated and runs on another host; correct `host`" };
  if (state === MACHINE_STATE.shutoff) return { kind: "power", power: "off" };
  return state > MACHINE_STATE.none && state <= MACHINE_STATE.last
    ? { kind: "power", power: "on" }
    : { kind: "unreadable", reason: `libvirtd tells no state of the machine (${state})` };
}

export function virtualMachine(hypervisor: Hypervisor): PowerDevice {
  return {
    switchPower: async (wanted) => judge(await (wanted === "off" ? hypervisor.destroy() : hypervisor.boot())),
    readPower: () => readState(hypervisor),
    async readIdentity() {
      const answer = await hypervisor.identity();
      if (answer.kind !== "value") return { kind: "unreadable", reason: reasonOf(answer) };
      const { uuid: seen, isPersistent } = answer.value;
      if (!isPersistent) {
        const reason =
          "the machine is transient: once it is off, nothing can be read of it; virsh define makes it last";
        return { kind: "unreadable", reason };
      }
      return { kind: "identity", uuid: seen, text: `virtual machine ${seen}` };
    },
  };
}

const DEFAULT_SOCKET = "/run/libvirt/libvirt-sock";

const parameters = v.pipe(
  v.strictObject({
    machine: text("write the name of the virtual machine, as virsh list --all shows it"),
    uri: v.optional(
      v.pipe(v.string(), v.regex(/^[a-z]+:\/\//, "write the hypervisor, as qemu:///system")),
      "qemu:///system",
    ),
    socket: v.optional(v.pipe(v.string(), v.regex(/^\//, "write the path of libvirtd's socket")), DEFAULT_SOCKET),
    host: v.optional(text("write the address of the virtual machine's host")),
    port: port(22),
    user: v.optional(text("write the user of the host")),
    secret: v.optional(text("name the entry of the secrets file that holds the password")),
    hostkey: v.optional(
      v.pipe(
        v.string(),
        v.regex(
          /^SHA256:[A-Za-z0-9+/]{43}$/,
          "write the fingerprint as ssh-keygen -lf prints it: SHA256: and 43 signs",
        ),
      ),
    ),
    system_uuid: uuid,
    ...powerTimes({ answerMs: 5_000, confirmMs: 30_000, pollMs: 500, settleMs: 500 }),
  }),
  v.forward(
    v.check(
      ({ host, user, secret, hostkey }) =>
        new Set([host, user, secret, hostkey].map((part) => part === undefined)).size === 1,
      "the host of the machine is reached by ssh: write host, user, secret and hostkey, or none of them",
    ),
    ["host"],
  ),
);

export const libvirt = defineDriver("libvirt", parameters, (written) => {
  const { host, user, secret, hostkey, socket, uri, machine } = written;
  const ssh =
    host === undefined || user === undefined || secret === undefined || hostkey === undefined
      ? undefined
      : { host, port: written.port, user, secret, hostKey: hostkey };
  return {
    transport: "libvirt",
    target: { socket, uri, machine, ssh },
    times: timesOf(written),
    expectedUuid: written.system_uuid,
    device: virtualMachine,
  };
});
