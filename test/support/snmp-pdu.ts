/**
 * A PDU: Debian's snmpd with the outlets of one model behind it. The daemon is not ours; that its outlets are placed
 * right is judged by fence_apc_snmp (APC), fence_eaton_snmp (Eaton's managed ePDU), NUT's snmp-ups (Eaton's ePDU,
 * Raritan) and cluster-glue's wti_mpc (WTI's commands): see its test. Accounts: `private` may write, `public` may
 * read, as communities; `fencer` (SHA authpassword, AES privpassword) and `signer` (SHA authpassword) may write, as
 * users.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

export interface PduPlaces {
  readonly systemId: string;
  /** `.N` is put behind each. */
  readonly state: string;
  readonly isOn: number;
  readonly isOff: number;
  readonly onCommand: string;
  readonly onValue: number;
  readonly offCommand: string;
  readonly offValue: number;
  /** More that the model's clients ask for: identifier, type, value. */
  readonly more?: readonly (readonly [string, string, string])[];
}

export interface SnmpPdu {
  readonly port: number;
  power(outlet: number): "on" | "off";
  /** `stuck`: takes the command and does nothing. `late`: the outlet follows a second later. */
  setVice(vice: "none" | "stuck" | "late"): void;
  close(): Promise<void>;
}

export const OUTLETS = 4;

/** The outlets as an answerer for snmpd's `pass_persist`: identifiers are files, and what is written moves a state. */
function answerer(folder: string, places: PduPlaces): string {
  const { state, isOn, isOff, onCommand, onValue, offCommand, offValue } = places;
  const suffix = `\${oid##*.}`;
  return `#!/bin/sh
cd ${folder}
move() { case "$(cat vice)" in
  stuck) ;;
  late) (sleep 1; echo "$2" > "oids/.${state}.$1") & ;;
  *) echo "$2" > "oids/.${state}.$1";;
esac; }
while read -r word; do
  case "$word" in
  PING) echo PONG;;
  get|getnext)
    read -r oid
    [ "$word" = getnext ] && oid=$(ls -A oids | sort -V |
      awk -v o="$oid" 'f {print; exit} $0 == o {f=1} index($0, o ".") == 1 {print; exit}')
    if [ -n "$oid" ] && [ -f "oids/$oid" ]; then
      type=integer; [ -f "types/$oid" ] && type=$(cat "types/$oid")
      printf '%s\\n%s\\n%s\\n' "$oid" "$type" "$(cat "oids/$oid")"
    else echo NONE; fi;;
  set)
    read -r oid; read -r type value
    if [ ! -f "oids/$oid" ]; then echo not-writable; continue; fi
    case "$oid:$value" in
    .${onCommand}.*:${onValue}) move "${suffix}" ${isOn};;
    .${offCommand}.*:${offValue}) move "${suffix}" ${isOff};;
    *) echo wrong-value; continue;;
    esac
    echo DONE;;
  esac
done
`;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1", () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

function configuration(folder: string, at: string, systemId: string): string {
  return `agentaddress udp:${at}
sysobjectid .${systemId}
rocommunity public
rwcommunity private
createUser fencer SHA authpassword AES privpassword
rwuser fencer priv
createUser signer SHA authpassword
rwuser signer auth
pass_persist .1.3.6.1.4.1.318 /bin/sh ${folder}/outlets
pass_persist .1.3.6.1.4.1.534 /bin/sh ${folder}/outlets
pass_persist .1.3.6.1.4.1.2634 /bin/sh ${folder}/outlets
pass_persist .1.3.6.1.4.1.13742 /bin/sh ${folder}/outlets
`;
}

/** On a free port of 127.0.0.1, or on SNMP's own port of another loopback address, for clients that know no other. */
export async function startSnmpPdu(places: PduPlaces, address = "127.0.0.1"): Promise<SnmpPdu> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-pdu-"));
  for (const name of ["oids", "types", "state"]) mkdirSync(path.join(folder, name));
  const oid = (name: string, value: string | number, type = "integer") => {
    writeFileSync(path.join(folder, "oids", `.${name}`), `${value}\n`);
    writeFileSync(path.join(folder, "types", `.${name}`), `${type}\n`);
  };
  for (let outlet = 1; outlet <= OUTLETS; outlet++) {
    oid(`${places.onCommand}.${outlet}`, places.onValue);
    oid(`${places.offCommand}.${outlet}`, places.offValue);
    oid(`${places.state}.${outlet}`, places.isOn);
  }
  for (const [name, type, value] of places.more ?? []) oid(name, value, type);
  writeFileSync(path.join(folder, "vice"), "none\n");
  writeFileSync(path.join(folder, "outlets"), answerer(folder, places));
  chmodSync(path.join(folder, "outlets"), 0o755);
  const port = address === "127.0.0.1" ? await freePort() : 161;
  writeFileSync(path.join(folder, "snmpd.conf"), configuration(folder, `${address}:${port}`, places.systemId));
  const argv = ["-f", "-Lf", path.join(folder, "log"), "-C", "-c", path.join(folder, "snmpd.conf"), "-I", "-smux"];
  const env = { ...process.env, MIBS: "", SNMP_PERSISTENT_DIR: path.join(folder, "state") };
  const daemon: ChildProcess = spawn("snmpd", argv, { stdio: "ignore", env });
  const ended = new Promise<void>((resolve) => daemon.once("exit", () => resolve()));
  const isUp = () => {
    try {
      const get = ["-v1", "-cpublic", "-t0.5", "-r0", `${address}:${port}`, `.${places.state}.1`];
      return execFileSync("snmpget", get, { env, stdio: ["ignore", "pipe", "ignore"] }).length > 0;
    } catch {
      return false;
    }
  };
  for (let tries = 0; !isUp(); tries++) {
    if (tries > 40) throw new Error(`snmpd does not come up: ${readFileSync(path.join(folder, "log"), "utf8")}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    port,
    power(outlet) {
      const value = Number(readFileSync(path.join(folder, "oids", `.${places.state}.${outlet}`), "utf8"));
      return value === places.isOn ? "on" : "off";
    },
    setVice: (vice) => writeFileSync(path.join(folder, "vice"), `${vice}\n`),
    async close() {
      daemon.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
