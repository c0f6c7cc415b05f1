/**
 * Opens what a driver needs, by its transport: secrets are read here and go no further than into the connection.
 * IPMI sessions are kept, one a device, because an open session answers in a tenth of a millisecond and boards have
 * few of them; every other connection lasts for one run. Libraries and native code are loaded with the first device
 * that needs them.
 */
import os from "node:os";
import type { Bmc } from "../../hw/core/ipmi/bmc.ts";
import type { WatchdogPromises } from "../../hw/core/watchdog/promise.ts";
import { createExternalPlugin } from "../../hw/edge/external-plugin.ts";
import { createFenceAgent } from "../../hw/edge/fence-agent.ts";
import { createWebBoard } from "../../hw/edge/https-board.ts";
import { openNut } from "../../hw/edge/nut-client.ts";
import { openTelnet } from "../../hw/edge/telnet.ts";
import { createDocumentBoard } from "../../hw/edge/tls-document.ts";
import { createIpmiConnection, type IpmiConnection } from "../../hw/edge/udp-ipmi.ts";
import type { BoundDriver, PowerDevice, Transports } from "../core/driver.ts";
import { readSecret } from "./secrets.ts";

/** A device for one run; a kept session outlives its `close`, and no request outlives the run's `cut`. */
export interface OpenDevice {
  readonly device: PowerDevice;
  close(): void;
}

export type Opened<Value> =
  | { readonly kind: "opened"; readonly value: Value }
  | { readonly kind: "failed"; readonly reason: string };

interface KeptConnection {
  /** Everything that makes a connection another one, the secret included; never logged. */
  readonly key: string;
  readonly connection: IpmiConnection;
}

export interface DeviceOpener {
  /** `cut`: ends the connection, a kept one too, with the request that is under way and its repetitions. */
  open(id: string, bound: BoundDriver, cut: AbortSignal): Promise<Opened<OpenDevice>>;
  /** Ends all kept sessions without waiting for the boards. */
  close(): void;
}

const nothingToClose = () => {};

/** What the running cluster knows: the evidence of devices that are none. */
export interface ClusterSight extends WatchdogPromises {
  /** Where it has recorded that a resource runs. */
  holdersOf(resource: string): readonly string[];
  /** The number of the node's present start; undefined: it was never heard. */
  startOf(node: string): number | undefined;
}

/** Without a running cluster nobody is known, and nothing is promised. */
const NO_SIGHT: WatchdogPromises = {
  read: () => ({ kind: "none", reason: "what the nodes have promised is known to a running cluster only" }),
  withoutPromise: () => [],
  declareLost: nothingToClose,
};

export function createDeviceOpener(secretsFile: string, sight?: ClusterSight): DeviceOpener {
  const kept = new Map<string, KeptConnection>();

  function passwordOf(name: string): Opened<string> {
    const read = readSecret(secretsFile, name);
    if (read.kind === "secret") return { kind: "opened", value: read.value };
    return { kind: "failed", reason: `${read.reason}; ${read.remedy}` };
  }

  /** The password by that name, where one is named at all. */
  function optionalPassword(name: string | undefined): Opened<string | undefined> {
    return name === undefined ? { kind: "opened", value: undefined } : passwordOf(name);
  }

  function openIpmi(id: string, transport: Transports["ipmi"], budgetMs: number): Opened<Bmc> {
    const password = passwordOf(transport.secret);
    if (password.kind === "failed") return password;
    const kg = optionalPassword(transport.kgSecret);
    if (kg.kind === "failed") return kg;
    const { host, port, user, cipherSuite: suite, privilege } = transport;
    const account = {
      user,
      password: password.value,
      ...(kg.value === undefined ? {} : { kg: kg.value }),
      suite,
      privilege,
    };
    const target = { host, port, account, budgetMs };
    const key = JSON.stringify(target);
    const known = kept.get(id);
    if (known?.key === key) return { kind: "opened", value: known.connection };
    known?.connection.close();
    const connection = createIpmiConnection(target);
    kept.set(id, { key, connection });
    return { kind: "opened", value: connection };
  }

  function forget(id: string): void {
    kept.get(id)?.connection.close();
    kept.delete(id);
  }

  async function open(id: string, bound: BoundDriver, cut: AbortSignal): Promise<Opened<OpenDevice>> {
    const budgetMs = bound.times.answerMs;
    const opened = (device: PowerDevice, end: () => void = nothingToClose): Opened<OpenDevice> => {
      let isOpen = true;
      const close = () => {
        if (isOpen) end();
        isOpen = false;
      };
      cut.addEventListener("abort", close, { once: true });
      if (cut.aborted) close();
      return { kind: "opened", value: { device, close } };
    };
    switch (bound.transport) {
      case "ipmi": {
        if (bound.target.version === "1.5") {
          const { host, port, user, secret, privilege, cipherSuite: suite } = bound.target;
          const password = passwordOf(secret);
          if (password.kind === "failed") return password;
          const { createIpmi15Connection } = await import("../../hw/edge/udp-ipmi15.ts");
          const account = { user, password: password.value, suite, privilege };
          const board = createIpmi15Connection({ host, port, account, budgetMs });
          return opened(bound.device(board), () => board.close());
        }
        const bmc = openIpmi(id, bound.target, budgetMs);
        if (bmc.kind === "failed") return bmc;
        cut.addEventListener("abort", () => forget(id), { once: true });
        return opened(bound.device(bmc.value));
      }
      case "agent": {
        const password = optionalPassword(bound.target.secret);
        if (password.kind === "failed") return password;
        return opened(bound.device(createFenceAgent({ ...bound.target, password: password.value, budgetMs, cut })));
      }
      case "plugin": {
        const password = optionalPassword(bound.target.secret);
        if (password.kind === "failed") return password;
        return opened(bound.device(createExternalPlugin({ ...bound.target, password: password.value, budgetMs, cut })));
      }
      case "addresses": {
        const { createNodeAddresses } = await import("../../hw/edge/node-addresses.ts");
        return opened(bound.device(createNodeAddresses(bound.target.addresses, bound.target.trials)));
      }
      case "disks": {
        const { createPoisonDisks } = await import("../../hw/edge/poison-disk.ts");
        const disks = createPoisonDisks({ ...bound.target, from: os.hostname(), accessMs: budgetMs });
        return opened(bound.device(disks), () => disks.close());
      }
      case "lock": {
        const { openSfexDisk } = await import("../../hw/edge/sfex-disk.ts");
        const { path, index, resource } = bound.target;
        const holders = () => sight?.holdersOf(resource);
        const startOf = (node: string) => sight?.startOf(node);
        const disk = openSfexDisk({ path, index, from: os.hostname(), accessMs: budgetMs, holders, startOf });
        return opened(bound.device(disk), () => disk.close());
      }
      case "promise":
        return opened(bound.device(sight ?? NO_SIGHT));
      case "https": {
        const password = passwordOf(bound.target.secret);
        if (password.kind === "failed") return password;
        return opened(bound.device(createWebBoard({ ...bound.target, password: password.value, budgetMs })));
      }
      case "tls": {
        const password = passwordOf(bound.target.secret);
        if (password.kind === "failed") return password;
        return opened(bound.device(createDocumentBoard({ ...bound.target, password: password.value, budgetMs })));
      }
      case "telnet": {
        const password = passwordOf(bound.target.secret);
        if (password.kind === "failed") return password;
        const line = await openTelnet({ ...bound.target, password: password.value, answerMs: budgetMs });
        if (line.kind === "refused") return { kind: "failed", reason: line.reason };
        return opened(bound.device(line.line), () => line.line.close());
      }
      case "ssh": {
        const password = passwordOf(bound.target.secret);
        if (password.kind === "failed") return password;
        const { openSsh } = await import("../../hw/edge/ssh-line.ts");
        const line = await openSsh({ ...bound.target, password: password.value, answerMs: budgetMs });
        if (line.kind === "refused") return { kind: "failed", reason: line.reason };
        return opened(bound.device(line.line), () => line.line.close());
      }
      case "snmp": {
        const { secret, privacySecret, ...target } = bound.target;
        const password = passwordOf(secret);
        if (password.kind === "failed") return password;
        const privacy = optionalPassword(privacySecret);
        if (privacy.kind === "failed") return privacy;
        const { openSnmpAgent } = await import("../../hw/edge/snmp-agent.ts");
        const passwords = { password: password.value, privacyPassword: privacy.value };
        const agent = await openSnmpAgent({ ...target, ...passwords, budgetMs });
        return opened(bound.device(agent), () => agent.close());
      }
      case "libvirt": {
        const { ssh, ...target } = bound.target;
        const password = optionalPassword(ssh?.secret);
        if (password.kind === "failed") return password;
        const { openLibvirt } = await import("../../hw/edge/libvirt-socket.ts");
        const login = ssh === undefined ? undefined : { ...ssh, password: password.value ?? "" };
        const line = await openLibvirt({ ...target, ssh: login, answerMs: budgetMs });
        if (line.kind === "refused") return { kind: "failed", reason: line.reason };
        return opened(bound.device(line.hypervisor), () => line.hypervisor.close());
      }
      case "nut": {
        const password = passwordOf(bound.target.secret);
        if (password.kind === "failed") return password;
        const line = await openNut({ ...bound.target, password: password.value, answerMs: budgetMs });
        if (line.kind === "refused") return { kind: "failed", reason: line.reason };
        return opened(bound.device(line.server), () => line.server.close());
      }
      default:
        return bound satisfies never;
    }
  }

  return {
    open,
    close() {
      for (const { connection } of kept.values()) connection.close();
      kept.clear();
    },
  };
}
