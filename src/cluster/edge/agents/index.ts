/** The built-in agents: one literal table, `ocf:gemel:TYPE`. */
import { addressCheck } from "./address-check.ts";
import type { BuiltInAgent } from "./contract.ts";
import { diskCheck } from "./disk-check.ts";
import { drbd } from "./drbd.ts";
import { dummy, stateful } from "./dummy.ts";
import { fileSystem } from "./file-system.ts";
import { ipAddress } from "./ip-address.ts";
import { ping } from "./ping.ts";
import { route } from "./route.ts";
import { sharedLock } from "./shared-lock.ts";

export const BUILT_IN_AGENTS: Readonly<Record<string, BuiltInAgent>> = {
  diskd: diskCheck,
  drbd,
  ping,
  sfex: sharedLock,
  Dummy: dummy,
  Filesystem: fileSystem,
  IPaddr2: ipAddress,
  Route: route,
  Stateful: stateful,
  VIPcheck: addressCheck,
};
