/**
 * The emulated pair: two machines with their BMCs, the links between them, the client's network, and every fault as
 * a verb. It knows nothing of what runs inside the machines.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { startBmc } from "./machine/bmc.ts";
import { type Machine, openMachine } from "./machine/machine.ts";
import { openPower } from "./machine/power.ts";
import type { MachineParts } from "./machine/qemu-arguments.ts";
import { startScript } from "./machine/start-script.ts";
import { isNetworkName, type LinkName, NETWORKS, type NetworkName, NODES, type NodeName } from "./names.ts";
import { type BmcWire, openBmcWire } from "./net/bmc-wire.ts";
import { type Cable, openCable } from "./net/cable.ts";
import { type ClientNetwork, openClientNetwork } from "./net/client-network.ts";
import type { Sender } from "./net/frames.ts";
import { freeTcpPort, freeUdpPort } from "./net/free-port.ts";
import { type Hub, openHub } from "./net/hub.ts";
import { nodeDirectory, type Place } from "./place.ts";
import { killProcessesOf } from "./processes.ts";

const SHARED_DISK_BYTES = 1 << 20;
const BMC_USER = "gemel";

/** What a node's configuration needs to know of the BMC of a node. */
export interface BmcAddress {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}
export type BmcAddresses = Readonly<Record<NodeName, BmcAddress>>;

export interface PairOptions {
  readonly place: Place;
  readonly memoryMb: number;
  readonly kernel?: NonNullable<MachineParts["kernel"]>;
  /** Writes `system.img` and `mirror.img` of a node into its directory; the machine does not run yet. */
  readonly makeDisks: (node: NodeName, directory: string, bmcs: BmcAddresses) => Promise<void>;
  readonly onEvent: (source: NodeName | "lab", event: string) => void;
  /** Each frame that crosses the service network. */
  readonly onSender?: (sender: Sender, port: string) => void;
}

export interface Pair {
  readonly place: Place;
  readonly machines: Readonly<Record<NodeName, Machine>>;
  readonly client: ClientNetwork;
  /** Cuts a link; a network may be cut for one node only. */
  cut(link: LinkName, node?: NodeName): void;
  join(link: LinkName, node?: NodeName): void;
  /** Every link that is cut. */
  joinAll(): void;
  /** Cuts all that joins the nodes: of the service network only this node's end, so that the client sees the other. */
  split(node: NodeName): void;
  /** Share of the bytes on the serial cable that arrive garbled, 0 to 1. */
  setNoise(share: number): void;
  noise(): number;
  /** The links that are cut now. */
  cutLinks(): readonly LinkName[];
  /** Ends everything and removes all but the logs and the records. */
  down(): Promise<void>;
}

/** Builds the value of each node, one after another. */
async function eachNode<Value>(make: (node: NodeName) => Promise<Value>): Promise<Record<NodeName, Value>> {
  return { alpha: await make("alpha"), bravo: await make("bravo") };
}

export async function openPair(options: PairOptions): Promise<Pair> {
  const { place, memoryMb, onEvent, makeDisks, onSender } = options;
  const at = (...words: string[]) => path.join(place.directory, ...words);
  mkdirSync(at("links"), { recursive: true });
  mkdirSync(at("logs"), { recursive: true });
  for (const node of NODES) mkdirSync(nodeDirectory(place, node), { recursive: true });
  writeFileSync(at("shared.img"), "");
  truncateSync(at("shared.img"), SHARED_DISK_BYTES);

  const portOf = (network: NetworkName, end: string) => at("links", `${network}-${end}`);
  const onServiceSender = onSender === undefined ? {} : { onSender };
  const hubs: Record<NetworkName, Hub> = {
    service: await openHub({
      ports: Object.fromEntries([...NODES, "client"].map((end) => [end, portOf("service", end)])),
      ...onServiceSender,
    }),
    private: await openHub({ ports: Object.fromEntries(NODES.map((end) => [end, portOf("private", end)])) }),
  };
  const cable: Cable = await openCable([at("links", "serial-alpha"), at("links", "serial-bravo")]);
  const client = await openClientNetwork(place, portOf("service", "client"));
  const lanPorts = await eachNode(freeUdpPort);
  const wires: Record<NodeName, BmcWire> = await eachNode((node) => openBmcWire(lanPorts[node]));
  const accounts = await eachNode(() => Promise.resolve({ user: BMC_USER, password: randomBytes(8).toString("hex") }));
  const bmcs: BmcAddresses = await eachNode((node) => Promise.resolve({ port: wires[node].port, ...accounts[node] }));

  const machines: Record<NodeName, Machine> = await eachNode(async (node) => {
    const directory = nodeDirectory(place, node);
    await makeDisks(node, directory, bmcs);
    const machinePort = await freeTcpPort();
    const script = startScript({
      node,
      directory,
      memoryMb,
      systemDisk: path.join(directory, "system.nbd"),
      mirrorDisk: path.join(directory, "mirror.nbd"),
      sharedDisk: at("shared.img"),
      links: {
        service: portOf("service", node),
        private: portOf("private", node),
        serial: at("links", `serial-${node}`),
      },
      bmcPort: machinePort,
      ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
    });
    const startProgram = path.join(directory, "start");
    writeFileSync(startProgram, script, { mode: 0o755 });
    const power = await openPower({ labDirectory: place.directory, directory, startProgram });
    const bmc = startBmc({
      node,
      labDirectory: place.directory,
      directory,
      account: accounts[node],
      lanPort: lanPorts[node],
      machinePort,
      chassisProgram: power.chassisProgram,
      onUnexpectedEnd: (reason) => onEvent("lab", reason),
    });
    return openMachine({ node, directory, bmc, power, onEvent: (event) => onEvent(node, event) });
  });

  function wireOf(link: LinkName): BmcWire | undefined {
    return link === "bmc-alpha" ? wires.alpha : link === "bmc-bravo" ? wires.bravo : undefined;
  }
  function join(link: LinkName, node?: NodeName): void {
    if (isNetworkName(link)) hubs[link].join(node);
    else (wireOf(link) ?? cable).join();
  }
  function cutLinks(): readonly LinkName[] {
    const cut: LinkName[] = NETWORKS.filter((network) => hubs[network].isCut());
    if (cable.isCut()) cut.push("serial");
    for (const node of NODES) if (wires[node].isCut()) cut.push(`bmc-${node}`);
    return cut;
  }
  return {
    place,
    machines,
    client,
    cut(link, node) {
      if (isNetworkName(link)) hubs[link].cut(node);
      else (wireOf(link) ?? cable).cut();
    },
    join,
    joinAll() {
      for (const link of cutLinks()) join(link);
    },
    split(node) {
      hubs.service.cut(node);
      hubs.private.cut();
      cable.cut();
    },
    setNoise: (share) => cable.setNoise(share),
    noise: () => cable.noise(),
    cutLinks,
    async down() {
      for (const node of NODES) machines[node].close();
      for (const node of NODES) machines[node].bmc.stop();
      killProcessesOf(place.directory);
      for (const closing of [hubs.service, hubs.private, cable, wires.alpha, wires.bravo]) closing.close();
      await client.close();
      for (const left of ["links", "shared.img", ...NODES]) {
        rmSync(at(left), { recursive: true, force: true });
      }
    },
  };
}
