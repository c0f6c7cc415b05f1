/**
 * The scheduler against crm_simulate --profile, in one run on the same machine: CPU time over all reference cases, and
 * the largest single one. Usage: node bench/scheduler.ts [CASES-DIRECTORY]
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseXml } from "../src/base/xml.ts";
import { schedule } from "../src/cluster/core/scheduler/schedule.ts";

const directory = process.argv[2] ?? path.resolve(import.meta.dirname, "../../shared/scheduler-cases/xml");
const NOW_WALL_MS = 1_790_000_000_000;

interface Sample {
  readonly name: string;
  readonly ms: number;
}

function measureOurs(): Sample[] {
  const cibs = readdirSync(directory)
    .filter((file) => file.endsWith(".xml"))
    .flatMap((name) => {
      const read = parseXml(readFileSync(path.join(directory, name), "utf8"));
      return read.kind === "xml" ? [{ name, cib: read.root }] : [];
    });
  return cibs.map(({ name, cib }) => {
    const before = process.cpuUsage();
    schedule(cib, Number(cib.attributes["execution-date"] ?? NOW_WALL_MS / 1000) * 1000);
    const { user, system } = process.cpuUsage(before);
    return { name, ms: (user + system) / 1000 };
  });
}

function measurePeer(): Sample[] {
  const text = execFileSync("crm_simulate", ["--profile", directory], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return [...text.matchAll(/Testing (\S+) ?\.* *([\d.]+) secs/g)].map(([, name = "", seconds = "0"]) => ({
    name,
    ms: Number(seconds) * 1000,
  }));
}

function report(who: string, samples: readonly Sample[]): void {
  const total = samples.reduce((sum, { ms }) => sum + ms, 0);
  const largest = samples.reduce((a, b) => (b.ms > a.ms ? b : a), { name: "-", ms: 0 });
  const heapMb = Math.round(process.memoryUsage().rss / 1e6);
  process.stdout.write(
    `${who}: ${samples.length} cases, ${total.toFixed(0)} ms CPU, largest ${largest.name} ${largest.ms.toFixed(1)} ms` +
      `${who === "gemel" ? `, ${heapMb} MB resident` : ""}\n`,
  );
}

report("gemel", measureOurs());
try {
  report("crm_simulate", measurePeer());
} catch (error) {
  process.stdout.write(`crm_simulate: not measured (${error instanceof Error ? error.message.split("\n")[0] : "?"})\n`);
}
