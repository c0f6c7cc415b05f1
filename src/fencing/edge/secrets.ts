/**
 * The secrets file: passwords of boards, outside of the CIB and of everything that is dumped or replicated.
 * One entry a line, `NAME=VALUE`; `#` opens a comment line. It is read anew for each login, so that a corrected
 * password works with the next try. A file that others could read or change is refused, whatever it says.
 */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";

export type SecretRead =
  | { readonly kind: "secret"; readonly value: string }
  | { readonly kind: "no-secret"; readonly reason: string; readonly remedy: string };

/** Where it stands unless a command or a node's configuration says otherwise. */
export const SECRETS_FILE = "/etc/gemel/secrets";
const FILE_BYTES_MAX = 65_536;
const OTHERS = 0o077;

function missing(reason: string, remedy: string): SecretRead {
  return { kind: "no-secret", reason, remedy };
}

/** The entry `name`; never throws, and never repeats any value in a reason. */
export function readSecret(file: string, name: string): SecretRead {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    const { uid, mode, size } = fstatSync(descriptor);
    // A test or a trial run has no root; whoever runs the node must then own the file himself.
    if (uid !== 0 && uid !== process.getuid?.()) {
      return missing(`the secrets file ${file} belongs to user ${uid}`, `run: chown root ${file}`);
    }
    if ((mode & OTHERS) !== 0) {
      const bits = (mode & 0o777).toString(8);
      return missing(`the secrets file ${file} is open to others (mode ${bits})`, `run: chmod 600 ${file}`);
    }
    if (size > FILE_BYTES_MAX) return missing(`the secrets file ${file} is too long`, "keep one short line an entry");
    for (const line of readFileSync(descriptor, "utf8").split("\n")) {
      const at = line.indexOf("=");
      if (at > 0 && !line.startsWith("#") && line.slice(0, at).trim() === name) {
        return { kind: "secret", value: line.slice(at + 1).replace(/\r$/, "") };
      }
    }
    return missing(`the secrets file ${file} has no entry ${name}`, `add a line ${name}=PASSWORD to it`);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return missing(`the secrets file ${file} cannot be read (${code})`, "create it: owner root, mode 600");
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
