/**
 * What the service costs a node: private and proportional memory of keeper and manager, as the guest's kernel tells it.
 * Fact: proc(5), smaps_rollup. Pss counts a page shared by n processes as 1/n; the program's own pages are shared by
 * both, and locked by the keeper. Private is what ends with the process.
 */
import type { Machine } from "../machine/machine.ts";

const SCRIPT = `for p in /proc/[0-9]*; do
  case "$(readlink $p/exe)" in */gemel) ;; *) continue ;; esac
  echo "process $(tr '\\0' ' ' <$p/cmdline | cut -d' ' -f2)"
  cat $p/smaps_rollup
done`;

export interface ProcessMemory {
  /** `node` is the keeper, `manager` the manager. */
  readonly command: string;
  readonly pssKb: number;
  readonly privateCleanKb: number;
  readonly privateDirtyKb: number;
}

/** Reads the output of SCRIPT. */
export function readMemory(output: string): readonly ProcessMemory[] {
  return output
    .split(/^process /m)
    .slice(1)
    .map((text) => {
      const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? "0");
      const [command = ""] = text.split(/\s/);
      return {
        command,
        pssKb: kb("Pss"),
        privateCleanKb: kb("Private_Clean"),
        privateDirtyKb: kb("Private_Dirty"),
      };
    });
}

const mb = (kilobytes: number) => `${(kilobytes / 1024).toFixed(1)} MB`.padStart(9);

/** One line a process and one for both. */
export function formatMemory(all: readonly ProcessMemory[]): readonly string[] {
  const sum = all.reduce(
    (total, one) => ({
      command: "together",
      pssKb: total.pssKb + one.pssKb,
      privateCleanKb: total.privateCleanKb + one.privateCleanKb,
      privateDirtyKb: total.privateDirtyKb + one.privateDirtyKb,
    }),
    { command: "together", pssKb: 0, privateCleanKb: 0, privateDirtyKb: 0 },
  );
  return [...all, sum].map(({ command, pssKb, privateCleanKb, privateDirtyKb }) => {
    const privateText = `${mb(privateCleanKb + privateDirtyKb)} (dirty ${mb(privateDirtyKb)})`;
    return `  ${command.padEnd(10)} private ${privateText}  PSS ${mb(pssKb)}`;
  });
}

export async function memoryOf(machine: Machine): Promise<readonly string[]> {
  return formatMemory(readMemory(await machine.must(SCRIPT)));
}
