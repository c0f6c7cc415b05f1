/**
 * The commands that resource agents call (crm_attribute, attrd_updater, crm_node, crm_master, ...), under their own
 * names in a directory of the run directory: agents find them whether or not this machine has links to the program,
 * and never those of another cluster software that happens to be installed.
 * Fact: ocf-shellfuncs and agents call them by PATH or as HA_SBIN_DIR/NAME.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { selfCommand } from "../self-command.ts";

/** All that agents of the field call; each is also a name in the table of commands. */
export const AGENT_TOOLS = [
  "attrd_updater",
  "cibadmin",
  "crm",
  "crm_attribute",
  "crm_failcount",
  "crm_master",
  "crm_mon",
  "crm_node",
  "crm_resource",
  "crm_standby",
  "crmadmin",
  "stonith_admin",
] as const;

const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** Makes them anew; answers the directory. */
export function writeAgentTools(runDirectory: string): string {
  const directory = path.join(runDirectory, "bin");
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const { file, argv } = selfCommand();
  // A script, not a link: run from its sources the program is no single file.
  for (const name of AGENT_TOOLS) {
    const words = [file, ...argv, name].map(quote).join(" ");
    const script = path.join(directory, name);
    writeFileSync(script, `#!/bin/sh\nexec ${words} "$@"\n`);
    chmodSync(script, 0o755);
  }
  return directory;
}
