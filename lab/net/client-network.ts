/**
 * The client's end of the service network: a network namespace of its own with a tap device, which a QEMU process
 * without a machine joins to the hub. So plain programs of the host (curl, the lab's client) reach the pair by TCP,
 * and their ARP cache is a real kernel's.
 */
import type { ChildProcess } from "node:child_process";
import path from "node:path";
import { CLIENT_ADDRESS } from "../addresses.ts";
import type { Place } from "../place.ts";
import { command, killProcess, launch } from "../processes.ts";

export const CLIENT_DEVICE = "service0";

export interface ClientNetwork {
  readonly namespace: string;
  close(): Promise<void>;
}

export async function removeClientNetwork(place: Place): Promise<void> {
  const known = await command("ip", "netns", "list");
  if (known.split("\n").some((line) => line.split(" ")[0] === place.clientNamespace)) {
    await command("ip", "netns", "del", place.clientNamespace);
  }
}

/** Rejects when the namespace or the tap device cannot be made: no root, or no /dev/net/tun. */
export async function openClientNetwork(place: Place, hubSocket: string): Promise<ClientNetwork> {
  const namespace = place.clientNamespace;
  await removeClientNetwork(place);
  await command("ip", "netns", "add", namespace);
  const ip = (...words: string[]) => command("ip", "-n", namespace, ...words);
  await ip("link", "set", "lo", "up");
  await ip("tuntap", "add", "dev", CLIENT_DEVICE, "mode", "tap");
  await ip("address", "add", `${CLIENT_ADDRESS}/24`, "dev", CLIENT_DEVICE);
  await ip("link", "set", CLIENT_DEVICE, "up");
  const bridge: ChildProcess = launch(place.directory, {
    command: "qemu-system-x86_64",
    argv: [
      ...["-machine", "none", "-nodefaults", "-display", "none", "-no-user-config"],
      ...["-netdev", `tap,id=tap,ifname=${CLIENT_DEVICE},script=no,downscript=no`],
      ...["-netdev", `stream,id=hub,server=off,addr.type=unix,addr.path=${hubSocket}`],
      ...["-netdev", "hubport,hubid=0,id=port0,netdev=tap", "-netdev", "hubport,hubid=0,id=port1,netdev=hub"],
    ],
    logFile: path.join(place.directory, "logs", "client-network.log"),
    namespace,
  });
  return {
    namespace,
    async close() {
      if (bridge.pid !== undefined) killProcess(bridge.pid);
      await removeClientNetwork(place);
    },
  };
}
