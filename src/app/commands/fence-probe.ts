/**
 * `gemel fence probe`: what a board can do, tried out: IPMI with each cipher suite, and what it shows of itself over
 * HTTPS and ssh, where no password goes out before its certificate or key is pinned. It ends with the device to write
 * into the configuration. Exit codes: 0 a way was found, 1 none, 64 a wrong call.
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { connect } from "node:tls";
import { createRunner, type DeviceRunner } from "../../fencing/edge/runner.ts";
import { SECRETS_FILE } from "../../fencing/edge/secrets.ts";
import { parseArgs } from "../arguments.ts";
import { EXIT, wrongCall } from "./ask.ts";

export const PROBE_USAGE = `gemel fence probe --host HOST --user USER --secret NAME [--node NODE] [--secrets FILE]
                    [--port PORT] [--https-port PORT] [--ssh-port PORT] [--save FILE]`;

const OPTIONS = {
  host: { type: "string" },
  user: { type: "string" },
  secrets: { type: "string", default: SECRETS_FILE },
  secret: { type: "string" },
  node: { type: "string", default: "NODE" },
  port: { type: "string", default: "623" },
  "https-port": { type: "string", default: "443" },
  "ssh-port": { type: "string", default: "22" },
  save: { type: "string" },
} as const;

const ANSWER_MS = 5_000;
/** Better ones first: SHA-256 where the board has it. */
const SUITES = ["17", "3"] as const;

interface Asked {
  readonly host: string;
  readonly user: string;
  readonly secret: string;
  readonly node: string;
}

/** A way that works, as the parameters of a device. */
type Found = Readonly<Record<string, string>> | undefined;

function say(dialect: string, words: string): void {
  process.stdout.write(`${dialect.padEnd(16)}${words}\n`);
}

async function probeIpmi(runner: DeviceRunner, { host, user, secret }: Asked, port: string): Promise<Found> {
  let found: Found;
  for (const suite of SUITES) {
    const parameters = { host, port, user, secret, cipher_suite: suite, answer_time: `${ANSWER_MS}ms` };
    const device = { id: `probe-${suite}`, driver: "ipmi-lan", parameters };
    const { outcome, evidence } = await runner.run(device, "status", 2 * ANSWER_MS);
    if (outcome.kind !== "confirmed") {
      say(`ipmi suite ${suite}`, outcome.reason);
      continue;
    }
    const identity = evidence.find(({ asked }) => asked === "read identity")?.answered ?? "";
    say(`ipmi suite ${suite}`, `works; power is ${outcome.power}; ${identity}`);
    const guid = /GUID ([0-9a-f]{32})/i.exec(identity)?.[1];
    const pinned = guid === undefined || /^0+$/.test(guid) ? {} : { board_guid: guid };
    found ??= { host, ...(port === "623" ? {} : { port }), user, secret, cipher_suite: suite, ...pinned };
  }
  return found;
}

/** The fingerprint that the board shows, before anything of ours is sent. */
function probeHttps({ host }: Asked, port: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false, timeout: ANSWER_MS }, () => {
      resolve(`certificate=${socket.getPeerCertificate().fingerprint256?.replaceAll(":", "").toLowerCase() ?? "none"}`);
      socket.destroy();
    });
    socket.on("timeout", () => socket.destroy(new Error("no answer")));
    socket.on("error", (error) => resolve(`no: ${error.message}`));
  });
}

async function probeSsh(host: string, port: string): Promise<string> {
  const { openSsh } = await import("../../hw/edge/ssh-line.ts");
  // A key that nobody has: the board is refused as soon as it has shown its own, before the login.
  const nobody = { user: "", password: "", hostKey: "SHA256:none", isLegacy: true, logout: "exit" };
  const opened = await openSsh({ host, port: Number(port), ...nobody, answerMs: ANSWER_MS });
  const reason = opened.kind === "refused" ? opened.reason : "";
  const key = /its host key is (SHA256:\S+),/.exec(reason)?.[1];
  return key === undefined ? `no: ${reason}` : `hostkey=${key}`;
}

/** Runs `gemel fence probe ...`. */
export async function runProbe(argv: readonly string[]): Promise<number> {
  let values: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];
  try {
    ({ values } = parseArgs({ args: [...argv], options: OPTIONS }));
  } catch (error) {
    return wrongCall("gemel fence probe", error instanceof Error ? error.message : String(error), PROBE_USAGE);
  }
  const { host, user, secrets, secret, node } = values;
  if (host === undefined || user === undefined || secret === undefined)
    return wrongCall("gemel fence probe", "say --host, --user and --secret", PROBE_USAGE);
  const asked = { host, user, secret, node };
  const runner = createRunner({ secretsFile: secrets });
  try {
    const found = await probeIpmi(runner, asked, values.port);
    say("https (redfish)", await probeHttps(asked, values["https-port"]));
    say("ssh", await probeSsh(host, values["ssh-port"]));
    if (found === undefined) {
      process.stdout.write("No IPMI. Compare certificate or host key with the board's own page, then configure\n");
      process.stdout.write("redfish, ilo-ssh or racadm-ssh with it: the password goes out only to a pinned board.\n");
      return EXIT.refused;
    }
    const words = Object.entries({ ...found, pcmk_host_list: node }).map(([name, value]) => `${name}=${value}`);
    const primitive = `primitive fence-${node} stonith:ipmi-lan params ${words.join(" ")} op monitor interval=60s\n`;
    process.stdout.write(primitive);
    if (values.save !== undefined) writeFileSync(values.save, primitive);
    return EXIT.done;
  } finally {
    runner.close();
  }
}
