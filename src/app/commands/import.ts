/**
 * `gemel import ha.d DIR`: an existing Heartbeat site (ha.cf, authkeys, haresources) as the files of a node here. Shows
 * what it makes of each line and what comes out; writes only when told where to.
 * Exit codes: 0 done, 64 a wrong call, 66 not readable, 73 not to be written, 78 the site has errors.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { type ImportedSite, importSite } from "../../cib/heartbeat/import-site.ts";
import type { Knowledge, Verdict } from "../../cib/heartbeat/site.ts";
import { parseArgs } from "../arguments.ts";
import { tellProblem } from "../japanese/translate.ts";
import { EXIT, wrongCall } from "./ask.ts";

const USAGE = "gemel import ha.d DIR [--write DIR] [--name NODE] [--address NODE=ADDRESS]...";
/** sysexits.h: EX_NOINPUT, EX_CANTCREAT, EX_CONFIG. */
const [NO_INPUT, CANNOT_CREATE, WRONG_SITE] = [66, 73, 78];
const SECRET_BYTES = 32;

const tell = (text: string) => process.stderr.write(`gemel import: ${text}\n`);

function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function knowledgeOf(folder: string, name: string | undefined, addresses: readonly string[]): Knowledge {
  const interfaces = Object.fromEntries(
    Object.entries(os.networkInterfaces()).map(([device, list]) => [device, (list ?? []).map((one) => one.address)]),
  );
  const scripts = existsSync(path.join(folder, "resource.d")) ? readdirSync(path.join(folder, "resource.d")) : [];
  const owners = Object.fromEntries(
    addresses.map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(at + 1), pair.slice(0, at).toLowerCase()] as const;
    }),
  );
  return { self: (name ?? os.hostname().split(".")[0])?.toLowerCase(), interfaces, owners, scripts };
}

const KINDS: Readonly<Record<Verdict["kind"], string>> = {
  taken: "taken",
  mapped: "mapped",
  "not-needed": "not needed",
  refused: "REFUSED",
};

function printVerdict({ place, written, kind, text }: Verdict): string {
  return `${place}: ${written}\n    ${KINDS[kind]}: ${text}\n`;
}

/** The secret is not shown: a terminal's scrollback is no place for it. */
function print({ verdicts, problems, nodeConfig, crm, secrets }: ImportedSite): string {
  const parts = [verdicts.map(printVerdict).join(""), `\n--- node.conf\n${nodeConfig}`];
  if (crm !== undefined) parts.push(`\n--- cluster.crm\n${crm}`);
  parts.push("\n--- authkeys\nauth 1\n1 sha256 (a new secret, made when it is written)\n");
  if (secrets !== "") parts.push(`\n--- secrets\n${secrets.replaceAll(/=.*/g, "=(as in ha.cf)")}`);
  if (problems.length > 0) parts.push(`\n${problems.map((problem) => `${tellProblem(problem)}\n`).join("")}`);
  return parts.join("");
}

/** Nothing is overwritten; keys and passwords are readable by their owner only. Undefined when done, or why not. */
function write({ nodeConfig, authkeys, crm, secrets }: ImportedSite, folder: string): string | undefined {
  const files = [
    ["node.conf", nodeConfig, 0o644],
    ["authkeys", authkeys, 0o600],
    ...(crm === undefined ? [] : [["cluster.crm", crm, 0o644] as const]),
    ...(secrets === "" ? [] : [["secrets", secrets, 0o600] as const]),
  ] as const;
  const there = files.filter(([name]) => existsSync(path.join(folder, name)));
  if (there.length > 0) return `${there.map(([name]) => path.join(folder, name)).join(", ")} would be overwritten`;
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, text, mode] of files) writeFileSync(path.join(folder, name), text, { mode, flag: "wx" });
  } catch (error) {
    return String(error);
  }
  return undefined;
}

type Called = { write?: string; name?: string; address?: string[]; help?: boolean };

export async function run(argv: readonly string[]): Promise<number> {
  let values: Called;
  let positionals: readonly string[];
  try {
    const parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        write: { type: "string" },
        name: { type: "string" },
        address: { type: "string", multiple: true },
        help: { type: "boolean", short: "h" },
      },
    });
    ({ values, positionals } = parsed);
  } catch (error) {
    return wrongCall("gemel import", error instanceof Error ? error.message : String(error), USAGE);
  }
  const [kind, folder, ...rest] = positionals;
  if (values.help === true) {
    process.stdout.write(`usage: ${USAGE}\n`);
    return EXIT.done;
  }
  if (kind !== "ha.d" || folder === undefined || rest.length > 0)
    return wrongCall("gemel import", "say ha.d and the folder with ha.cf", USAGE);
  const badAddress = (values.address ?? []).find((pair) => !/^[^=]+=[^=]+$/.test(pair));
  if (badAddress !== undefined) return wrongCall("gemel import", `${badAddress} is no NODE=ADDRESS`, USAGE);
  return importFolder(folder, values);
}

function importFolder(folder: string, { write: target, name, address }: Called): number {
  const haCf = textOf(path.join(folder, "ha.cf"));
  if (haCf === undefined) {
    tell(
      `${path.join(folder, "ha.cf")}: there is no such file; give the folder of an existing Heartbeat, as /etc/ha.d`,
    );
    return NO_INPUT;
  }
  const texts = {
    folder,
    haCf,
    authkeys: textOf(path.join(folder, "authkeys")),
    haresources: textOf(path.join(folder, "haresources")),
  };
  const secret = randomBytes(SECRET_BYTES).toString("hex");
  const imported = importSite(texts, knowledgeOf(folder, name, address ?? []), secret);
  process.stdout.write(print(imported));
  if (imported.problems.some(({ severity }) => severity === "error")) {
    tell("the site has errors; nothing is written");
    return WRONG_SITE;
  }
  if (target === undefined) {
    process.stdout.write("\nNothing is written. With --write DIR these files go to DIR.\n");
    return EXIT.done;
  }
  const failure = write(imported, target);
  if (failure !== undefined) {
    tell(`${failure}; nothing was changed`);
    return CANNOT_CREATE;
  }
  process.stdout.write(`\nWritten to ${target}. Copy all of it to every node, authkeys and secrets with mode 600.\n`);
  return EXIT.done;
}
