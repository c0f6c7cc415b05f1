/**
 * `gemel inventory [--json]`: what machine this is, for reports and for choosing a hardware profile.
 * systeminformation spawns many children, so it is loaded here only and never by the keeper or the manager.
 */
import process from "node:process";
import { parseArgs } from "../arguments.ts";

interface Inventory {
  readonly system: string;
  readonly uuid: string;
  readonly board: string;
  readonly bios: string;
  readonly processor: string;
  readonly memoryBytes: number;
  readonly disks: readonly string[];
  readonly networks: readonly string[];
}

async function readInventory(): Promise<Inventory> {
  const { default: si } = await import("systeminformation");
  const [system, board, bios, cpu, memory, disks, networks] = await Promise.all([
    si.system(),
    si.baseboard(),
    si.bios(),
    si.cpu(),
    si.mem(),
    si.diskLayout(),
    si.networkInterfaces(),
  ]);
  const words = (...parts: (string | undefined)[]) =>
    parts.filter((part) => part !== undefined && part !== "").join(" ");
  return {
    system: words(system.manufacturer, system.model, system.serial),
    uuid: system.uuid,
    board: words(board.manufacturer, board.model),
    bios: words(bios.vendor, bios.version, bios.releaseDate),
    processor: `${words(cpu.manufacturer, cpu.brand)}, ${cpu.cores} threads`,
    memoryBytes: memory.total,
    disks: disks.map((disk) => `${disk.device} ${words(disk.vendor, disk.name)} ${(disk.size / 1e9).toFixed(1)} GB`),
    networks: [networks].flat().map((network) => `${network.iface} ${network.mac} ${network.ip4} ${network.operstate}`),
  };
}

/** Exit codes: 0; 64 for a wrong call. */
export async function run(argv: readonly string[]): Promise<number> {
  let json = false;
  try {
    json = parseArgs({ args: [...argv], options: { json: { type: "boolean" } } }).values.json === true;
  } catch (error) {
    process.stderr.write(`gemel inventory: ${error instanceof Error ? error.message : String(error)}\n`);
    return 64;
  }
  const inventory = await readInventory();
  if (json) {
    process.stdout.write(`${JSON.stringify(inventory, null, 2)}\n`);
    return 0;
  }
  const rows: [string, string][] = Object.entries(inventory).flatMap(([name, value]) =>
    [value]
      .flat()
      .map((entry): [string, string] => [
        name,
        name === "memoryBytes" ? `${(Number(entry) / 2 ** 30).toFixed(1)} GiB` : String(entry),
      ]),
  );
  for (const [name, value] of rows) process.stdout.write(`${name.replace("Bytes", "").padEnd(10)} ${value}\n`);
  return 0;
}
